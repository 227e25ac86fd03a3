"""What can be watched, and the sentences about what can't."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.config import WatchConfig
from ingest.sqs import sqs_client
from ingest.watch import BadSource, Folder, Prefix, plan


def config(store: str = "s3://store/docvigil", **more: object) -> WatchConfig:
    return WatchConfig(database_url="postgresql://", object_store=store, **more)  # type: ignore[arg-type]


def test_folders_and_prefixes_each_once_with_their_priority(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (tmp_path / "same").symlink_to(drop)
    words = [str(drop), str(tmp_path / "same"), "s3://bucket", "s3://other/in box/a?b#c//", "s3://other/in box/a?b#c"]
    planned = plan(words, config(priorities={str(drop): 5, "s3://bucket": 2}))
    assert planned == [Folder(drop, 5), Prefix("bucket", "", 2), Prefix("other", "in box/a?b#c/")]


@pytest.mark.parametrize(
    ("sources", "store", "words"),
    [
        ([], "s3://store", "Nothing to watch"),
        (["{tmp}/none"], "s3://store", "There is no folder"),
        (["{tmp}/file"], "s3://store", "There is no folder"),
        (["s3://"], "s3://store", "names no bucket"),
        (["https://bucket/x"], "s3://store", "neither a folder nor"),
        (["{tmp}", "{tmp}/drop"], "s3://store", "lies in"),
        (["s3://bucket/a", "s3://bucket/a/b"], "s3://store", "lies in"),
        (["{tmp}/drop"], "{tmp}/drop/objects", "object store lies in"),
        (["{tmp}/drop"], "file://{tmp}/drop/objects", "object store lies in"),
        (["{tmp}/drop"], "{tmp}", "lies in the object store"),
        (["s3://bucket"], "s3://bucket/objects", "overlap"),
        (["s3://bucket/objects/in"], "s3://bucket/objects", "overlap"),
    ],
)
def test_what_cannot_be_watched(tmp_path: Path, sources: list[str], store: str, words: str) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "file").touch()
    given = [one.format(tmp=tmp_path) for one in sources]
    with pytest.raises(BadSource, match=words):
        plan(given, config(store.format(tmp=tmp_path)))


def test_what_only_looks_alike_can(tmp_path: Path) -> None:
    for name in ("drop", "drop2"):
        (tmp_path / name).mkdir()
    names = [str(tmp_path / "drop"), str(tmp_path / "drop2"), "s3://bucket/in", "s3://bucket/in2", "s3://other/in"]
    assert len(plan(names, config(str(tmp_path / "drop" / ".docvigil" / "objects")))) == 5


@pytest.mark.parametrize(
    ("url", "region", "endpoint"),
    [
        ("https://sqs.ap-south-1.amazonaws.com/123/q", "ap-south-1", "https://sqs.ap-south-1.amazonaws.com"),
        ("https://sqs.us-gov-west-1.amazonaws.com/123/q", "us-gov-west-1", "https://sqs.us-gov-west-1.amazonaws.com"),
        ("http://localhost:9324/000000000000/q", "eu-west-1", "http://localhost:9324"),
    ],
)
def test_a_queues_url_says_where_it_is(monkeypatch: pytest.MonkeyPatch, url: str, region: str, endpoint: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = sqs_client(url)
    assert (client.meta.region_name, client.meta.endpoint_url) == (region, endpoint)
    client.close()
