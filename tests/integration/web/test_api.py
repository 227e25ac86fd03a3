"""The API on real records: what it shows, decides once and only on what was seen, takes in, and writes down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from pipeline.findings import Verdict
from records.objects import FolderStore
from tests.integration.docvigil.cli.conftest import judge_with_pages
from tests.integration.records import steps
from tests.integration.web.conftest import Visit
from web.access import Role
from web.context import Context

Events = Callable[[], list[str]]


@pytest.fixture
def supervisor(visit: Visit) -> TestClient:
    return visit(Role.SUPERVISOR)


def decide(client: TestClient, finding: int, **more: Any) -> Any:
    headers = more.pop("headers", {})
    return client.post(
        "/api/v1/reviews", json={"finding_id": finding, "decision": "confirmed", **more}, headers=headers
    )


def test_a_document_with_everything_about_it(
    sessions: sessionmaker[Session], store: FolderStore, supervisor: TestClient, events: Events
) -> None:
    document_id = judge_with_pages(sessions, store, "form", [steps.finding(), steps.finding("date.missing", page=2)])
    answer = supervisor.get(f"/api/v1/documents/{document_id}")
    told = answer.json()
    assert told["status"] == "flagged"
    assert [page["number"] for page in told["pages"]] == [1, 2]
    first = told["findings"][0]
    assert (first["check"], first["box"], first["review"]) == ("signature.missing", [0.1, 0.2, 0.3, 0.4], None)
    assert supervisor.get("/api/v1/queue", params={"check": "date.missing"}).json()["items"][0]["undecided"] == 2
    listed = supervisor.get("/api/v1/findings", params={"check": "date.missing"}).json()["items"]
    assert [one["document_id"] for one in listed] == [document_id]

    before = events()
    page = supervisor.get(f"/api/v1/documents/{document_id}/pages/2")
    assert page.headers["content-type"] == "image/jpeg"
    assert page.headers["cache-control"].startswith("private")
    assert events()[len(before) :] == ["pages.opened"]
    assert supervisor.get(f"/api/v1/documents/{document_id}/pages/3").status_code == 404
    assert supervisor.get(f"/api/v1/findings/{first['id']}/evidence").status_code == 404


def test_a_decision_is_taken_once_and_on_what_was_seen(
    sessions: sessionmaker[Session], supervisor: TestClient, visit: Visit, events: Events
) -> None:
    steps.judge(sessions, steps.document(sessions), findings=[steps.finding(), steps.finding("date.missing")])
    path = f"/api/v1/documents/{steps.sha('form')}"
    seen = supervisor.get(path)
    one, two = (finding["id"] for finding in seen.json()["findings"])
    etag = seen.headers["etag"]

    key = {"Idempotency-Key": "k-1", "If-Match": etag}
    first = decide(supervisor, one, headers=key)
    assert first.status_code == 201
    assert decide(supervisor, one, headers=key).json() == first.json(), "sent again, it is answered again"
    assert events().count("review") == 1
    assert decide(supervisor, two, headers=key).status_code == 409, "a key is for one request"
    other = visit(Role.SUPERVISOR, subject="binod")
    assert decide(other, two, headers={"Idempotency-Key": "k-1", "If-Match": etag}).status_code == 412
    assert supervisor.get(path).headers["etag"] == first.headers["etag"] != etag
    assert supervisor.delete(f"{path}/claim").status_code == 204
    done = decide(other, two, headers={"Idempotency-Key": "k-1", "If-Match": first.headers["etag"]})
    assert done.json()["reviewer"] == "binod"
    assert supervisor.get(path).json()["reviewed_at"] is not None


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"decision": "corrected"}, 409),
        ({"value": "x"}, 409),
        ({"decision": "approved"}, 422),
        ({"note": "a\x00b"}, 422),
        ({"extra": 1}, 422),
        ({"finding_id": 2**63}, 422),
        ({"finding_id": 10**6}, 404),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_told_in_a_sentence(
    sessions: sessionmaker[Session], supervisor: TestClient, more: dict[str, Any], status: int
) -> None:
    steps.judge(sessions, steps.document(sessions))
    finding = supervisor.get("/api/v1/findings").json()["items"][0]["finding"]["id"]
    answer = decide(supervisor, **{"finding": finding, **more})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["detail"].endswith(".") and told["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text


def test_lists_go_on_where_they_stopped(sessions: sessionmaker[Session], supervisor: TestClient) -> None:
    for name in "abcde":
        steps.judge(sessions, steps.document(sessions, name))
    steps.judge(sessions, steps.document(sessions, "clear"), Verdict.CLEAR, [])
    for path, count in (("documents", 6), ("findings", 5), ("queue", 5)):
        seen, after = [], None
        while True:
            page = supervisor.get(f"/api/v1/{path}", params={"limit": 2, **({"after": after} if after else {})}).json()
            seen += [str(one) for one in page["items"]]
            if (after := page["after"]) is None:
                break
        assert len(seen) == len(set(seen)) == count, path
        assert supervisor.get(f"/api/v1/{path}", params={"after": "nonsense"}).status_code == 400
    assert len(supervisor.get("/api/v1/documents", params={"status": "clear"}).json()["items"]) == 1


def test_a_reviewer_is_not_told_what_would_tell_a_drawn_document(sessions: sessionmaker[Session], visit: Visit) -> None:
    steps.judge(sessions, steps.document(sessions), Verdict.CLEAR, [])
    reviewer = visit(Role.REVIEWER)
    for path in ("documents", f"documents/{steps.sha('form')}", "findings", "findings/1"):
        assert reviewer.get(f"/api/v1/{path}").status_code == 403, path


def test_a_file_is_taken_in_once(desk: Context, visit: Visit, store: FolderStore, events: Events) -> None:
    client = visit(Role.INTEGRATOR, subject="feed")

    def send(body: bytes) -> Any:
        return client.post("/api/v1/documents", files={"file": ("scan.pdf", body, "application/pdf")})

    first = send(b"%PDF-1.4 a document")
    assert (first.status_code, first.json()["status"]) == (201, "document")
    again = send(b"%PDF-1.4 a document")
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    assert again.json()["document_id"] == first.json()["document_id"]
    assert send(b"").status_code == 422
    assert "limit" in send(b"x" * (2**20 + 1)).json()["detail"]
    assert send(b"x" * (3 * 2**20)).status_code == 413
    assert client.post("/api/v1/documents", data={"file": "no file"}).status_code == 400

    path = f"/api/v1/documents/{first.json()['document_id']}/original"
    before = len(events())
    assert client.get(path).status_code == 403
    opened = visit(Role.AUDITOR).get(path)
    assert opened.content == b"%PDF-1.4 a document"
    assert opened.headers["content-disposition"].startswith("attachment")
    assert events()[before:] == ["signin", "original.opened"]


def test_a_body_is_not_read_before_its_sender_is_known(visit: Visit) -> None:
    answer = visit().post("/api/v1/documents", files={"file": ("a", b"x" * 1000)})
    assert answer.status_code == 401


def test_balance_models_and_metrics(sessions: sessionmaker[Session], visit: Visit) -> None:
    steps.judge(sessions, steps.document(sessions))
    client = visit(Role.SUPERVISOR)
    balance = client.get("/api/v1/analytics/balance").json()
    assert (balance["documents"], balance["flagged"], balance["adds_up"]) == (1, 1, True)
    assert client.get("/api/v1/models").json() == {"items": []}
    metrics = client.get("/metrics").text
    assert 'docvigil_documents{status="flagged"} 1.0' in metrics
    assert 'docvigil_http_requests_total{method="GET",route="list_models",status="200"} 1.0' in metrics


def test_without_the_database_it_says_so(visit: Visit, desk: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    client = visit(Role.REVIEWER)
    assert client.get("/readyz").status_code == 200
    from sqlalchemy.exc import OperationalError

    def away(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(desk.identity, "of", away)
    answer = client.get("/api/v1/queue")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "gone" not in answer.text


def test_a_mistake_of_ours_shows_nothing(visit: Visit, desk: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    client = visit(Role.REVIEWER)

    def broken(*_: object) -> None:
        raise RuntimeError("secret of the code")

    monkeypatch.setattr(desk.identity, "of", broken)
    for path in ("/api/v1/queue", "/"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "secret of the code" not in answer.text
        assert answer.headers["content-security-policy"]
