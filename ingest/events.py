"""What messages on an event queue say: S3's own notifications, also wrapped by SNS, and EventBridge's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class Malformed(ValueError):
    """A message that tells of no event we know."""


@dataclass(frozen=True, slots=True)
class Told:
    """An object version that somebody has put. Without an ETag, the object has to be asked."""

    bucket: str
    key: str
    etag: str | None
    version_id: str | None
    size: int | None


def objects_told(body: str) -> list[Told]:
    """The new objects that a message's body tells of; none for tests and for deletions. Raises Malformed."""
    message = _object(body)
    if message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        message = _object(message["Message"])
    try:
        if message.get("Event") == "s3:TestEvent":
            return []
        if message.get("source") == "aws.s3":
            return [_bridged(message["detail"])] if message["detail-type"] == "Object Created" else []
        return [_recorded(record["s3"]) for record in message["Records"] if _created(record["eventName"])]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"a {type(error).__name__} in reading it") from error


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is no JSON") from error
    if not isinstance(found, dict):
        raise Malformed("it is no JSON object")
    return found


def _created(name: str) -> bool:
    return name.removeprefix("s3:").startswith("ObjectCreated:")


def _recorded(told: dict[str, Any]) -> Told:
    of = told["object"]
    return _checked(
        told["bucket"]["name"], unquote_plus(of["key"]), of.get("eTag"), of.get("versionId"), of.get("size")
    )


def _bridged(told: dict[str, Any]) -> Told:
    # EventBridge gives the key as it is.
    of = told["object"]
    return _checked(told["bucket"]["name"], of["key"], of.get("etag"), of.get("version-id"), of.get("size"))


def _checked(bucket: Any, key: Any, etag: Any, version_id: Any, size: Any) -> Told:
    if not (isinstance(bucket, str) and isinstance(key, str) and bucket and key):
        raise Malformed("it names no object")
    if not all(one is None or isinstance(one, str) for one in (etag, version_id)):
        raise Malformed("its ETag or version is no text")
    return Told(bucket, key, etag or None, version_id or None, size if isinstance(size, int) else None)
