"""Versions moved and taken back over the API: by whom, what is refused, what is scanned again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from pipeline.findings import Verdict
from records import handing, model_versions
from records.tables import Document
from records.words import Versions
from tests.integration.records import steps
from tests.integration.web.conftest import Visit
from web.access import Role


@pytest.fixture(autouse=True)
def versions(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "first")
        for one in ("second", "third"):
            model_versions.register(
                session, one, key=f"models/{one}.tar", by="trainer", parent="first", lineage={"code": "abc"}
            )


def listed(client: TestClient) -> dict[str, dict[str, object]]:
    return {one["version"]: one for one in client.get("/api/v1/models").json()["items"]}


def cleared_by(sessions: sessionmaker[Session], version: str, name: str) -> None:
    scan_id = steps.document(sessions, name)
    steps.prepare(sessions, scan_id)
    lease = steps.take(sessions, scan_id, "infer")
    with sessions.begin() as session:
        assert handing.judged(
            session, lease, Verdict.CLEAR, [], versions=Versions(version, "rules", "types"), document_types=()
        )


def test_an_admin_moves_a_version_and_everybody_sees_it(visit: Visit, events: Callable[[], list[str]]) -> None:
    admin, reviewer = visit(Role.MODEL_ADMIN, subject="mira"), visit(Role.REVIEWER)
    assert reviewer.post("/api/v1/models/second/stage", json={"stage": "shadow"}).status_code == 403
    assert admin.post("/api/v1/models/second/stage", json={"stage": "shadow"}).json()["stage"] == "shadow"
    told = admin.post("/api/v1/models/second/stage", json={"stage": "canary", "share": 0.5})
    assert told.status_code == 200
    assert (told.json()["stage"], told.json()["share"]) == ("canary", 0.5)
    row = listed(reviewer)["second"]
    assert (row["stage"], row["share"], row["staged_by"]) == ("canary", 0.5, "mira")
    assert (row["parent"], row["lineage"]) == ("first", {"code": "abc"})
    assert events().count("model.staged") == 3, "one for what came with the installation, two for these moves"


@pytest.mark.parametrize(
    ("version", "body", "status", "says"),
    [
        ("second", {"stage": "canary", "share": 1.5}, 422, "share"),
        ("second", {"stage": "retired"}, 422, "stage"),
        ("third", {"stage": "shadow"}, 409, "second is on trial already"),
        ("first", {"stage": "shadow"}, 409, "is in production and can't become"),
        ("none", {"stage": "shadow"}, 404, ""),
    ],
)
def test_what_can_not_be_is_refused_with_a_sentence(
    visit: Visit, version: str, body: dict[str, object], status: int, says: str
) -> None:
    admin = visit(Role.MODEL_ADMIN)
    assert admin.post("/api/v1/models/second/stage", json={"stage": "canary"}).json()["share"] == 0.2
    refused = admin.post(f"/api/v1/models/{version}/stage", json=body)
    assert refused.status_code == status and says in refused.text
    assert listed(admin)["second"]["stage"] == "canary" and listed(admin)["first"]["stage"] == "production"


def test_what_the_canary_cleared_is_scanned_again_when_it_is_taken_back(
    sessions: sessionmaker[Session], visit: Visit
) -> None:
    admin = visit(Role.MODEL_ADMIN)
    nothing = admin.post("/api/v1/models/rollback")
    assert nothing.status_code == 409 and "nothing to take back" in nothing.json()["detail"]
    admin.post("/api/v1/models/second/stage", json={"stage": "canary"})
    for number in range(3):
        cleared_by(sessions, "second", f"canary {number}")
    cleared_by(sessions, "first", "production")
    assert visit(Role.SUPERVISOR).post("/api/v1/models/rollback").status_code == 403
    told = admin.post("/api/v1/models/rollback").json()
    assert told == {"version": "second", "production": "first", "scanned_again": 3}
    with sessions.begin() as session:
        statuses = {row.id: row.status for row in session.execute(select(Document.id, Document.status))}
    assert statuses.pop(steps.sha("production")) == "clear"
    assert set(statuses.values()) == {"in_flight"}


def test_without_a_trial_the_former_version_comes_back(visit: Visit) -> None:
    admin = visit(Role.MODEL_ADMIN)
    admin.post("/api/v1/models/second/stage", json={"stage": "production"})
    assert listed(admin)["first"]["stage"] == "retired"
    told = admin.post("/api/v1/models/rollback").json()
    assert (told["version"], told["production"]) == ("second", "first")
    assert listed(admin)["first"]["stage"] == "production"
