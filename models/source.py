"""Where checkpoints come from: a folder, or a repository of the hub. Weights are safetensors, or they are not read."""

from __future__ import annotations

from pathlib import Path

#: What is fetched of a repository: nothing that runs code when it is opened.
FETCHED = ("*.json", "*.safetensors", "*.txt", "*.model")


def folder_of(source: str | Path) -> Path:
    """The folder of a checkpoint; one named `owner/name` that is no folder here is fetched from the hub.

    Raises FileNotFoundError with a sentence where it is not to be had.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    if isinstance(source, Path) or source.count("/") != 1 or source.startswith(("/", ".")):
        raise FileNotFoundError(f"{source} is no folder; give the folder of a checkpoint")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(source, allow_patterns=list(FETCHED)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as wrong:
        raise FileNotFoundError(
            f"{source} is no folder here and can't be fetched from the hub ({type(wrong).__name__}); "
            "check the name, or download it and give its folder"
        ) from wrong
