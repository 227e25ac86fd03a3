"""A folder and all beneath it, reached through descriptors: no symbolic link in it is ever followed.

People and programs we don't control write into a drop folder while it is read, so a name that was a folder a moment
ago may be a link to anywhere now. Every step down is therefore taken with O_NOFOLLOW from the step above.
"""

import fcntl
import os
import signal
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import structlog

log = structlog.get_logger(__name__)

#: Names that programs give to files they haven't finished, or that no person dropped.
UNFINISHED_SUFFIXES = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".swp", "~")
LITTER = frozenset({"thumbs.db", "desktop.ini"})

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the tree that isn't a folder. `path` is relative to the root, bytes beyond UTF-8 as surrogates."""

    path: str
    device: int
    inode: int
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    def same_bytes(self, other: "Entry | None") -> bool:
        """Whether both looks saw one file with nothing written in between, as far as the file system tells."""
        return other is not None and (self.device, self.inode, self.size, self.mtime_ns) == (
            other.device,
            other.inode,
            other.size,
            other.mtime_ns,
        )


def entry_of(path: str, found: os.stat_result) -> Entry:
    return Entry(path, found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def ignored(name: str) -> bool:
    """Hidden names and those of files still being written; they count once they are renamed."""
    lower = name.lower()
    return name.startswith((".", "~$")) or lower.endswith(UNFINISHED_SUFFIXES) or lower in LITTER


def being_written(handle: int) -> bool:
    """Whether somebody has this file open for writing, where the kernel can tell (Linux, local file systems).

    A read lease is granted only on a file that nobody writes (fcntl(2), "Leases"); it is given back at once.
    """
    try:
        # A lease that is broken before it is given back sends a signal; this one is ignored by default, SIGIO kills.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):
        # Not the owner, a network file system, another kernel: unchanged size and time have to do.
        return False
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


class Tree:
    """Looks, walks, opens and moves beneath one root."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve(strict=True)
        self.device = os.stat(self.root).st_dev

    @contextmanager
    def folder(self, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
        """A descriptor of a folder beneath the root; a link on the way raises NotADirectoryError (or ELOOP)."""
        handle = os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)
        try:
            for part in parts:
                if part in ("", ".", ".."):
                    raise ValueError("A path beneath the root has no '.', '..' or empty part.")
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o770, dir_fd=handle)
                step = os.open(part, _FOLDER, dir_fd=handle)
                os.close(handle)
                handle = step
            yield handle
        finally:
            os.close(handle)

    def look(self, path: str) -> Entry | None:
        """What is at this path now; None when nothing is, or no way leads there (a link, a folder closed to us)."""
        pure = PurePosixPath(path)
        try:
            with self.folder(pure.parent.parts) as parent:
                return entry_of(path, os.stat(pure.name, dir_fd=parent, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None

    def open(self, path: str) -> int:
        """A descriptor to read a file with. Raises OSError; a pipe doesn't make it wait."""
        pure = PurePosixPath(path)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with self.folder(pure.parent.parts) as parent:
            return os.open(pure.name, flags, dir_fd=parent)

    def walk(self, *, within: str = "", skip: frozenset[str] = frozenset()) -> Iterator[Entry]:
        """Everything that isn't a folder, beneath `within`; hidden and unfinished names and those in `skip` left out.

        `skip` holds paths of folders. Other file systems mounted beneath the root aren't entered.
        """
        parts = PurePosixPath(within).parts
        try:
            with self.folder(parts) as handle:
                yield from self._walk(handle, "/".join(parts), skip)
        except (FileNotFoundError, NotADirectoryError):
            return

    def _walk(self, handle: int, prefix: str, skip: frozenset[str]) -> Iterator[Entry]:
        with os.scandir(handle) as names:
            for name in names:
                path = f"{prefix}/{name.name}" if prefix else name.name
                if ignored(name.name) or path in skip:
                    continue
                try:
                    found = name.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except PermissionError:
                    # The folder may be read but not entered.
                    log.warning("folder.unreadable", inode=os.fstat(handle).st_ino)
                    return
                if not stat.S_ISDIR(found.st_mode):
                    yield entry_of(path, found)
                elif found.st_dev != self.device:
                    log.warning("folder.mount_skipped", device=found.st_dev, hint="watch it as a folder of its own")
                else:
                    yield from self._descend(handle, name.name, path, skip)

    def _descend(self, handle: int, name: str, path: str, skip: frozenset[str]) -> Iterator[Entry]:
        try:
            inner = os.open(name, _FOLDER, dir_fd=handle)
        except PermissionError:
            log.warning("folder.unreadable", inode=os.stat(name, dir_fd=handle, follow_symlinks=False).st_ino)
            return
        except (FileNotFoundError, NotADirectoryError):
            return
        try:
            yield from self._walk(inner, path, skip)
        finally:
            os.close(inner)
