"""The way of a document through real workers, undisturbed and disturbed: the same end state, and nothing twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import text

from pipeline.questions import UNTOUCHED
from records import anchors
from records import balance as balance_of
from records.registry import doctypes_of
from tests.integration.workers.plant import BARE, BLACK, EMPTY, KILLER, RAISER, SIGNED, Plant, running, until
from tests.services import Services
from workers import schedule


@pytest.fixture(scope="module")
def plant(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """One for all tests here: starting workers takes longer than most of them."""
    with Redis.from_url(postgres.redis_url) as client:
        client.flushall()
    with (
        postgres.database() as name,
        running(postgres.url(name), postgres.redis_url, tmp_path_factory.mktemp("plant")) as started,
    ):
        yield started


@pytest.fixture(autouse=True)
def adds_up(plant: Plant) -> Iterator[None]:
    """After each test every document dropped so far has exactly one verdict for each scan, and the sums come out."""
    yield
    plant.settled(plant.dropped)
    with plant.sessions.begin() as session:
        assert balance_of.balance(session).differences == ()
    with plant.sessions.begin() as session:
        assert session.execute(text("SELECT count(*) FROM outbox")).scalar() == 0
        scans, verdicts = session.execute(
            text("SELECT (SELECT count(*) FROM scans), (SELECT count(*) FROM events WHERE kind = 'verdict')")
        ).one()
        assert scans == verdicts == len(plant.dropped)
        assert session.execute(text("SELECT count(*) FROM scans WHERE lease_owner IS NOT NULL")).scalar() == 0


def test_documents_reach_their_verdicts(plant: Plant) -> None:
    signed, empty = plant.drop(SIGNED, EMPTY)
    assert plant.settled([signed, empty]) == ["clear", "flagged"]
    with plant.sessions.begin() as session:
        row = session.execute(
            text(
                'SELECT f."check", f.field, f.outcome, f.evidence_key, s.model_version, s.doctypes_version,'
                " s.document_types, s.timings"
                " FROM findings f JOIN scans s ON s.id = f.scan_id WHERE s.document_id = :id AND f.outcome <> 'pass'"
            ),
            {"id": empty},
        ).one()
        assert (row.check, row.field, row.outcome) == ("signature.missing", "signature", "anomaly")
        assert row.model_version == "scripted-1" and set(row.timings) >= {"render", "locate", "read"}
        assert f"{row.document_types[0]}@1" == plant.paper.key
        assert plant.paper.key in doctypes_of(session, row.doctypes_version), "the scan's versions can be explained"
        assert session.execute(text("SELECT version, stage FROM model_versions")).all() == [
            ("scripted-1", "production")
        ]
    assert plant.store.get(row.evidence_key)[:4] == b"\x89PNG"


def test_a_box_that_shows_nothing_is_empty_and_nobody_is_asked(plant: Plant) -> None:
    smudged, bare = plant.drop(EMPTY, BARE)
    assert plant.settled([smudged, bare]) == ["flagged", "flagged"]
    said = (
        "SELECT f.confidence FROM findings f JOIN scans s ON s.id = f.scan_id"
        " WHERE s.document_id = ANY(:ids) AND f.\"check\" = 'signature.missing'"
    )
    asked, told = (plant.column(said, [one]) for one in (smudged, bare))
    assert asked == [0.99] and told == [UNTOUCHED.confidence]
    (key,) = plant.column(said.replace("f.confidence", "f.evidence_key"), [bare])
    assert plant.store.get(str(key))[:4] == b"\x89PNG", "its picture is shown all the same"


def test_a_file_that_is_no_document_is_quarantined_at_once_with_a_sentence(plant: Plant) -> None:
    ids = [plant.drop_bytes(body) for body in (b"", b"%PDF-1.7 and no more", plant.paper.copy(SIGNED)[:3000])]
    assert plant.settled(ids) == ["quarantined"] * 3
    for reason in plant.column("SELECT reason FROM documents WHERE id = ANY(:ids)", ids):
        assert str(reason).endswith(".") and " " in str(reason)
    assert plant.column("SELECT attempts FROM scans WHERE document_id = ANY(:ids)", ids) == [0, 0, 0]


def test_a_wiped_redis_loses_nothing(plant: Plant) -> None:
    ids = plant.drop(*[SIGNED, EMPTY] * 6)
    with Redis.from_url(plant.config.redis_url) as client:
        for done in (0, 4, 8):
            until(lambda done=done: plant.statuses(ids).count("in_flight") <= 12 - done)  # type: ignore[misc]
            client.flushall()
    assert plant.settled(ids) == ["clear", "flagged"] * 6
    assert plant.column("SELECT deaths FROM scans WHERE document_id = ANY(:ids)", ids) == [0] * 12


@pytest.mark.parametrize("name", ["prepare", "infer"])
def test_a_killed_worker_loses_nothing(plant: Plant, name: str) -> None:
    ids = plant.drop(*[SIGNED, EMPTY] * 5)
    until(lambda: any(one != "in_flight" for one in plant.statuses(ids)))
    plant.kill(name)
    assert plant.settled(ids) == ["clear", "flagged"] * 5
    findings = plant.column(
        "SELECT count(*) FROM findings f JOIN scans s ON s.id = f.scan_id WHERE s.document_id = ANY(:ids)"
        " AND f.\"check\" = 'signature.missing' GROUP BY s.id",
        ids,
    )
    assert findings == [1] * 10


def test_a_killed_redis_loses_nothing(plant: Plant, postgres: Services) -> None:
    ids = plant.drop(*[SIGNED, EMPTY] * 3)
    # The worker holds as many messages as it may, and can't acknowledge them when it has done.
    held = "SELECT count(*) FROM scans WHERE document_id = ANY(:ids) AND stage = 'prepare' AND lease_owner IS NOT NULL"
    until(lambda: plant.column(held, ids) == [plant.config.prepare_processes])
    os.kill(postgres.supervisor.pids()["redis"], signal.SIGKILL)
    ids += plant.drop(SIGNED, EMPTY)
    assert plant.settled(ids) == ["clear", "flagged"] * 4


def test_a_killed_postgres_loses_nothing(plant: Plant, postgres: Services) -> None:
    ids = plant.drop(*[SIGNED, EMPTY] * 3)
    starts = postgres.supervisor.starts()["postgres"]
    os.kill(postgres.supervisor.pids()["postgres"], signal.SIGKILL)
    until(lambda: postgres.supervisor.starts()["postgres"] > starts)
    until(lambda: answers(plant))
    assert plant.settled(ids) == ["clear", "flagged"] * 3


def answers(plant: Plant) -> bool:
    try:
        with plant.sessions.begin() as session:
            return session.execute(text("SELECT 1")).scalar() == 1
    except Exception:  # noqa: BLE001 — whatever it says while it starts.
        return False


def test_a_document_that_raises_is_tried_again_then_quarantined_and_harms_nobody(plant: Plant) -> None:
    ids = plant.drop(SIGNED, RAISER, EMPTY, SIGNED)
    assert plant.settled(ids) == ["clear", "quarantined", "flagged", "clear"]
    attempts = "SELECT s.attempts FROM scans s WHERE document_id = ANY(:ids) ORDER BY array_position(:ids, document_id)"
    assert plant.column(attempts, ids) == [0, 3, 0, 0]
    (reason,) = plant.column("SELECT reason FROM documents WHERE id = ANY(:ids)", ids[1:2])
    assert "RuntimeError" in str(reason) and "can't be read" not in str(reason), "errors may quote what they read"


@pytest.mark.parametrize(("what", "stage"), [(KILLER, "infer"), (BLACK, "prepare")])
def test_a_document_that_kills_its_workers_runs_alone_and_is_quarantined(plant: Plant, what: str, stage: str) -> None:
    ids = plant.drop(SIGNED, what, EMPTY)
    assert plant.settled(ids) == ["clear", "quarantined", "flagged"]
    (killer,) = plant.column(
        "SELECT (alone, deaths, attempts, stage)::text FROM scans WHERE document_id = ANY(:ids)", ids[1:2]
    )
    assert killer == "(t,2,1,done)"
    (reason,) = plant.column("SELECT reason FROM documents WHERE id = ANY(:ids)", ids[1:2])
    assert "SIGKILL" in str(reason) and "docvigil retry" in str(reason)


def test_the_head_of_the_audit_chain_is_anchored_by_the_calendar(plant: Plant) -> None:
    plant.settled(plant.drop(SIGNED))
    stop = threading.Event()
    calendar = threading.Thread(target=schedule.run, args=(plant.config, stop))
    calendar.start()
    try:
        until(lambda: len(anchors.anchors(plant.store)) == 1)
    finally:
        stop.set()
        calendar.join()
    assert anchors.anchors(plant.store)[0].head.sequence > 0
