"""Checkpoints as archives in the object store: one a version, the same bytes for the same folder, never changed.

Only the files that a checkpoint consists of are taken in and let out: weights are safetensors, all else is JSON.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.missed import FILE as BOUND
from pipeline.missed import Bound
from records.objects import Missing, ObjectStore

#: The files of a checkpoint; those not marked True may be missing.
FILES = {
    "config.json": True,
    "model.safetensors": True,
    "calibration.json": False,
    BOUND: False,
    "spotting.json": False,
    "spotting.safetensors": False,
    "cells.safetensors": False,
}

#: An archive with a file larger than this is refused.
MOST_BYTES = 4 * 2**30


class BadArchive(ValueError):
    """What is no checkpoint, or not the one that it is said to be; the text is a sentence for a person."""


def key(version: str) -> str:
    """Where a version's archive stands."""
    return f"models/{version}.tar"


def bound(store: ObjectStore, version: str) -> Bound | None:
    """The bound that was computed for a version, the newest that was brought in; None where none was. Raises ValueError
    for one that can't be read, and StoreUnavailable."""
    place = _bound_key(version)
    try:
        return Bound.read(store.get(place), place)
    except Missing:
        return None


def _bound_key(version: str) -> str:
    """A bound stands beside the archive, since it may be computed later and is read where no weights are."""
    return f"models/{version}.{BOUND}"


def put(store: ObjectStore, folder: Path, version: str) -> str:
    """Stores the checkpoint of a folder unless it is there, and its own bound in place of a former one; its key. Raises
    BadArchive for what is no checkpoint, or for a bound that can't be read."""
    missing = [name for name, needed in FILES.items() if needed and not (folder / name).is_file()]
    if missing:
        raise BadArchive(f"{folder} is no checkpoint: it has no {' and no '.join(missing)}.")
    place = key(version)
    if not store.exists(place):
        with tempfile.TemporaryFile() as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for name in sorted(FILES):
                    if (folder / name).is_file():
                        _add(archive, name, folder / name)
            file.seek(0)
            store.put_file(place, file)
    try:
        own = Bound.load(folder)
    except ValueError as wrong:
        raise BadArchive(f"{wrong}.") from wrong
    # A folder that was copied to learn further may hold its parent's.
    if own is not None and own.model == version:
        store.put(_bound_key(version), (folder / BOUND).read_bytes())
    return place


def fetch(store: ObjectStore, place: str, version: str, cache: Path, digest: Callable[[Path], str]) -> Path:
    """The folder of a version in a cache on the disk, fetched where it isn't there.

    `digest` tells a folder's version: what doesn't give this one is not used. Raises `records.objects.Missing`,
    BadArchive and StoreUnavailable.
    """
    folder = cache / version
    if folder.is_dir() and digest(folder) == version:
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{version}.", dir=cache))
    try:
        with store.path(place) as path:
            _unpack(path, partial)
        if (found := digest(partial)) != version:
            raise BadArchive(f"The archive {place} holds version {found} and not {version}; import that version again.")
        if folder.is_dir():
            shutil.rmtree(folder)
        try:
            os.replace(partial, folder)
        except OSError:
            # Another process was first.
            if not folder.is_dir() or digest(folder) != version:
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Without times, owners or modes: the same files give the same bytes."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = path.stat().st_size, 0o644
    with path.open("rb") as body:
        archive.addfile(entry, body)


def _unpack(path: Path, folder: Path) -> None:
    try:
        with tarfile.open(path, mode="r:") as archive:
            for entry in archive:
                if entry.name not in FILES or not entry.isreg() or entry.size > MOST_BYTES:
                    raise BadArchive(f"An archive of a checkpoint holds no {entry.name!r}.")
                body = archive.extractfile(entry) or io.BytesIO()
                with (folder / entry.name).open("wb") as file:
                    shutil.copyfileobj(body, file)
    except tarfile.TarError as error:
        raise BadArchive(f"The archive of a checkpoint can't be read: {error}.") from error
