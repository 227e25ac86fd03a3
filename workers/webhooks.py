"""Telling webhooks, signed: the headers are those of the Standard Webhooks specification (standardwebhooks.com).

`webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`. No redirect is followed. A
host is resolved once and connected to by the address that was checked, so that a name can't point elsewhere meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import socket
import time
from urllib.parse import urlsplit

import urllib3

#: Prefix of a secret as the specification writes it.
PREFIX = "whsec_"

#: Seconds to connect, and to be answered.
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0


class BadWebhook(ValueError):
    """A webhook's address or secret can't be used; the message says why."""


class NotTaken(Exception):
    """The webhook didn't take the message; the message says how it answered, never what."""


def key_of(secret: str) -> bytes:
    """The key in a secret. Raises BadWebhook."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise BadWebhook(
            "DOCVIGIL_WEBHOOK_SECRET must be whsec_ and 24 to 64 bytes in base64, for example of"
            ' `echo "whsec_$(openssl rand -base64 32)"`'
        )
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: str) -> str:
    """What `webhook-signature` says."""
    mac = hmac.new(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def check_url(url: str) -> None:
    """Raises BadWebhook for an address that is none, or that holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise BadWebhook(f"a webhook's address can't be read: {wrong}") from wrong
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadWebhook(f"{parts.scheme or 'that'}:// is no webhook's address; https://HOST/PATH is needed")
    if parts.username or parts.password:
        raise BadWebhook("a webhook's address must hold no password; messages are signed instead")


def send(url: str, key: bytes, message_id: str, body: str, *, private: bool, now: float | None = None) -> None:
    """Send one message. Raises NotTaken unless the webhook answers with a status from 200 to 299."""
    check_url(url)
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, private)
    timestamp = int(time.time() if now is None else now)
    headers = {
        "host": parts.netloc,
        "content-type": "application/json",
        "user-agent": "docvigil",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key, message_id, timestamp, body),
    }
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout, retries=False)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with pool:
        try:
            answer = pool.urlopen(
                "POST", target, body=body.encode(), headers=headers, redirect=False, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError) as wrong:
            raise NotTaken(f"not reached ({type(wrong).__name__})") from wrong
        # Whatever else it says isn't read.
        answer.close()
    if not 200 <= answer.status < 300:
        raise NotTaken(f"answered with status {answer.status}")


def _resolve(host: str, port: int, private: bool) -> str:
    """An address of the host; of those that are not ours to call, none is taken."""
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as wrong:
        raise NotTaken("its host has no address") from wrong
    allowed = [one for one in found if private or ipaddress.ip_address(one.partition("%")[0]).is_global]
    if not allowed:
        raise NotTaken("its host is in a private network; DOCVIGIL_WEBHOOK_PRIVATE allows that")
    return allowed[0]
