"""Decisions become examples with where they come from; what must not be learned from isn't."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline import feedback
from pipeline.desk import DeskRules
from pipeline.findings import Finding
from records import examples, gathering, golden, reviews
from records.learning_tables import LearningExample
from records.objects import ObjectStore, open_store
from records.words import Refused
from tests.integration.records.casework import RULES, asked, decide, put
from tests.integration.records.steps import VERSIONS, finding, sha

FOUR_EYES = RULES.model_copy(update={"four_eyes": frozenset({"signature.missing"})})

#: The fields of the evidence: name, kind of its question, identifier.
FIELDS = (
    ("signature_1", "signature", None),
    ("dated", "date", None),
    ("pan", "identifier", "pan"),
    ("aadhaar", "identifier", "aadhaar_last4"),
)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(tmp_path / "objects")


def png(seed: int) -> bytes:
    image = np.random.default_rng(seed).integers(0, 255, (20, 60)).astype(np.uint8)
    return bytes(cv2.imencode(".png", image)[1])


def cut(
    sessions: sessionmaker[Session],
    store: ObjectStore,
    name: str,
    *,
    seed: int,
    kept: Mapping[str, bytes] = MappingProxyType({}),
    more: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Gives the newest scan of a document its evidence, and its types their fields: `kept` and `more` say what is kept
    of some fields and what else their definitions hold."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for number, (field, _, _) in enumerate(FIELDS):
            file.writestr(f"{field}.png", kept.get(field, png(seed * 10 + number)))
    key = f"scans/{name}/evidence.zip"
    store.put(key, archive.getvalue())
    manifest = {
        "archive": key,
        "pages": [{"number": 1, "doctype": "form@1"}],
        "evidences": [
            {
                "page": 1,
                "field": field,
                "ordinal": 0,
                "box": [0.1, 0.2, 0.3, 0.4],
                "kind": kind,
                "image": f"{field}.png",
                "cells": None,
                "faults": [],
            }
            for field, kind, _ in FIELDS
        ],
    }
    body = {
        "fields": [
            {"name": field, "identifier": identifier, "required": True, **more.get(field, {})}
            for field, _, identifier in FIELDS
        ]
    }
    with sessions.begin() as session:
        session.execute(
            text("UPDATE scans SET manifest = :manifest WHERE document_id = :id"),
            {"manifest": json.dumps(manifest), "id": sha(name)},
        )
        for statement in (
            "INSERT INTO doctype_versions (key, digest, body) VALUES ('form@1', repeat('0', 64), :body)"
            " ON CONFLICT DO NOTHING",
            "INSERT INTO doctype_sets (version, key, digest) VALUES (:version, 'form@1', repeat('0', 64))"
            " ON CONFLICT DO NOTHING",
        ):
            session.execute(text(statement), {"body": json.dumps(body), "version": VERSIONS.doctypes})


def reviewed(
    sessions: sessionmaker[Session],
    store: ObjectStore,
    name: str,
    told: list[Finding],
    decisions: list[tuple[str, str | None]],
    *,
    seed: int = 1,
    rules: DeskRules = RULES,
    reviewers: tuple[str, ...] = ("alice",),
    **evidence: Any,
) -> None:
    put(sessions, name, told, rules=rules)
    cut(sessions, store, name, seed=seed, **evidence)
    for reviewer in reviewers:
        # The desk asks about the riskiest first; findings are numbered as they were told.
        for number, (decision, value) in zip(sorted(asked(sessions, sha(name), reviewer)), decisions, strict=True):
            decide(sessions, number, decision, value=value, reviewer=reviewer, rules=rules)


def gathered(sessions: sessionmaker[Session], store: ObjectStore, **given: Any) -> dict[str, LearningExample]:
    with sessions.begin() as session:
        gathering.gather(session, store, **given)
        return {one.kind: one for one in session.scalars(select(LearningExample))}


GONE = finding(message="Signature 1 is empty.")
TOLD = [
    GONE,
    finding("date.unreadable", field="dated", message="The date can't be read."),
    finding("identifier.invalid", field="pan", value="ABCPX1234F", message="No PAN."),
    finding("identifier.invalid", field="aadhaar", value="1234", message="Not four digits."),
]
DECIDED = [("dismissed", None), ("corrected", "01/02/2026"), ("confirmed", None), ("confirmed", None)]


def test_decisions_become_examples_with_their_lineage(
    sessions: sessionmaker[Session], store: ObjectStore, tmp_path: Path
) -> None:
    reviewed(sessions, store, "one", TOLD, DECIDED)
    found = gathered(sessions, store)
    assert set(found) == {"signature", "date", "identifier"}
    signature, dated, pan = found["signature"], found["date"], found["identifier"]
    assert (signature.state, signature.label, signature.right) == ("present", "signature", False)
    assert (dated.value, dated.check, dated.right) == ("01/02/2026", "date.unreadable", False)
    assert (pan.value, pan.right) == ("ABCPX1234F", True)
    assert {(one.document_id, one.reviewer, one.model_version, one.chosen) for one in found.values()} == {
        (sha("one"), "alice", VERSIONS.model, "flagged")
    }
    assert pan.expires_at is not None and signature.expires_at is None
    side: examples.Side = "fresh" if feedback.held_out(sha("one")) else "train"
    with sessions.begin() as session:
        assert examples.write_folder(session, store, tmp_path / "out", side) == 3
    written = feedback.examples(tmp_path / "out")
    assert {one.kind.value for one in written} == {"signature", "date", "identifier"}
    assert all((tmp_path / "out" / one.file_name).is_file() for one in written)


GROUPED = {"label": "Dated", "kind": "date", "box": [0.1, 0.1, 0.6, 0.15], "cells": 8, "groups": [2, 2, 4], "gap": 1.0}


def test_boxes_in_groups_are_learned_from_without_what_is_between_them(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    reviewed(sessions, store, "one", TOLD[:2], DECIDED[:2], more={"dated": GROUPED})
    found = gathered(sessions, store)["date"]
    image = cv2.imdecode(np.frombuffer(store.get(found.key), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None and image.shape[0] == 20 and image.shape[1] < 60
    assert found.key == f"examples/{found.picture}.png"


def test_a_picture_that_is_none_holds_up_nothing_else(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    broken = {"dated": b"half a picture"}
    reviewed(sessions, store, "one", TOLD[:2], DECIDED[:2], more={"dated": GROUPED}, kept=broken)
    assert set(gathered(sessions, store)) == {"signature"}


def test_gathering_again_changes_nothing_and_a_later_decision_counts(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    reviewed(sessions, store, "one", [GONE], [("dismissed", None)])
    first = gathered(sessions, store)["signature"]
    assert gathered(sessions, store)["signature"].id == first.id
    # The same picture, bit for bit, in another document.
    reviewed(sessions, store, "two", [GONE], [("confirmed", None)])
    again = gathered(sessions, store)["signature"]
    assert (again.state, again.document_id) == ("empty", sha("two"))


def test_what_is_taken_back_goes(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    reviewed(sessions, store, "one", [TOLD[0]], [DECIDED[0]])
    key = gathered(sessions, store)["signature"].key
    assert store.exists(key)
    with sessions.begin() as session:
        number = session.scalars(text("SELECT id FROM findings WHERE \"check\" = 'signature.missing'")).one()
        reviews.undo(session, number, reviewer="alice", rules=RULES)
    with sessions.begin() as session:
        assert examples.expire(session, store) == 1
    assert not store.exists(key)


def test_crops_of_identifiers_are_kept_for_so_many_days_and_others_for_good(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    reviewed(sessions, store, "one", TOLD, DECIDED)
    found = gathered(sessions, store, keep_days=30)
    decided = datetime.now(UTC)

    def left(now: datetime, keep_days: int | None = 30) -> set[str]:
        with sessions.begin() as session:
            examples.expire(session, store, keep_days=keep_days, now=now)
            return set(session.scalars(select(LearningExample.kind)))

    assert left(decided + timedelta(days=29)) == {"signature", "date", "identifier"}
    assert left(decided + timedelta(days=31)) == {"signature", "date"}
    assert not store.exists(found["identifier"].key)
    assert store.exists(found["signature"].key) and store.exists(found["date"].key)
    assert left(decided + timedelta(days=3650)) == {"signature", "date"}


def test_a_shorter_time_counts_for_what_is_kept_already(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    reviewed(sessions, store, "one", TOLD, DECIDED)
    gathered(sessions, store, keep_days=365)
    later = datetime.now(UTC) + timedelta(days=31)
    with sessions.begin() as session:
        assert examples.expire(session, store, now=later) == 0
        assert examples.expire(session, store, keep_days=365, now=later) == 0
        assert examples.expire(session, store, keep_days=30, now=later) == 1


def test_what_expired_does_not_come_back(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    reviewed(sessions, store, "one", [TOLD[2]], [DECIDED[2]])
    assert set(gathered(sessions, store, keep_days=30)) == {"identifier"}
    with sessions.begin() as session:
        session.execute(text("UPDATE reviews SET decided_at = decided_at - interval '40 days'"))
        session.execute(text("UPDATE examples SET expires_at = expires_at - interval '40 days'"))
    # Every decision is looked at again once there is no example left.
    assert gathered(sessions, store, keep_days=30) == {}
    with sessions.begin() as session:
        assert gathering.gather(session, store, keep_days=30)["kept long enough"] == 1
        assert gathering.gather(session, store, keep_days=50)["kept"] == 1


def test_a_golden_set_is_what_two_people_agreed_on(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    reviewed(sessions, store, "one", [GONE], [("dismissed", None)])
    with sessions.begin() as session:
        gathering.gather(session, store)
        with pytest.raises(Refused, match="no new example that two people agreed on"):
            golden.freeze(session, by="alice")
    reviewed(
        sessions,
        store,
        "two",
        [GONE],
        [("confirmed", None)],
        seed=2,
        rules=FOUR_EYES,
        reviewers=("alice", "bob"),
    )
    with sessions.begin() as session:
        gathering.gather(session, store)
        frozen = golden.freeze(session, by="alice")
        assert frozen.examples == 1
        (one,) = session.scalars(select(LearningExample).where(LearningExample.golden_set_id == frozen.id))
        assert (one.document_id, one.held_out, one.confirmed) == (sha("two"), True, True)
        assert examples.counted(session)["signature.missing"]["golden"] == 1
    # A golden answer stays, whatever is decided about the same picture later.
    reviewed(sessions, store, "three", [GONE], [("dismissed", None)], seed=2)
    gathered(sessions, store)
    with sessions.begin() as session:
        assert session.get_one(LearningExample, one.id).state == "empty"


def test_labels_of_somebody_who_is_often_wrong_are_set_aside(
    sessions: sessionmaker[Session], store: ObjectStore, tmp_path: Path
) -> None:
    for number in range(12):
        wrong = number % 2 == 0
        name = f"doc-{number}"
        put(sessions, name, [GONE], rules=FOUR_EYES)
        cut(sessions, store, name, seed=100 + number)
        (one,) = asked(sessions, sha(name), "mallory")
        decide(sessions, one, "dismissed" if wrong else "confirmed", reviewer="mallory", rules=FOUR_EYES)
        decide(sessions, one, "confirmed", reviewer="bob", rules=FOUR_EYES)
        if wrong:
            decide(sessions, one, "confirmed", reviewer="carol", rules=FOUR_EYES, supervisor=True)
    for number in range(6):
        reviewed(
            sessions,
            store,
            f"alone-{number}",
            [GONE],
            [("dismissed", None)],
            seed=200 + number,
            reviewers=("mallory" if number % 2 else "alice",),
        )
    with sessions.begin() as session:
        gathering.gather(session, store)
        (doubt,) = [one for one in gathering.reviewers(session) if one.what == "reviewer"]
        assert (doubt.who, doubt.check, doubt.labels, doubt.wrong) == ("mallory", "signature.missing", 12, 6)
        aside = session.scalars(select(LearningExample).where(LearningExample.set_aside.is_not(None))).all()
        assert {one.reviewer for one in aside} >= {"mallory"}
        # What was confirmed by others is learned from nevertheless.
        assert not any(one.confirmed for one in aside)
