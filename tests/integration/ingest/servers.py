"""Two S3 servers that have nothing to do with each other: moto (with SQS), and rclone on a folder."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from ingest.sqs import sqs_client
from records.objects import s3_client
from tests.integration.ingest.watching import until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

BUCKET = "documents"
ACCESS = {
    "AWS_ACCESS_KEY_ID": "docvigil-test",
    "AWS_SECRET_ACCESS_KEY": "docvigil-test-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Moto:
    """A server with one bucket, whose new objects a queue tells of."""

    url: str
    queue: str
    s3: S3Client
    sqs: SQSClient

    def put(self, key: str, body: bytes) -> tuple[str, str]:
        """Puts an object without going through HTTP; its key and ETag (or version id)."""
        backend: Any = s3_backends["123456789012"]["aws"]
        made = backend.put_object(BUCKET, key, body)
        return key, made.version_id if made.version_id not in (None, "null") else made.etag.strip('"')

    def send(self, message: object) -> None:
        self.sqs.send_message(
            QueueUrl=self.queue, MessageBody=message if isinstance(message, str) else json.dumps(message)
        )

    def event(self, key: str, etag: str | None, version_id: str | None = None) -> dict[str, Any]:
        """What S3 says about a new object."""
        of = {"key": key, "eTag": etag, "versionId": version_id}
        named = {"bucket": {"name": BUCKET}, "object": {name: value for name, value in of.items() if value}}
        return {"Records": [{"eventName": "ObjectCreated:Put", "s3": named}]}

    def messages(self) -> int:
        """How many are in the queue, being read or not."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=list(names))["Attributes"]
        return sum(int(found[name]) for name in names)


@contextmanager
def moto(*, versioned: bool = False, notified: bool = True) -> Iterator[Moto]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with closing(s3_client(endpoint_url=url)) as s3, closing(sqs_client(f"{url}/queue")) as sqs:
            s3.create_bucket(Bucket=BUCKET)
            if versioned:
                s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
            queue = sqs.create_queue(QueueName="new-objects")["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            if notified:
                s3.put_bucket_notification_configuration(
                    Bucket=BUCKET,
                    NotificationConfiguration={
                        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
                    },
                )
            yield Moto(url, f"{url}/123456789012/new-objects", s3, sqs)
    finally:
        urllib3.request("POST", f"{url}/moto-api/reset")
        server.stop()


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """Serves a folder, whose folders are buckets; yields the server's URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    key = f"{ACCESS['AWS_ACCESS_KEY_ID']},{ACCESS['AWS_SECRET_ACCESS_KEY']}"
    program = Path(sys.executable).with_name("rclone")
    process = subprocess.Popen(
        [program, "serve", "s3", folder, "--addr", address, "--auth-key", key, "--vfs-cache-mode", "off"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(address))
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0
