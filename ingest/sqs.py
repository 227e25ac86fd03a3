"""Notifications of new objects from SQS queues. A message is deleted only when all it tells of is on record.

So a message comes again after an outage or a crash, and what is told twice is one arrival. What the queue loses or
never told, listings find.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from ingest.bucket import Gone, Version
from ingest.config import WatchConfig
from ingest.events import Malformed, Told, objects_told
from ingest.intake import Unreadable
from ingest.s3 import Became, S3Watcher
from records.objects import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)

#: Messages asked for at a time (the most that SQS gives), and seconds to wait for the first.
BATCH, WAIT_SECONDS = 10, 5
_REGION = re.compile(r"sqs[.-]([a-z]{2}(?:-[a-z]+)+-\d)\.")


class QueueAway(StoreUnavailable):
    """The queue can't be reached or refuses to work."""


def sqs_client(url: str) -> SQSClient:
    """A client for the queue at this URL, on whatever server it is."""
    import boto3
    from botocore.config import Config

    parts = urlsplit(url)
    region = _REGION.search(parts.netloc)
    config = Config(connect_timeout=10, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})
    session = boto3.session.Session()
    return session.client(
        "sqs",
        endpoint_url=f"{parts.scheme}://{parts.netloc}",
        region_name=region[1] if region else session.region_name or "us-east-1",
        config=config,
    )


class QueueReader:
    """Reads one queue for all buckets that are watched."""

    def __init__(self, url: str, client: SQSClient, watchers: Sequence[S3Watcher], config: WatchConfig) -> None:
        self._url = url
        self._client = client
        self._watchers = watchers
        self._parallel = config.parallel

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set, or something that is needed goes away (raised, as `records.outages.outage` knows)."""
        try:
            keeps_bad = self._has_dead_letters()
            log.info("queue.watched", dead_letters=keeps_bad)
            with ThreadPoolExecutor(self._parallel, thread_name_prefix="sqs") as pool:
                while not stop.is_set():
                    messages = self._client.receive_message(
                        QueueUrl=self._url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=WAIT_SECONDS
                    ).get("Messages", [])
                    self._forget(self._handle(pool, messages, stop, keeps_bad=keeps_bad))
        except (BotoCoreError, ClientError) as error:
            raise QueueAway(f"The queue can't be used: {type(error).__name__}") from error

    def _has_dead_letters(self) -> bool:
        """Whether messages that nobody deletes end in a queue of their own, where somebody can look at them."""
        try:
            found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
        except ClientError:
            # It isn't allowed to ask.
            return False
        return bool(found.get("Attributes", {}).get("RedrivePolicy"))

    def _handle(
        self, pool: ThreadPoolExecutor, messages: list[MessageTypeDef], stop: threading.Event, *, keeps_bad: bool
    ) -> list[MessageTypeDef]:
        """Takes in what the messages tell of; those that are done with."""
        left: set[str] = set()
        wanted: dict[S3Watcher, dict[Version, list[str]]] = defaultdict(lambda: defaultdict(list))
        for message in messages:
            number = message["MessageId"]
            try:
                for watcher, version in self._versions(objects_told(message.get("Body", ""))):
                    wanted[watcher][version].append(number)
            except Malformed as why:
                log.warning("queue.malformed", message=number, reason=str(why), kept=keeps_bad)
                if keeps_bad:
                    left.add(number)
            except Unreadable as why:
                log.warning("queue.unreadable", message=number, error=str(why))
                left.add(number)
        for watcher, versions in wanted.items():
            became = watcher.take_all(pool, versions, stop)
            for version, numbers in versions.items():
                if became[watcher.bucket.identity(version)] is Became.LEFT:
                    left.update(numbers)
        return [message for message in messages if message["MessageId"] not in left]

    def _versions(self, told: list[Told]) -> list[tuple[S3Watcher, Version]]:
        """The watched versions among those told of, each with its watcher."""
        found: list[tuple[S3Watcher, Version]] = []
        for one in told:
            for watcher in self._watchers:
                try:
                    version = watcher.told(one)
                except Gone:
                    continue
                if version is not None:
                    found.append((watcher, version))
        return found

    def _forget(self, messages: list[MessageTypeDef]) -> None:
        if messages:
            self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]} for place, one in enumerate(messages)
                ],
            )
