"""Buckets by listing and by SQS: every object version exactly one arrival, every content one document."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.response import StreamingBody

from tests.integration.ingest.servers import ACCESS, BUCKET, Moto, moto, rclone
from tests.integration.ingest.watching import Watch, bodies, until

#: Under two prefixes; and how many are overwritten while they are scanned. Of 2,500 too each arrived once, but the test
#: server's queue, which looks through all messages for each one, took longer to empty than anybody waits.
OBJECTS, OVERWRITTEN = 500, 40
INBOX = f"s3://{BUCKET}/inbox"
ODD_KEYS = ("inbox/a b+c%20.pdf", "inbox/sub/आवेदन.pdf", "inbox/sub/.a.pdf", "inbox/x?y#z&.pdf", "inbox//double.pdf")


@pytest.fixture(autouse=True)
def access(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def server() -> Iterator[Moto]:
    with moto() as started:
        yield started


def by_listing(watched: Watch, server: Moto, seconds: float = 1.0) -> None:
    watched.config = replace(watched.config, s3_endpoint_url=server.url, rescan_seconds=seconds)


def by_queue(watched: Watch, server: Moto) -> None:
    """Notifications alone: after the listing at the start there is none."""
    watched.config = replace(
        watched.config, s3_endpoint_url=server.url, rescan_seconds=3600.0, sqs_queue_urls=(server.queue,)
    )


def identities(watched: Watch) -> Counter[str]:
    return Counter(row.identity.removeprefix(f"{BUCKET}/") for row in watched.arrivals())


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_hundreds_of_objects_by_listing_and_by_queue_with_kills_and_overwriting(watched: Watch, server: Moto) -> None:
    by_listing(watched, server, 2.0)
    watched.config = replace(watched.config, sqs_queue_urls=(server.queue,))
    sources = (f"s3://{BUCKET}/branch/north", f"s3://{BUCKET}/branch/south")
    # Half of the objects under each prefix; every fifth holds what another one holds.
    contents = bodies(OBJECTS * 4 // 5)
    put = [
        server.put(f"branch/{('north', 'south')[number % 2]}/{number}.pdf", contents[number % len(contents)])
        for number in range(OBJECTS)
    ]
    server.put("branch/northwest/not-ours.pdf", b"%PDF elsewhere")
    for _ in range(2):
        for key, etag in put[:20]:
            server.send(server.event(key, etag))
    with watched.process(*sources) as process:
        until(lambda: watched.count() >= OBJECTS // 4, 300)
        process.kill()
    taken = {row.identity for row in watched.arrivals()}
    with watched.process(*sources) as process:
        until(lambda: watched.count() >= OBJECTS // 2, 300)
        # They are being scanned now, and are overwritten: both contents count.
        again = [key for key, etag in put if f"{BUCKET}/{key}@{etag}" in taken][:OVERWRITTEN]
        replaced = bodies(OVERWRITTEN, 9000)
        put += [server.put(key, body) for key, body in zip(again, replaced, strict=True)]
        process.kill()
    with watched.process(*sources):
        until(lambda: watched.count() >= len(put), 300, lambda: f"{watched.count()} of {len(put)}")
        until(lambda: server.messages() == 0, 300, lambda: f"{server.messages()} messages left")
        watched.listed(OBJECTS)
    assert identities(watched) == Counter(f"{key}@{etag}" for key, etag in put)
    rows = watched.arrivals()
    duplicates = OBJECTS - len(contents)
    assert Counter(row.status for row in rows) == {"document": len(put) - duplicates, "duplicate": duplicates}
    assert {row.source for row in rows} == {f"{one}/" for one in sources}
    assert watched.contents() == sorted([*contents, *replaced])


def test_by_queue_alone_in_every_wrapping_and_repeated(watched: Watch, server: Moto) -> None:
    by_queue(watched, server)
    put = []
    with watched.running(INBOX):
        until(lambda: bool(watched.balanced()) and watched.balanced()[0].listed_at is not None)
        for key, body in zip(ODD_KEYS, bodies(5), strict=True):
            put.append(server.put(key, body))
        watched.arrived(5)
        (key, etag) = put[0]
        event = server.event(key.replace("%", "%25").replace("+", "%2B").replace(" ", "+"), etag)
        server.send(event)
        server.send({"Type": "Notification", "Message": json.dumps(event)})
        server.send(server.event("inbox/x%3Fy%23z%26.pdf", None))
        server.send(server.event("inbox/never-there.pdf", "0" * 32))
        server.send(server.event("elsewhere/a.pdf", "0" * 32))
        server.send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})
        server.send("no JSON")
        server.send({"Records": [{"eventName": "ObjectCreated:Put"}]})
        put.append(server.put("inbox/last.pdf", b"%PDF last"))
        watched.arrived(6)
        until(lambda: server.messages() == 0, 60, lambda: f"{server.messages()} messages left")
    assert identities(watched).total() == 6
    assert {row.path for row in watched.arrivals()} > {f"s3://{BUCKET}/{key}" for key in ODD_KEYS}
    assert watched.contents() == sorted([*bodies(5), b"%PDF last"])


def test_malformed_messages_are_left_where_dead_letters_are_kept(watched: Watch, server: Moto) -> None:
    dead = server.sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = server.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    server.sqs.set_queue_attributes(
        QueueUrl=server.queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "1"}
    )
    server.send("no JSON")
    by_queue(watched, server)

    def dead_letters() -> list[str]:
        found = server.sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0).get("Messages", [])
        return [one["Body"] for one in found]

    with watched.running(INBOX):
        until(lambda: dead_letters() == ["no JSON"], 40)
        server.put("inbox/a.pdf", b"%PDF a")
        watched.arrived(1)


def test_each_version_of_a_versioned_bucket_is_an_arrival(watched: Watch) -> None:
    with moto(versioned=True) as server:
        by_listing(watched, server)
        watched.config = replace(watched.config, sqs_queue_urls=(server.queue,))
        put = [server.put("inbox/a.pdf", body) for body in (b"%PDF one", b"%PDF two", b"%PDF one")]
        with watched.running(INBOX):
            rows = watched.arrived(3)
            put.append(server.put("inbox/a.pdf", b"%PDF four"))
            rows = watched.arrived(4)
            server.s3.delete_object(Bucket=BUCKET, Key="inbox/a.pdf")
            until(lambda: server.messages() == 0, 60)
            watched.listed(4)
            time.sleep(1.5)
        assert identities(watched) == Counter(f"{key}@{version}" for key, version in put)
        assert sorted(row.status for row in rows) == ["document", "document", "document", "duplicate"]


def test_an_object_overwritten_while_it_is_read_leaves_both_contents(
    watched: Watch, server: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_listing(watched, server)
    first = server.put("inbox/a.pdf", b"%PDF old")
    second: list[tuple[str, str]] = []
    chunks = StreamingBody.iter_chunks

    def meanwhile(body: StreamingBody, size: int) -> Iterator[bytes]:
        if not second:
            second.append(server.put("inbox/a.pdf", b"%PDF new"))
        return chunks(body, size)

    monkeypatch.setattr(StreamingBody, "iter_chunks", meanwhile)
    with watched.running(INBOX):
        watched.arrived(2)
        watched.listed(1)
    assert identities(watched) == Counter(f"{key}@{etag}" for key, etag in [first, *second])
    assert watched.contents() == [b"%PDF new", b"%PDF old"]


def test_what_is_no_document_is_refused_or_passed_over(watched: Watch, server: Moto) -> None:
    by_listing(watched, server)
    for key, body in {"inbox/": b"", "inbox/empty.pdf": b"", "inbox/huge.pdf": b"x" * 1_000_001}.items():
        server.put(key, body)
    with watched.running(INBOX):
        rows = watched.arrived(2)
        watched.listed(2)
    assert all(row.status == "refused" and row.reason and row.reason.endswith(".") for row in rows)


def test_the_server_goes_away_and_comes_back(watched: Watch, server: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    by_listing(watched, server)
    missing = f"s3://{BUCKET}-later/inbox"
    with watched.running(missing):
        time.sleep(1.0)
        server.s3.create_bucket(Bucket=f"{BUCKET}-later")
        server.s3.put_object(Bucket=f"{BUCKET}-later", Key="inbox/a.pdf", Body=b"%PDF a")
        watched.arrived(1)


def test_another_server_that_neither_lists_versions_nor_heeds_if_match(watched: Watch, tmp_path: Path) -> None:
    inbox = tmp_path / "served" / BUCKET / "inbox"
    (inbox / "sub").mkdir(parents=True)
    for number, body in enumerate(bodies(30)):
        (inbox / "sub" / f"{number} é.pdf").write_bytes(body)
    with rclone(tmp_path / "served") as url:
        watched.config = replace(watched.config, s3_endpoint_url=url)
        with watched.running(INBOX):
            watched.arrived(30)
            (inbox / "sub" / "0 é.pdf").write_bytes(b"%PDF replaced")
            watched.arrived(31)
            watched.listed(30)
    assert watched.contents() == sorted([*bodies(30), b"%PDF replaced"])
