"""What goes out: webhooks, signed, tried again and replayed; the digest, once a day, through a real mail server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from records import audit, deliveries, reviews
from tests.integration.records.casework import RULES, asked, decide, put
from workers import webhooks
from workers.config import OutgoingConfig
from workers.outgoing import digest_once, tell_once

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class Hook(ThreadingHTTPServer):
    """Remembers what it was told and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.told: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?from=docvigil"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("location", "http://169.254.169.254/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def config(hook: Hook, database_url: str) -> OutgoingConfig:
    return OutgoingConfig(
        database_url, webhook_urls=(hook.url,), webhook_secret=SECRET, webhook_private=True, undo_seconds=0.0
    )


def chain(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        audit.chain_once(session)


def due_now(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(text("UPDATE deliveries SET not_before = now() - interval '1 second'"))


def statuses(sessions: sessionmaker[Session]) -> dict[str, int]:
    with sessions.begin() as session:
        return deliveries.statuses(session)


def test_a_verdict_and_a_decision_are_told_once_and_signed(
    sessions: sessionmaker[Session], hook: Hook, config: OutgoingConfig
) -> None:
    put(sessions, "before anybody listened")
    chain(sessions)
    tell_once(config, sessions)
    one = put(sessions, "form")
    decide(sessions, asked(sessions, one)[0])
    chain(sessions)
    tell_once(config, sessions)
    tell_once(config, sessions)
    assert statuses(sessions) == {"delivered": 2}
    told = [json.loads(body) for _, body in hook.told]
    assert [each["type"] for each in told] == ["verdict", "decision"]
    assert told[0]["data"]["document_id"] == one
    assert told[0]["data"]["findings"][0]["check"] == "signature.missing"
    assert told[1]["data"]["findings"][0]["decision"] == "confirmed"
    headers, body = hook.told[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_what_is_not_taken_is_tried_again_then_given_up_then_replayed(
    sessions: sessionmaker[Session], hook: Hook, config: OutgoingConfig
) -> None:
    config = replace(config, webhook_attempts=2)
    tell_once(config, sessions)
    put(sessions, "form")
    chain(sessions)
    # A redirect is no answer, and is not followed.
    hook.status = 302
    assert tell_once(config, sessions) == 1
    assert tell_once(config, sessions) == 0, "it waits before the next attempt"
    due_now(sessions)
    hook.status = 500
    assert tell_once(config, sessions) == 1
    assert statuses(sessions) == {"dead": 1} and len(hook.told) == 2
    with sessions.begin() as session:
        (dead,) = deliveries.listed(session, "dead")
        assert (dead.attempts, dead.error) == (2, "answered with status 500")
        assert deliveries.replay(session, actor="carol") == 1
    hook.status = 200
    tell_once(config, sessions)
    assert statuses(sessions) == {"delivered": 1}
    assert len({headers["webhook-id"] for headers, _ in hook.told}) == 1, "a receiver can tell a repetition"


def test_a_decision_that_is_taken_back_is_not_told(
    sessions: sessionmaker[Session], hook: Hook, config: OutgoingConfig
) -> None:
    tell_once(config, sessions)
    one = put(sessions, "form")
    (number,) = asked(sessions, one)
    decide(sessions, number)
    chain(sessions)
    tell_once(replace(config, undo_seconds=60.0), sessions)
    with sessions.begin() as session:
        reviews.undo(session, number, reviewer="alice", rules=RULES)
    due_now(sessions)
    tell_once(config, sessions)
    assert statuses(sessions) == {"delivered": 1, "void": 1}
    assert [json.loads(body)["type"] for _, body in hook.told] == ["verdict"]


def test_private_addresses_are_left_alone_unless_allowed(hook: Hook) -> None:
    with pytest.raises(webhooks.NotTaken, match="private network"):
        webhooks.send(hook.url, KEY, "one", "{}", private=False)
    assert hook.told == []


@pytest.mark.parametrize("wrong", ["ftp://example.org/", "https://", "https://user:word@example.org/", "http://h:x/"])
def test_addresses_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(webhooks.BadWebhook):
        webhooks.check_url(wrong)


@pytest.mark.parametrize("wrong", ["", "whsec_", "whsec_abc", base64.b64encode(KEY).decode(), "whsec_" + "A" * 400])
def test_secrets_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(webhooks.BadWebhook):
        webhooks.key_of(wrong)


class Box(Message):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[str] = []

    def handle_message(self, message: object) -> None:
        self.mails.append(str(message))


@contextmanager
def mail_server() -> Iterator[tuple[Box, int]]:
    box = Box()
    # Port 0 takes a free one, which the controller's own way of waiting can't do.
    controller = Controller(box, hostname="127.0.0.1", port=_free_port())
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_digest_goes_out_once_a_day_and_names_nobody(sessions: sessionmaker[Session], database_url: str) -> None:
    one, two = put(sessions, "one"), put(sessions, "two")
    decide(sessions, asked(sessions, one)[0], reviewer="alice")
    with sessions.begin() as session:
        session.execute(text("UPDATE cases SET decided_at = '2026-11-24 06:00Z' WHERE document_id = :id"), {"id": one})
        session.execute(
            text("UPDATE cases SET due_at = now() - interval '1 hour' WHERE document_id = :id"), {"id": two}
        )
    early, later = datetime(2026, 11, 25, 2, tzinfo=UTC), datetime(2026, 11, 25, 4, tzinfo=UTC)
    with mail_server() as (box, port):
        config = OutgoingConfig(
            database_url,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="none",
            digest_to=("desk@example.org",),
            link="https://docvigil.example.org",
        )
        assert not digest_once(config, sessions, early), "half past seven in India"
        assert digest_once(config, sessions, later)
        assert not digest_once(config, sessions, later)
        (mail,) = box.mails
    assert "Subject: docvigil on 2026-11-25: 1 waiting, 1 overdue" in mail
    assert "Decided yesterday: 1, of them late: 0" in mail
    assert "https://docvigil.example.org/queue" in mail
    assert "alice" not in mail and one[:8] not in mail
    closed = replace(config, smtp_port=_free_port())
    with pytest.raises(OSError):
        digest_once(closed, sessions, datetime(2026, 11, 26, 4, tzinfo=UTC))
    with mail_server() as (box, port):
        assert digest_once(replace(config, smtp_port=port), sessions, datetime(2026, 11, 26, 5, tzinfo=UTC))
