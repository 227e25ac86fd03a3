"""What messages of event queues say, in every wrapping they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.events import Malformed, Told, objects_told


def record(key: str = "inbox/a+b%2B%C3%A9.pdf", name: str = "ObjectCreated:Put", **more: Any) -> dict[str, Any]:
    of = {"key": key, "size": 5, "eTag": "e1", **more}
    return {"eventName": name, "eventSource": "aws:s3", "s3": {"bucket": {"name": "bucket"}, "object": of}}


TOLD = Told("bucket", "inbox/a b+é.pdf", "e1", None, 5)


def test_s3s_own_form_with_its_encoded_key() -> None:
    body = json.dumps({"Records": [record(), record("x.pdf", versionId="v1", sequencer="1")]})
    assert objects_told(body) == [TOLD, Told("bucket", "x.pdf", "e1", "v1", 5)]


def test_wrapped_by_sns() -> None:
    body = json.dumps({"Type": "Notification", "MessageId": "1", "Message": json.dumps({"Records": [record()]})})
    assert objects_told(body) == [TOLD]


def test_eventbridges_form_with_its_plain_key() -> None:
    detail = {"bucket": {"name": "bucket"}, "object": {"key": "a+b%.pdf", "size": 5, "etag": "e1", "version-id": "v1"}}
    body = json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})
    assert objects_told(body) == [Told("bucket", "a+b%.pdf", "e1", "v1", 5)]
    assert objects_told(json.dumps({"source": "aws.s3", "detail-type": "Object Deleted", "detail": detail})) == []


def test_of_other_servers_without_an_etag() -> None:
    one = record("a.pdf", name="s3:ObjectCreated:CompleteMultipartUpload")
    del one["s3"]["object"]["eTag"]
    assert objects_told(json.dumps({"EventName": "s3:ObjectCreated:Put", "Records": [one]})) == [
        Told("bucket", "a.pdf", None, None, 5)
    ]


def test_what_brings_no_object() -> None:
    assert objects_told(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "bucket"})) == []
    assert objects_told(json.dumps({"Records": [record(name="ObjectRemoved:Delete")]})) == []
    assert objects_told(json.dumps({"Records": []})) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[]",
        "3",
        "[" * 100_000,
        '{"a": 1}',
        '{"Records": 3}',
        '{"Records": [3]}',
        '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
        '{"Records": [{"eventName": 7}]}',
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": 1}, "object": {"key": "a"}}}]}',
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": 1}}}]}',
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": ""}}}]}',
        '{"Type": "Notification", "Message": "hello"}',
        '{"source": "aws.s3"}',
    ],
)
def test_nonsense_is_told_as_such(body: str) -> None:
    with pytest.raises(Malformed):
        objects_told(body)
