"""A prefix of an S3 bucket: which object versions it holds, and their bytes.

An object version is told by its version id where the server lists versions, else by its ETag. Both ways lead to one
identity, whether a listing or a notification brings it. It is read with the version id, or with If-Match, so that
never one version's bytes stand under another's name.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ingest.intake import Changed, Unreadable
from records.objects import CHUNK_BYTES, StoreUnavailable

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

#: What a server answers that doesn't list versions, or not to us.
_NO_VERSIONS = frozenset({"NotImplemented", "AccessDenied", "MethodNotAllowed", "InvalidRequest", "InvalidArgument"})
#: HTTP statuses: not found; a deletion's own marker.
_GONE = (404, 405)
_MD5 = re.compile(r"[0-9a-f]{32}")


class BucketAway(StoreUnavailable):
    """The bucket can't be reached or refuses to work."""


class Gone(Exception):
    """The object, or this version of it, has been deleted."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object. `version_id` is None where versions aren't told apart but by ETag."""

    key: str
    etag: str
    version_id: str | None = None
    size: int | None = None
    #: False for one that another has replaced, as listings of versions know.
    latest: bool = True


@dataclass(frozen=True)
class Opened:
    """An object whose bytes may be read, once."""

    size: int
    modified: datetime
    chunks: Iterator[bytes]


class Bucket:
    """The objects under one prefix. May be used by many threads."""

    def __init__(self, name: str, prefix: str, client: S3Client) -> None:
        """`prefix` is a folder: it ends in `/`, or is empty."""
        self.name = name
        self.prefix = prefix
        self._client = client
        self._asking = threading.Lock()

    @property
    def location(self) -> str:
        return self.shown(self.prefix)

    def shown(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def covers(self, bucket: str, key: str) -> bool:
        """Whether an object is one of those watched here; markers of folders aren't."""
        return bucket == self.name and key.startswith(self.prefix) and not key.endswith("/")

    def identity(self, version: Version) -> str:
        return f"{self.name}/{version.key}@{version.version_id or version.etag}"

    def version(self, key: str, etag: str | None, version_id: str | None) -> Version:
        """The version that a notification tells of. Raises Gone, Unreadable, BucketAway."""
        version_id = _real(version_id) if self._by_version else None
        if not etag or (self._by_version and version_id is None):
            # Not every server tells all of it.
            asked: Any = {"VersionId": version_id} if version_id else {}
            with self._answers():
                now = self._client.head_object(Bucket=self.name, Key=key, **asked)
            if etag and now["ETag"].strip('"') != etag.strip('"'):
                # Replaced already; as an old version it is listed.
                raise Gone("replaced")
            etag = now["ETag"]
            if self._by_version:
                version_id = _real(now.get("VersionId"))
        return Version(key, etag.strip('"'), version_id)

    def pages(self) -> Iterator[list[Version]]:
        """All versions there are, some hundred at a time. Raises BucketAway."""
        try:
            with self._answers():
                yield from self._versions() if self._by_version else self._objects()
        except (Unreadable, Gone) as refused:
            raise BucketAway(f"The bucket's listing was refused: {refused}.") from refused

    @contextmanager
    def open(self, version: Version) -> Iterator[Opened]:
        """Exactly this version's bytes. Raises Gone, Changed when it was replaced, Unreadable, BucketAway.

        Reading the chunks to their end raises Changed where they aren't that version's.
        """
        asked: Any = {"IfMatch": f'"{version.etag}"'}
        if version.version_id or not version.latest:
            asked["VersionId"] = version.version_id or "null"
        with self._answers():
            answer = self._client.get_object(Bucket=self.name, Key=version.key, **asked)
        with closing(answer["Body"]) as body:
            # Some servers don't heed If-Match.
            if version.version_id is None and answer.get("ETag", version.etag).strip('"') != version.etag:
                raise Changed
            yield Opened(answer["ContentLength"], answer["LastModified"], self._chunks(version, body))

    @cached_property
    def _by_version(self) -> bool:
        """Whether there are versions, which we may list. Decided once: it is what identities are made of."""
        with self._asking:
            try:
                with self._answers():
                    if not self._client.get_bucket_versioning(Bucket=self.name).get("Status"):
                        return False
                    self._client.list_object_versions(Bucket=self.name, Prefix=self.prefix, MaxKeys=1)
            except (Unreadable, Gone) as refused:
                if str(refused) in _NO_VERSIONS:
                    return False
                raise BucketAway(f"The bucket's listing was refused: {refused}.") from refused
            return True

    def _versions(self) -> Iterator[list[Version]]:
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=self.prefix):
            yield [
                Version(
                    each["Key"],
                    each["ETag"].strip('"'),
                    _real(each["VersionId"]),
                    each["Size"],
                    each["IsLatest"],
                )
                for each in page.get("Versions", [])
                if self.covers(self.name, each["Key"])
            ]

    def _objects(self) -> Iterator[list[Version]]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix):
            yield [
                Version(each["Key"], each["ETag"].strip('"'), size=each["Size"])
                for each in page.get("Contents", [])
                if self.covers(self.name, each["Key"])
            ]

    def _chunks(self, version: Version, body: StreamingBody) -> Iterator[bytes]:
        digest = hashlib.md5(usedforsecurity=False)
        try:
            for chunk in body.iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
                yield chunk
        except BotoCoreError as error:
            raise Unreadable(type(error).__name__) from error
        # An ETag is often, not always, the MD5. Where they differ, ask whether the object was replaced while it was
        # read: not every server goes on sending the old bytes.
        if version.version_id is None and _MD5.fullmatch(version.etag) and digest.hexdigest() != version.etag:
            with self._answers():
                now = self._client.head_object(Bucket=self.name, Key=version.key)
            if version.latest and now["ETag"].strip('"') != version.etag:
                raise Changed

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Turns boto's errors into ours."""
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status == 412:
                raise Changed from error
            if code != "NoSuchBucket" and status in _GONE:
                raise Gone(code) from error
            if code == "NotImplemented" or (code != "NoSuchBucket" and 400 <= status < 500):
                raise Unreadable(code) from error
            raise BucketAway(f"The bucket answered {code or status}.") from error
        except BotoCoreError as error:
            raise BucketAway(f"The bucket can't be reached: {type(error).__name__}.") from error


def _real(version_id: str | None) -> str | None:
    """An object put while versions weren't kept has the version `null`, which the next such object replaces."""
    return None if version_id in (None, "", "null") else version_id
