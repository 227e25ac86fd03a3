"""What was read counts only if the file stood still; what a file is, its first bytes say."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.intake import Changed, Unfit, media_type
from ingest.reading import chunks_of, kind_sentence, lasting, sentence_of, steady_chunks
from ingest.tree import entry_of
from records.objects import CHUNK_BYTES


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\xef\xbb\xbf\n%PDF-1.4", "application/pdf"),
        (b"II*\0abc", "image/tiff"),
        (b"MM\0*abc", "image/tiff"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"PK\3\4", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_media_types_by_first_bytes(head: bytes, expected: str) -> None:
    assert media_type(head) == expected


def test_a_file_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a"
    body = os.urandom(2 * CHUNK_BYTES + 7)
    path.write_bytes(body)
    with path.open("rb") as file:
        pieces = list(chunks_of(file))
    assert [len(one) for one in pieces] == [CHUNK_BYTES, CHUNK_BYTES, 7]
    assert b"".join(pieces) == body


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


CHANGES: dict[str, Callable[[Path], object]] = {
    "appended": append,
    "overwritten with as many bytes": lambda path: path.write_bytes(b"y" * (CHUNK_BYTES + 1)),
    "cut": lambda path: os.truncate(path, 3),
    "overwritten and its time set back": lambda path: (
        path.write_bytes(b"y" * (CHUNK_BYTES + 1)),
        os.utime(path, ns=(10**18, 10**18)),
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path, how: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * (CHUNK_BYTES + 1))
    os.utime(path, ns=(10**18, 10**18))
    with path.open("rb") as file:
        chunks = steady_chunks(file)
        next(chunks)
        CHANGES[how](path)
        with pytest.raises(Changed):
            list(chunks)


def test_a_file_that_is_another_than_expected_is_not_taken(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x")
    expected = entry_of("b", os.stat(tmp_path / "b"))
    with (tmp_path / "a").open("rb") as file, pytest.raises(Changed):
        list(steady_chunks(file, expected))


def test_what_is_no_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    handle = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file, pytest.raises(Unfit, match="pipe"):
        list(steady_chunks(file))
    for mode in (0o40755, 0o120777, 0o10644, 0o140755, 0o20644, 0o60644, 0o0):
        assert kind_sentence(mode).endswith(".")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ELOOP, errno.EIO, errno.ESTALE])
def test_errors_become_sentences(number: int) -> None:
    error = OSError(number, os.strerror(number), "/a/file/name.pdf")
    assert sentence_of(error).endswith(".") and "name.pdf" not in sentence_of(error)
    assert lasting(error) is (number not in (errno.EIO, errno.ESTALE))
