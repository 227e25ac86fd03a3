"""Labels become examples with their lineage, by the rules that hold for decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline import feedback
from pipeline.findings import Outcome
from records import examples, gathering, golden, labels, scans
from records.labels import Task
from records.learning_tables import LearningExample
from records.objects import ObjectStore, open_store
from records.words import Refused
from tests.integration.records.casework import PASS, put
from tests.integration.records.steps import VERSIONS, finding, sha
from tests.integration.records.test_examples import DECIDED, FOUR_EYES, GONE, TOLD, cut, reviewed

BOX = [0.1, 0.2, 0.3, 0.4]
READ = replace(finding("date.format", outcome=Outcome.PASS, field="dated", value="01/02/2026"), message="It is a date.")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(tmp_path / "objects")


def field(name: str, kind: str, value: str | None, box: list[float] | None = BOX, page: int = 1) -> dict[str, Any]:
    return {"name": name, "kind": kind, "page": page, "box": box, "value": value}


FIELDS = [
    field("signature_1", "signature", "signature"),
    field("dated", "date", "01/02/2026"),
    field("pan", "identifier", "ABCPX1234F"),
    field("aadhaar", "identifier", "1234"),
]


def label(
    sessions: sessionmaker[Session],
    name: str,
    fields: Sequence[dict[str, Any]] = FIELDS,
    defects: Sequence[dict[str, Any]] = (),
    *,
    document_type: str | None = "form",
    by: str = "lata",
    **more: Any,
) -> int:
    with sessions.begin() as session:
        return labels.keep(session, sha(name), document_type, fields, defects, actor=by, **more)


def cleared(sessions: sessionmaker[Session], store: ObjectStore, name: str, *, seed: int = 1) -> None:
    put(sessions, name, [PASS, READ])
    cut(sessions, store, name, seed=seed)


def gather(
    sessions: sessionmaker[Session], store: ObjectStore, **given: Any
) -> tuple[dict[str, LearningExample], Counter[str]]:
    with sessions.begin() as session:
        counts = gathering.gather(session, store, **given)
        return {one.kind: one for one in session.scalars(select(LearningExample))}, counts


def test_a_label_gives_examples_that_say_where_they_come_from(
    sessions: sessionmaker[Session], store: ObjectStore, tmp_path: Path
) -> None:
    cleared(sessions, store, "one")
    with sessions.begin() as session:
        made = labels.begin(session, "Pilot", "form", actor="chitra")
        labels.add(session, made.id, [sha("one")])
    number = label(sessions, "one", set_id=made.id)
    found, counts = gather(sessions, store)
    assert set(found) == {"signature", "date", "identifier"}
    assert counts == Counter({"kept": 3, "of an Aadhaar field": 1})
    signature, dated, pan = found["signature"], found["date"], found["identifier"]
    assert (signature.state, signature.label, signature.check) == ("present", "signature", "signature.missing")
    assert (dated.value, dated.check, pan.value, pan.check) == (
        "01/02/2026",
        "date.unreadable",
        "ABCPX1234F",
        "identifier.invalid",
    )
    assert (signature.right, dated.right, pan.right) == (True, True, False), "nothing was read of the PAN"
    assert {
        (one.document_id, one.reviewer, one.model_version, one.chosen, one.label_id, one.review_id, one.confirmed)
        for one in found.values()
    } == {(sha("one"), "lata", VERSIONS.model, "labelled", number, None, False)}
    assert all(one.held_out == feedback.held_out(sha("one")) and store.exists(one.key) for one in found.values())
    assert pan.expires_at is not None and dated.expires_at is None
    with sessions.begin() as session:
        sets = select(Task.set_id).join(LearningExample, LearningExample.label_id == Task.label_id).distinct()
        assert session.scalars(sets).all() == [made.id], "the set is found from the example"
        side: examples.Side = "fresh" if feedback.held_out(sha("one")) else "train"
        assert examples.write_folder(session, store, tmp_path / "out", side) == 3
    assert {one.review for one in feedback.examples(tmp_path / "out")} == {f"label-{number}"}


def test_what_a_label_says_is_missing_or_wrong_is_learned_as_such(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    cleared(sessions, store, "one")
    said = [field("signature_1", "signature", None), field("dated", "date", "31/02/2026")]
    label(sessions, "one", said, [{"page": 1, "field": "dated", "check": "date.impossible"}])
    found, _ = gather(sessions, store)
    assert (found["signature"].state, found["signature"].right) == ("empty", False)
    assert (found["date"].value, found["date"].check, found["date"].right) == ("31/02/2026", "date.impossible", False)


@pytest.mark.parametrize(
    ("said", "document_type", "why"),
    [
        (field("dated", "date", "01/02/2026", [0.5, 0.5, 0.7, 0.6]), "form", "cut elsewhere"),
        (field("dated", "date", "01/02/2026", page=2), "form", "no evidence"),
        (field("dated", "text", "hello"), "form", "taken for another form"),
        (field("dated", "date", "01/02/2026"), "letter", "taken for another form"),
        (field("dated", "date", "01/02/2026"), None, "taken for another form"),
        (field("dated", "date", "2345 6789 0123"), "form", "answer left open"),
        (field("aadhaar", "identifier", None), "form", "of an Aadhaar field"),
    ],
)
def test_what_the_picture_may_not_show_teaches_nothing(
    sessions: sessionmaker[Session], store: ObjectStore, said: dict[str, Any], document_type: str | None, why: str
) -> None:
    cleared(sessions, store, "one")
    label(sessions, "one", [said], document_type=document_type)
    found, counts = gather(sessions, store)
    assert found == {} and counts == Counter({why: 1})


def test_a_box_that_was_hardly_moved_shows_the_same(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    cleared(sessions, store, "one")
    label(sessions, "one", [field("dated", "date", "01/02/2026", [0.11, 0.21, 0.31, 0.41])])
    assert set(gather(sessions, store)[0]) == {"date"}


def test_the_latest_label_counts_and_what_it_leaves_out_goes(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    cleared(sessions, store, "one")
    label(sessions, "one", FIELDS[:2])
    assert set(gather(sessions, store)[0]) == {"signature", "date"}
    assert gather(sessions, store)[1]["kept"] == 2, "again changes nothing"
    number = label(sessions, "one", [field("dated", "date", "02/02/2026")], by="mohan")
    found, _ = gather(sessions, store)
    assert set(found) == {"date"}
    assert (found["date"].value, found["date"].reviewer, found["date"].label_id) == ("02/02/2026", "mohan", number)


def test_of_a_label_and_a_decision_about_a_picture_the_later_counts(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    reviewed(sessions, store, "one", [GONE], [("dismissed", None)])
    label(sessions, "one", [field("signature_1", "signature", None)])
    found, _ = gather(sessions, store)
    assert (found["signature"].state, found["signature"].chosen, found["signature"].review_id) == (
        "empty",
        "labelled",
        None,
    )
    # The same picture, bit for bit, in another document.
    reviewed(sessions, store, "two", [GONE], [("dismissed", None)])
    found, _ = gather(sessions, store)
    assert (found["signature"].state, found["signature"].chosen, found["signature"].label_id) == (
        "present",
        "flagged",
        None,
    )


def test_one_label_is_not_more_than_what_two_people_agreed_on(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    reviewed(sessions, store, "one", [GONE], [("confirmed", None)], rules=FOUR_EYES, reviewers=("alice", "bob"))
    label(sessions, "one", [field("signature_1", "signature", "signature")])
    found, _ = gather(sessions, store)
    assert (found["signature"].state, found["signature"].confirmed) == ("empty", True)


def test_labels_alone_are_no_golden_set_and_its_documents_stay_apart(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    cleared(sessions, store, "one")
    label(sessions, "one")
    gather(sessions, store)
    with sessions.begin() as session, pytest.raises(Refused, match="two people agreed on"):
        golden.freeze(session, by="alice")
    reviewed(sessions, store, "two", [GONE], [("confirmed", None)], seed=2, rules=FOUR_EYES, reviewers=("al", "bob"))
    gather(sessions, store)
    with sessions.begin() as session:
        golden.freeze(session, by="alice")
    label(sessions, "two", FIELDS[1:2])
    gather(sessions, store)
    with sessions.begin() as session:
        of_two = select(LearningExample).where(LearningExample.document_id == sha("two"))
        assert {(one.kind, one.held_out) for one in session.scalars(of_two)} == {("signature", True), ("date", True)}


def test_identifiers_of_labels_are_kept_for_a_while_too(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    cleared(sessions, store, "one")
    label(sessions, "one", FIELDS[2:3])
    with sessions.begin() as session:
        session.execute(text("UPDATE labels SET labelled_at = labelled_at - interval '40 days'"))
    found, counts = gather(sessions, store, keep_days=30)
    assert found == {} and counts["kept long enough"] == 1
    assert set(gather(sessions, store, keep_days=50)[0]) == {"identifier"}


def test_a_document_that_is_being_scanned_again_teaches_by_its_last_scan(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    cleared(sessions, store, "one")
    label(sessions, "one")
    with sessions.begin() as session:
        scans.retry(session, sha("one"), actor="alice")
    assert set(gather(sessions, store)[0]) == {"signature", "date", "identifier"}


def test_decisions_and_labels_stand_beside_each_other(sessions: sessionmaker[Session], store: ObjectStore) -> None:
    reviewed(sessions, store, "one", TOLD, DECIDED)
    cleared(sessions, store, "two", seed=2)
    label(sessions, "two")
    gather(sessions, store)
    with sessions.begin() as session:
        rows = session.execute(select(LearningExample.document_id, LearningExample.chosen).distinct())
        assert {tuple(row) for row in rows} == {(sha("one"), "flagged"), (sha("two"), "labelled")}


def test_labels_of_a_class_that_the_golden_set_does_not_hold_wait(
    sessions: sessionmaker[Session], store: ObjectStore
) -> None:
    name = next(one for one in ("one", "three", "four") if not feedback.held_out(sha(one)))
    cleared(sessions, store, name)
    label(sessions, name, FIELDS[:2])
    gather(sessions, store)

    def counted() -> dict[str, dict[str, int]]:
        with sessions.begin() as session:
            return examples.counted(session)

    assert counted() == {"signature.missing": {"train": 1}, "date.unreadable": {"train": 1}}, "nothing is compared yet"
    reviewed(sessions, store, "two", [GONE], [("confirmed", None)], seed=2, rules=FOUR_EYES, reviewers=("al", "bob"))
    gather(sessions, store)
    with sessions.begin() as session:
        golden.freeze(session, by="alice")
    assert counted() == {"signature.missing": {"train": 1, "golden": 1}, "date.unreadable": {"waiting": 1}}
