"""Files that a person or a program hands over: `docvigil scan` and the API. They are read where they lie."""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ingest.intake import Changed, Intake, Taken, Unreadable
from ingest.reading import chunks_of, sentence_of, steady_chunks
from ingest.tree import Tree
from records.words import Source

#: What a person waits for goes before what lies in folders.
PRIORITY = 10
#: Files read at the same time, and looked ahead.
PARALLEL, AHEAD = 4, 16
#: Times that a file is read anew because somebody wrote to it meanwhile.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of the file at `path`, as it was given or found in a given folder."""

    path: str
    taken: Taken


def take_paths(
    paths: Iterable[Path], intake: Intake, *, priority: int = PRIORITY, origin: str = "scan"
) -> Iterator[Upload]:
    """Takes in files, and all files of folders, in this order; one result a file, refused ones included.

    Every call is a new arrival: content that is known becomes a duplicate of its document. `origin` names the source.
    Raises what `records.outages.outage` knows while the database or the object store is away.
    """
    source = intake.source("upload", origin, priority)
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="upload") as pool:
        ahead: deque[tuple[Path, Future[Taken]]] = deque()
        try:
            for path in files_in(paths):
                ahead.append((path, pool.submit(_take_path, intake, source, path, priority)))
                if len(ahead) >= AHEAD:
                    first, taken = ahead.popleft()
                    yield Upload(str(first), taken.result())
            while ahead:
                first, taken = ahead.popleft()
                yield Upload(str(first), taken.result())
        finally:
            for _, left in ahead:
                left.cancel()


def take_stream(
    stream: IO[bytes], name: str, intake: Intake, *, priority: int = PRIORITY, origin: str = "api"
) -> Taken:
    """Takes in what an open stream holds, under the name that its sender gave."""
    source = intake.source("upload", origin, priority)
    return intake.take(source, name, uuid.uuid4().hex, chunks_of(stream), priority=priority)


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that these paths name: themselves, and what lies in folders (not hidden, links not followed)."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        found: Sequence[str] = sorted(entry.path for entry in Tree(path).walk())
        yield from (path / each for each in found)


def _take_path(intake: Intake, source: Source, path: Path, priority: int) -> Taken:
    identity = uuid.uuid4().hex
    for _ in range(ATTEMPTS):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            return intake.refuse(source, str(path), identity, sentence_of(error))
        with os.fdopen(handle, "rb") as file:
            try:
                return intake.take(source, str(path), identity, steady_chunks(file), priority=priority)
            except Changed:
                continue
            except Unreadable as why:
                return intake.refuse(source, str(path), identity, str(why))
    reason = "Somebody kept writing to the file while it was read. Try again when it is finished."
    return intake.refuse(source, str(path), identity, reason)
