"""Versions of the model change under real workers while documents flow: none is dropped, each says who judged it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from redis import Redis
from sqlalchemy import text

from pipeline.canary import judged_by_canary
from pipeline.shadowing import compare
from records import model_archives, model_versions, scans, shadow_scans
from tests.integration.workers.plant import EMPTY, SIGNED, Plant, running, until
from tests.services import Services

#: What came with the installation (`scripted.Scripted`), its successor, one on trial that clears everything,
#: one that clears nothing, and one whose own thresholds are above all that the reader says.
FIRST, SECOND, BLIND, STRICT, DOUBTED = "scripted-1", "scripted-2", "blind-3", "strict-4", "doubted-5"


@pytest.fixture(scope="module")
def plant(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with Redis.from_url(postgres.redis_url) as client:
        client.flushall()
    with (
        postgres.database() as name,
        running(
            postgres.url(name),
            postgres.redis_url,
            tmp_path_factory.mktemp("plant"),
            registered="tests.integration.workers.scripted:registered",
            refresh_seconds=0.2,
            # The tests move versions themselves.
            guard=False,
            guard_seconds=3600.0,
        ) as started,
    ):
        yield started


def register(plant: Plant, *versions: str) -> None:
    with plant.sessions.begin() as session:
        for one in versions:
            model_versions.register(session, one, key=model_archives.key(one), by="alice")


def stage(plant: Plant, version: str, to: str, share: float | None = None) -> None:
    with plant.sessions.begin() as session:
        model_versions.stage(session, version, to, by="alice", share=share)


def judges(plant: Plant, ids: Sequence[str]) -> dict[str, str | None]:
    """Document → the version that its newest scan names."""
    with plant.sessions.begin() as session:
        rows = session.execute(
            text(
                "SELECT d.id, s.model_version FROM documents d JOIN scans s ON s.id = d.scan_id WHERE d.id = ANY(:ids)"
            ),
            {"ids": list(ids)},
        )
        return {row.id: row.model_version for row in rows}


def flow_until(plant: Plant, version: str) -> list[str]:
    """Drops documents, signed and empty in turn, until the version judges an empty one; what was dropped."""
    dropped: list[str] = []

    def taken_up() -> bool:
        if plant.statuses(dropped).count("in_flight") < 4:
            dropped.extend(plant.drop(SIGNED, EMPTY))
        return version in judges(plant, dropped[1::2]).values()

    until(taken_up)
    return dropped


def test_versions_change_while_documents_flow_and_what_a_bad_one_cleared_comes_back(plant: Plant) -> None:
    before = plant.drop(SIGNED, EMPTY)
    assert plant.settled(before) == ["clear", "flagged"]
    register(plant, SECOND, BLIND)

    stage(plant, SECOND, "production")
    meanwhile = flow_until(plant, SECOND)
    # Those still in flight would be the canary's too.
    plant.settled(meanwhile)
    stage(plant, BLIND, "canary", 0.5)
    on_trial = flow_until(plant, BLIND)
    canary = plant.drop(*[SIGNED, EMPTY] * 5)
    plant.settled(plant.dropped)

    named = judges(plant, plant.dropped)
    assert {named[one] for one in before} == {FIRST}
    assert {named[one] for one in meanwhile} <= {FIRST, SECOND}
    chosen = {one for one in on_trial + canary if judged_by_canary(one, BLIND, 0.5)}
    assert {one: named[one] for one in canary} == {one: BLIND if one in chosen else SECOND for one in canary}
    assert {one for one in on_trial if named[one] == BLIND} <= chosen
    assert {named[one] for one in on_trial} == {SECOND, BLIND}
    by_canary = [one for one in plant.dropped if named[one] == BLIND]
    assert set(plant.statuses(by_canary)) == {"clear"}
    assert plant.statuses(before + meanwhile) == ["clear", "flagged"] * (len(before + meanwhile) // 2)

    in_flight = plant.drop(*[SIGNED, EMPTY] * 3)
    with plant.sessions.begin() as session:
        assert model_versions.roll_back(session, by="alice") == BLIND
    again = 0
    while True:
        with plant.sessions.begin() as session:
            started = scans.rescan_cleared(session, BLIND, actor="alice", limit=3)
        again += started
        if not started:
            break
    assert again >= len(by_canary), "and those of the documents in flight that it had cleared by then"
    everything = on_trial + canary + in_flight
    assert plant.settled(everything) == ["clear", "flagged"] * (len(everything) // 2)
    assert BLIND not in judges(plant, plant.dropped).values()
    assert set(judges(plant, by_canary).values()) == {SECOND}
    with plant.sessions.begin() as session:
        unnamed, scanned = session.execute(
            text("SELECT count(*) FILTER (WHERE model_version IS NULL), count(*) FROM scans")
        ).one()
        assert (unnamed, scanned) == (0, len(plant.dropped) + again)
        charged = session.execute(text("SELECT count(*) FROM scans WHERE attempts > 0 OR deaths > 0")).scalar()
        assert charged == 0, "a change of versions is nothing that a document did"
        # What a bad version cleared and a good one flags has a case, as any flagged document.
        cases = session.execute(
            text(
                "SELECT count(DISTINCT d.id) FROM cases c JOIN documents d ON d.scan_id = c.scan_id"
                " WHERE d.id = ANY(:ids) AND d.status = 'flagged'"
            ),
            {"ids": by_canary},
        ).scalar()
        assert cases == plant.statuses(by_canary).count("flagged") > 0


def test_a_version_in_shadow_is_written_down_and_not_heard(plant: Plant) -> None:
    register(plant, STRICT)
    stage(plant, STRICT, "shadow")
    read = "SELECT count(*) FROM shadow_scans h JOIN scans s ON s.id = h.scan_id WHERE s.document_id = ANY(:ids)"
    first: list[str] = []

    def taken_up() -> bool:
        if plant.statuses(first).count("in_flight") < 4:
            first.extend(plant.drop(SIGNED))
        return plant.column(read, first) != [0]

    until(taken_up)
    ids = plant.drop(*[SIGNED, EMPTY] * 3)
    assert plant.settled(first + ids) == ["clear"] * len(first) + ["clear", "flagged"] * 3
    until(lambda: plant.column(read, ids) == [6])
    assert STRICT not in judges(plant, first + ids).values()
    told = "SELECT h.verdict FROM shadow_scans h JOIN scans s ON s.id = h.scan_id WHERE s.document_id = ANY(:ids)"
    assert plant.column(told, ids) == ["flagged"] * 6
    with plant.sessions.begin() as session:
        told = compare(shadow_scans.pairs(session, STRICT))
    assert told.newly_clear.count == 0 and told.newly_flagged.count == told.documents - 3


def test_a_version_judges_by_its_own_thresholds(plant: Plant) -> None:
    register(plant, DOUBTED)
    stage(plant, DOUBTED, "production")
    plant.settled(flow_until(plant, DOUBTED))
    ids = plant.drop(SIGNED)
    assert plant.settled(ids) == ["flagged"]
    rules = "SELECT s.rules_version FROM scans s JOIN documents d ON d.scan_id = s.id WHERE d.id = ANY(:ids)"
    assert plant.column(rules, ids) == ["rules-1.0"]
