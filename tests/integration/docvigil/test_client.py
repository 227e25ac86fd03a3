"""The client against the application: what a program does all day."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from docvigil.client import ApiProblem, Client
from records import users
from records.objects import FolderStore
from tests.integration.docvigil.cli.conftest import judge_with_pages
from tests.integration.records import steps
from web.app import create
from web.config import WebConfig
from web.passwords import hashed


def client(transport: TestClient, secret: str) -> Client:
    return Client("http://testserver", credentials=("desk", secret), client=transport)


def test_a_day_of_a_program(database_url: str, redis_url: str, sessions: sessionmaker[Session], tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    document_id = judge_with_pages(sessions, store, "form", [steps.finding(), steps.finding("date.missing")])
    with sessions.begin() as session:
        users.add(session, "desk", ["supervisor"], kind="machine", actor="test")
        users.set_secret(session, "desk", hashed("a long secret"), actor="test")
    app = create(WebConfig(database_url, redis_url, str(tmp_path / "objects"), "http://testserver"))
    with (
        TestClient(app) as transport,
        Client("http://testserver", credentials=("desk", "a long secret"), client=transport) as api,
    ):
        assert [one["document_id"] for one in api.queue(check="date.missing")] == [document_id]
        document = api.document(document_id)
        assert api.page(document_id, 1).startswith(b"\xff\xd8")
        first, second = (one["id"] for one in document["findings"])
        assert api.review(first, "confirmed", etag=document["etag"])["reviewer"] == "desk"
        with pytest.raises(ApiProblem, match="has changed") as stale:
            api.review(second, "dismissed", etag=document["etag"])
        assert (stale.value.status, bool(stale.value.request_id)) == (412, True)
        scan = tmp_path / "scan.pdf"
        scan.write_bytes(b"%PDF-1.4 a document")
        assert api.upload(scan)["status"] == "document"
        assert {one["status"] for one in api.documents()} == {"flagged", "in_flight"}
        assert len(list(api.findings())) == 2
        assert api.models() == []


def test_a_wrong_secret_is_told(database_url: str, redis_url: str, tmp_path: Path) -> None:
    app = create(WebConfig(database_url, redis_url, str(tmp_path / "objects"), "http://testserver"))
    with TestClient(app) as transport, pytest.raises(ApiProblem, match="don't belong together"):
        client(transport, "wrong").models()
