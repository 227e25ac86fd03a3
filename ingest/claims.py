"""Files taken out of a drop folder by renaming them, so that nothing can replace them while they are read.

    .docvigil/claimed/<claim>/<path>            claimed: to be recorded, also after a crash
    processed/<path>                            recorded
    refused/<path>, refused/<path>.reason.txt   refused, and why

A claimed file keeps its path in the folder, so whoever finds it knows all about it. Everything stays on one file
system, beneath the drop folder, and no step follows a link.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from ingest.tree import Entry, Tree

OWN = ".docvigil"
CLAIMED = (OWN, "claimed")
PROCESSED, REFUSED = "processed", "refused"
#: Folders of ours in a drop folder, which are not watched.
OURS = frozenset({OWN, PROCESSED, REFUSED})
#: Longest name (bytes) to which something may be added.
LONGEST_NAME = 200
#: An empty claim (of somebody killed) is removed after so long.
STALE_SECONDS = 3600.0


class Claims:
    """The claimed files of one tree. Several watchers, of several processes, may work on it."""

    def __init__(self, tree: Tree) -> None:
        """Raises OSError where the folder may not be written to."""
        self._tree = tree
        with tree.folder(CLAIMED, make=True) as claimed:
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=claimed):
                raise PermissionError(13, "The folder of claimed files may not be written to")
            os.fsync(claimed)

    def holds(self, path: str) -> bool:
        """Whether this path in the tree is that of a claimed file."""
        return path.startswith("/".join(CLAIMED) + "/")

    def identity(self, path: str) -> str:
        """What tells this claim from every other."""
        return f"claim:{PurePosixPath(path).parts[len(CLAIMED)]}"

    def shown(self, path: str) -> str:
        """Where the claimed file was found, relative to the root."""
        return "/".join(PurePosixPath(path).parts[len(CLAIMED) + 1 :])

    def waiting(self) -> Iterator[Entry]:
        """The claimed files."""
        return self._tree.walk(within="/".join(CLAIMED))

    def claim(self, path: str) -> str:
        """Claim what is at this path; its path from now on. Raises OSError, FileNotFoundError when it is gone."""
        pure = PurePosixPath(path)
        parts = (*CLAIMED, uuid.uuid4().hex, *pure.parent.parts)
        try:
            with self._tree.folder(pure.parent.parts) as here, self._tree.folder(parts, make=True) as there:
                os.rename(pure.name, pure.name, src_dir_fd=here, dst_dir_fd=there)
                # Should the power fail, the file must not stand at its old place when its arrival is on record.
                os.fsync(there)
        except OSError:
            self._tidy(parts)
            raise
        return "/".join((*parts, pure.name))

    def release(self, path: str, folder: str, reason: str | None = None) -> None:
        """Move a claimed file to `processed` or `refused`; there a text beside it gives the reason.

        What is there already is never replaced. Raises OSError.
        """
        pure, shown = PurePosixPath(path), PurePosixPath(self.shown(path))
        claim = pure.parts[len(CLAIMED)]
        with (
            self._tree.folder(pure.parent.parts) as here,
            self._tree.folder((folder, *shown.parent.parts), make=True) as there,
        ):
            name = _moved(here, there, shown.name, claim)
            if reason is not None:
                _write(there, _named(name, claim, ".reason.txt"), reason)
        self._tidy(pure.parent.parts)

    def sweep(self) -> None:
        """Remove empty claims that somebody who was killed left behind."""
        with self._tree.folder(CLAIMED) as claimed, os.scandir(claimed) as found:
            old = [one.name for one in found if time.time() - one.stat(follow_symlinks=False).st_mtime > STALE_SECONDS]
        for name in old:
            for parts in self._folders((*CLAIMED, name)):
                self._tidy(parts)

    def _folders(self, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """This folder and those in it, innermost first."""
        try:
            with self._tree.folder(parts) as handle, os.scandir(handle) as found:
                inner = [one.name for one in found if one.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in inner:
            yield from self._folders((*parts, name))
        yield parts

    def _tidy(self, parts: tuple[str, ...]) -> None:
        """Remove a claim's folders as far as they are empty, from the innermost."""
        # Whoever is in the middle of something there keeps what isn't empty.
        with suppress(OSError):
            while len(parts) > len(CLAIMED):
                with self._tree.folder(parts[:-1]) as parent:
                    os.rmdir(parts[-1], dir_fd=parent)
                parts = parts[:-1]


def _moved(here: int, there: int, name: str, claim: str) -> str:
    """Move a file to another folder, where nothing is replaced; what it is called there.

    By a link, so that whoever is killed on the way leaves no more than a second name of it, which the next one finds.
    """
    for free in (name, _beside(name, claim)):
        try:
            os.link(name, free, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
        except FileExistsError:
            if not _same(here, name, there, free):
                continue
        except FileNotFoundError:
            raise
        except OSError:
            # Not every file system has links, and files of others may not be linked everywhere.
            return _replacing(here, there, name, claim)
        os.unlink(name, dir_fd=here)
        return free
    raise FileExistsError(errno.EEXIST, "Both names that the file might have are taken")


def _replacing(here: int, there: int, name: str, claim: str) -> str:
    """The same without links: the name is taken first by an empty file, which stays where somebody is killed then."""
    free = name
    try:
        _create(there, free)
    except FileExistsError:
        free = _beside(name, claim)
        _create(there, free)
    try:
        os.rename(name, free, src_dir_fd=here, dst_dir_fd=there)
    except OSError:
        os.unlink(free, dir_fd=there)
        raise
    return free


def _same(here: int, name: str, there: int, other: str) -> bool:
    """Whether two names are those of one file."""
    one, two = (os.stat(each, dir_fd=folder, follow_symlinks=False) for each, folder in ((name, here), (other, there)))
    return os.path.samestat(one, two)


def _beside(name: str, claim: str) -> str:
    """Another name, for a file whose own is taken."""
    stem, dot, suffix = name.rpartition(".")
    return _named(stem or name, claim, f" {claim[:8]}{dot}{suffix}" if stem else f" {claim[:8]}")


def _create(folder: int, name: str) -> None:
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o640, dir_fd=folder))


def _write(folder: int, name: str, text: str) -> None:
    with suppress(FileExistsError):
        handle = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o640, dir_fd=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")


def _named(name: str, claim: str, more: str) -> str:
    """The name with something added, or the claim's where that would be too long."""
    return (name if len(os.fsencode(name + more)) <= LONGEST_NAME else claim) + more
