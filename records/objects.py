"""The object store: originals under their SHA-256, and what is derived from them under their scan.

Invariants
- An original's key is its content: `originals/ab/cd/<sha256>`. It is written once and never changed or deleted here.
- Derived objects live under `scans/<scan>/<token>/…`; writing a key again replaces it whole.
- When a call that writes returns, a reader sees the whole object or an error, never a part, also after a power cut.
- A key is made of plain names; nothing given as a key can leave the store.
- A missing object raises `Missing`; every other trouble with the store is an `OSError`, and worth trying again.
"""

import base64
import hashlib
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Bytes read or written at a time.
CHUNK_BYTES = 1 << 20
#: An S3 upload stays in memory up to this many bytes, then continues in a temporary file.
SPOOL_BYTES = 8 << 20
#: Unfinished files of a killed writer are removed after this long.
STALE_SECONDS = 24 * 3600
#: Folders known to be on the disk, remembered so that they needn't be flushed again.
REMEMBERED_FOLDERS = 2_000

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){0,15}")


class Missing(LookupError):
    """There is no object under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The object store has nothing under {key}.")
        self.key = key


class StoreUnavailable(OSError):
    """The store can't be reached or refuses to work; nothing is wrong with the object."""


@dataclass(frozen=True)
class Received:
    """An original as it was stored."""

    sha256: str
    size: int
    key: str


class ObjectStore(Protocol):
    """Where bytes are kept. One instance may be shared by threads; make it after a fork."""

    def receive(self, chunks: Iterable[bytes]) -> Received:
        """Store an original while hashing it; an exception from `chunks` passes through and leaves nothing behind."""

    def put(self, key: str, body: bytes) -> None:
        """Store a derived object."""

    def put_all(self, bodies: Mapping[str, bytes]) -> None:
        """Store derived objects, each whole; where it fails, some may be stored and others not."""

    def put_file(self, key: str, source: Path | IO[bytes]) -> None:
        """Store a derived object from a file or an open stream."""

    def open(self, key: str) -> BinaryIO:
        """A readable stream, to be closed by the caller. Raises Missing."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises Missing."""

    def exists(self, key: str) -> bool:
        """Whether there is an object under this key."""

    def path(self, key: str) -> AbstractContextManager[Path]:
        """The object as a local file to read while the context lasts. Raises Missing."""

    def delete(self, prefix: str) -> None:
        """Remove every derived object under `prefix`, a whole folder (`scans/12/3`). Raises ValueError on originals."""


def original_key(sha256: str) -> str:
    """The key of an original. Raises ValueError when this isn't a SHA-256 in lower-case hex."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("An original is named by its SHA-256: 64 lower-case hexadecimal digits.")
    return f"originals/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def original(store: ObjectStore, sha256: str) -> AbstractContextManager[Path]:
    """The original of a document as a local file while the context lasts. Raises Missing.

    Opening one for a person is an audited act: whoever shows it records the event (`records.audit`) first.
    """
    return store.path(original_key(sha256))


def open_store(url: str | Path, *, endpoint_url: str | None = None, **client_options: Any) -> ObjectStore:
    """The store at a folder's path, a `file://` URL or `s3://bucket/prefix` (of any endpoint)."""
    parts = urlsplit(str(url))
    if parts.scheme == "s3":
        if not parts.netloc:
            raise ValueError(f"{url} names no bucket; write s3://BUCKET or s3://BUCKET/PREFIX.")
        client = s3_client(endpoint_url=endpoint_url, **client_options)
        return S3Store(parts.netloc, parts.path.strip("/"), client)
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if "://" in str(url):
        raise ValueError(f"{parts.scheme}:// is no object store docvigil knows; give a folder or s3://BUCKET/PREFIX.")
    return FolderStore(Path(url))


