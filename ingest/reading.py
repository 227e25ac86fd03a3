"""Reading a file that others may write to: what was read counts only if the file stood still from end to end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import IO

from ingest.intake import Changed, Unfit, Unreadable
from ingest.tree import Entry, entry_of
from records.objects import CHUNK_BYTES

_SENTENCES = {
    errno.EACCES: "docvigil has no permission to read the file. Allow it, and put a new copy here.",
    errno.EPERM: "docvigil has no permission to read the file. Allow it, and put a new copy here.",
    errno.ENOENT: "There is no such file.",
    errno.ENOTDIR: "There is no such file.",
    errno.ELOOP: "It is a symbolic link, which is not followed. Put the file itself here.",
    errno.ENAMETOOLONG: "The file's name is too long. Give it a shorter one.",
    errno.ENXIO: "It is no file but a socket or a device. Put the file itself here.",
    errno.ENODEV: "It is no file but a socket or a device. Put the file itself here.",
}
_KINDS = {
    stat.S_IFDIR: "It is a folder, not a file.",
    stat.S_IFLNK: _SENTENCES[errno.ELOOP],
    stat.S_IFIFO: "It is no file but a pipe. Put the file itself here.",
    stat.S_IFSOCK: _SENTENCES[errno.ENXIO],
    stat.S_IFCHR: _SENTENCES[errno.ENXIO],
    stat.S_IFBLK: _SENTENCES[errno.ENXIO],
}


def sentence_of(error: OSError) -> str:
    """Why a file can't be opened or read, for a person."""
    known = _SENTENCES.get(error.errno or 0)
    return known or f"The file can't be read: {os.strerror(error.errno or errno.EIO)}. Copy it again."


def lasting(error: OSError) -> bool:
    """Whether trying again later would be of no use."""
    return error.errno in _SENTENCES


def kind_sentence(mode: int) -> str:
    """Why something that is no regular file isn't taken in."""
    return _KINDS.get(stat.S_IFMT(mode), "It is no file. Put the file itself here.")


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes from here to the end. Raises Unreadable."""
    while True:
        try:
            chunk = file.read(CHUNK_BYTES)
        except OSError as error:
            raise Unreadable(sentence_of(error)) from error
        if not chunk:
            return
        yield chunk


def steady_chunks(file: IO[bytes], expected: Entry | None = None) -> Iterator[bytes]:
    """The bytes of an open file. Raises Unfit when it is no regular file, Unreadable, and Changed when it is not the
    expected one or was written to meanwhile (told by size, time of writing and time of change)."""
    found = os.fstat(file.fileno())
    before = entry_of("", found)
    if not before.is_file:
        raise Unfit(kind_sentence(before.mode))
    if expected is not None and not before.same_bytes(expected):
        raise Changed
    size = 0
    for chunk in chunks_of(file):
        size += len(chunk)
        if size > before.size:
            raise Changed
        yield chunk
    left = os.fstat(file.fileno())
    # A time of change without a new time of writing may be a time of writing set back; or the file lost its name to
    # another that replaced it, and its bytes are still what they were.
    renamed = left.st_nlink != found.st_nlink
    if not entry_of("", left).same_bytes(before) or (left.st_ctime_ns != found.st_ctime_ns and not renamed):
        raise Changed
