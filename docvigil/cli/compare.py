"""`docvigil compare`: several models on the same labelled documents and on questions with lettered answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track
from rich.table import Table

from docvigil.cli.common import Refusal, as_json, errors, screen
from docvigil.compare import Compared, lettered, on_documents, on_letters
from docvigil.measure import labels
from docvigil.settings import settings
from docvigil.wiring import atlas, limits
from pipeline.pages import BadFile

if TYPE_CHECKING:
    from models.prompted import PromptedReader
    from models.reader import ModelReader

#: The name of the checkpoint that ships.
BUNDLED = "bundled"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Trying it out")(compare)


def compare(
    checkpoints: Annotated[
        list[str], typer.Argument(metavar="CHECKPOINT…", help="Folders, hub ids (owner/name), or `bundled`.")
    ],
    labelled: Annotated[
        Path | None, typer.Option(help="Made by `docvigil synthesise`: documents and labels.jsonl.")
    ] = None,
    letters: Annotated[
        Path | None,
        typer.Option("--mmstar", help="Questions as in MMStar: .parquet or .jsonl with image, question, answer."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="At most so many lettered questions.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Compare models: the bundled one, nanoVLM, SmolVLM, BLIP VQA, GIT, Kosmos-2.

    With --json one object a line: `checkpoint`, `version`, `data` (labelled or mmstar), `parameters`, `images` (how
    many were shown), `accuracy` (on labelled documents: fields of which state and value are right), `precision`,
    `recall` and `f1` (of finding empty fields; on lettered questions: means over the letters), each a share or null
    where there is none, and `seconds_per_image`.
    """
    if labelled is None and letters is None:
        raise typer.BadParameter("give --labelled FOLDER, --mmstar FILE, or both")
    rows: list[dict[str, Any]] = []
    try:
        readers = {name: _loaded(name) for name in dict.fromkeys(checkpoints)}
        if labelled is not None:
            config = settings()
            steps = on_documents(labelled, list(readers.values()), atlas(config), limits(config))
            rows += _rows("labelled", readers, _last(steps, len(labels(labelled))))
        if letters is not None:
            able = {name: one for name, one in readers.items() if hasattr(one, "choose")}
            for name in readers.keys() - able.keys():
                errors.print(f"{name} reads fields only: it is left out of --mmstar.", highlight=False)
            if able:
                steps = on_letters(lettered(letters, count), list(able.values()))
                rows += _rows("mmstar", able, _last(steps, count))
    except BadFile as bad:
        raise Refusal(f"A document of {labelled} can't be read: {bad}") from bad
    except OSError as wrong:
        raise Refusal(
            str(wrong) if wrong.errno is None else f"{wrong.filename} can't be opened: {wrong.strerror}."
        ) from wrong
    except ValueError as wrong:
        raise Refusal(f"{wrong}.") from wrong
    if json:
        for row in rows:
            as_json(row)
        return
    table = Table(box=None)
    table.add_column("model", overflow="fold", min_width=12)
    for heading in ("data", "parameters", "images", "accuracy", "precision", "recall", "F1", "s/image"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        shares = [
            "–" if row[name] is None else f"{row[name]:.1%}" for name in ("accuracy", "precision", "recall", "f1")
        ]
        time = "–" if row["seconds_per_image"] is None else f"{row['seconds_per_image']:.3f}"
        size = f"{row['parameters'] / 1e6:.1f} M"
        table.add_row(row["checkpoint"], row["data"], size, str(row["images"]), *shares, time)
    screen.print(table)


def _loaded(name: str) -> ModelReader | PromptedReader:
    """Imports torch."""
    import torch

    from models.reader import load_reader

    config = settings()
    if config.model_threads is not None:
        torch.set_num_threads(config.model_threads)
    return load_reader(None if name == BUNDLED else name)


def _last(steps: Iterator[list[Compared]], total: int | None) -> list[Compared]:
    """The counts after the last step, shown as they grow."""
    counts: list[Compared] = []
    for now in track(steps, "reading", total=total, console=errors, transient=True):
        counts = now
    if not counts:
        raise ValueError("there is nothing to compare the models on: no document, no question")
    return counts


def _rows(
    data: str, readers: dict[str, ModelReader | PromptedReader], counts: list[Compared]
) -> Iterator[dict[str, Any]]:
    for (name, reader), one in zip(readers.items(), counts, strict=True):
        yield {
            "checkpoint": name,
            "version": reader.version,
            "data": data,
            "parameters": reader.parameters,
            "images": one.images,
            "accuracy": _rounded(one.accuracy),
            "precision": _rounded(one.precision),
            "recall": _rounded(one.recall),
            "f1": _rounded(one.f1),
            "seconds_per_image": _rounded(one.seconds_per_image),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