def s3_client(*, endpoint_url: str | None = None, **options: Any) -> "S3Client":
    """A boto3 client that also works with S3 servers other than Amazon's, with bounded waits and retries."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=32,
        # Servers that don't know the newer default checksums refuse them; ours is sent explicitly.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # A custom endpoint rarely has a host name for each bucket.
        s3={"addressing_style": "path" if endpoint_url else "auto"},
    )
    return boto3.client("s3", endpoint_url=endpoint_url, config=config, **options)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not a key: names of letters, digits, '.', '_' and '-', joined by '/'.")
    return key


def _derived(key: str) -> str:
    if _checked(key).split("/", 1)[0] == "originals":
        raise ValueError("An original is written by receive() alone and never changed or deleted.")
    return key


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(CHUNK_BYTES):
        yield block


class FolderStore:
    """Objects as files under `root`: written to a temporary file, flushed to the disk, then renamed into place."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).expanduser().absolute()
        self._incoming = self.root / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._lasting: set[Path] = {self.root}
        self._sweep()

    def receive(self, chunks: Iterable[bytes]) -> Received:
        digest = hashlib.sha256()
        size = 0
        with self._temporary() as (handle, temporary):
            for block in chunks:
                digest.update(block)
                size += len(block)
                handle.write(block)
            sha256 = digest.hexdigest()
            key = original_key(sha256)
            if not self._whole(key, size):
                self._place(handle, temporary, key)
        return Received(sha256, size, key)

    def put(self, key: str, body: bytes) -> None:
        self.put_all({key: body})

    def put_all(self, bodies: Mapping[str, bytes]) -> None:
        for key, body in bodies.items():
            _derived(key)
            with self._temporary() as (handle, temporary):
                handle.write(body)
                self._move(handle, temporary, key)
        for folder in {self._file(key).parent for key in bodies}:
            _sync_folder(folder)

    def put_file(self, key: str, source: Path | IO[bytes]) -> None:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return self.put_file(key, stream)
        _derived(key)
        with self._temporary() as (handle, temporary):
            for block in _blocks(source):
                handle.write(block)
            self._place(handle, temporary, key)

    def open(self, key: str) -> BinaryIO:
        try:
            return self._file(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise Missing(key) from None

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def exists(self, key: str) -> bool:
        return self._file(key).is_file()

    @contextmanager
    def path(self, key: str) -> Iterator[Path]:
        if not self.exists(key):
            raise Missing(key)
        yield self._file(key)

    def delete(self, prefix: str) -> None:
        target = self._file(_derived(prefix))
        with suppress(FileNotFoundError):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()

    def _file(self, key: str) -> Path:
        return self.root / _checked(key)

    def _whole(self, key: str, size: int) -> bool:
        """Whether this original is here already; one of another size is a damaged one and is replaced."""
        try:
            return self._file(key).stat().st_size == size
        except FileNotFoundError:
            return False

    @contextmanager
    def _temporary(self) -> Iterator[tuple[BinaryIO, Path]]:
        temporary = self._incoming / uuid.uuid4().hex
        try:
            with open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, 0o640)) as handle:
                yield handle, temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _place(self, handle: BinaryIO, temporary: Path, key: str) -> None:
        self._move(handle, temporary, key)
        _sync_folder(self._file(key).parent)

    def _move(self, handle: BinaryIO, temporary: Path, key: str) -> None:
        """Give a file its name; the name lasts once the folder is flushed."""
        handle.flush()
        os.fsync(handle.fileno())
        target = self._file(key)
        self._make(target.parent)
        try:
            os.replace(temporary, target)
        except FileNotFoundError:
            # Another process has deleted the folder that this one remembers.
            self._lasting = {self.root}
            self._make(target.parent)
            os.replace(temporary, target)

    def _make(self, folder: Path) -> None:
        """Make a folder and the ones above it, each recorded on the disk in the one that holds it."""
        if folder in self._lasting:
            return
        self._make(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o750)
        # Also when another writer made it a moment ago: its own flush may still be to come.
        _sync_folder(folder.parent)
        if len(self._lasting) > REMEMBERED_FOLDERS:
            self._lasting = {self.root}
        self._lasting.add(folder)

    def _sweep(self) -> None:
        for entry in os.scandir(self._incoming):
            with suppress(FileNotFoundError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_SECONDS:
                    os.unlink(entry.path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class S3Store:
    """Objects in a bucket under a prefix; the server checks every upload against its SHA-256 where it can."""

    def __init__(self, bucket: str, prefix: str, client: "S3Client") -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.client = client

    def receive(self, chunks: Iterable[bytes]) -> Received:
        digest = hashlib.sha256()
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
            for block in chunks:
                digest.update(block)
                spool.write(block)
            size = spool.tell()
            key = original_key(digest.hexdigest())
            if not self.exists(key):
                self._upload(key, spool, digest.digest())
        return Received(digest.hexdigest(), size, key)

    def put(self, key: str, body: bytes) -> None:
        self._upload(_derived(key), body, hashlib.sha256(body).digest())

    def put_all(self, bodies: Mapping[str, bytes]) -> None:
        for key, body in bodies.items():
            self.put(key, body)

    def put_file(self, key: str, source: Path | IO[bytes]) -> None:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return self.put_file(key, stream)
        _derived(key)
        digest = hashlib.sha256()
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
            for block in _blocks(source):
                digest.update(block)
                spool.write(block)
            self._upload(key, spool, digest.digest())

    def open(self, key: str) -> BinaryIO:
        with self._answers(key):
            body = self.client.get_object(Bucket=self.bucket, Key=self._name(key))["Body"]
        return cast(BinaryIO, body)

    def get(self, key: str) -> bytes:
        with self._answers(key), self.open(key) as stream:
            return stream.read()

    def exists(self, key: str) -> bool:
        try:
            with self._answers(key):
                self.client.head_object(Bucket=self.bucket, Key=self._name(key))
        except Missing:
            return False
        return True

    @contextmanager
    def path(self, key: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(prefix="docvigil-") as copy:
            with self._answers(key), self.open(key) as stream:
                shutil.copyfileobj(stream, copy, CHUNK_BYTES)
            copy.flush()
            yield Path(copy.name)

    def delete(self, prefix: str) -> None:
        name = self._name(_derived(prefix))
        with self._answers(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=name + "/")
            names = [name, *(item["Key"] for page in pages for item in page.get("Contents", []))]
            for start in range(0, len(names), 1000):
                batch = [{"Key": one} for one in names[start : start + 1000]]
                self.client.delete_objects(Bucket=self.bucket, Delete=cast(Any, {"Objects": batch, "Quiet": True}))

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{_checked(key)}" if self.prefix else _checked(key)

    def _upload(self, key: str, body: IO[bytes] | bytes, sha256: bytes) -> None:
        if not isinstance(body, bytes):
            body.seek(0)
        with self._answers(key):
            self.client.put_object(
                Bucket=self.bucket,
                Key=self._name(key),
                Body=cast(Any, body),
                ChecksumSHA256=base64.b64encode(sha256).decode(),
            )

    @contextmanager
    def _answers(self, key: str) -> Iterator[None]:
        """Turn boto's errors into ours: absent is Missing, the rest is the store's trouble."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NotFound"}:
                raise Missing(key) from error
            raise StoreUnavailable(f"The object store answered: {error}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"The object store can't be reached: {error}") from error
