"""The quarter's report, from the records to the page."""

from __future__ import annotations

from dataclasses import asdict
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session, sessionmaker

from pipeline import gate
from pipeline.findings import Outcome, Verdict
from pipeline.gate import Outcome as Judged
from pipeline.trust import Doubt
from records import intake, model_versions, quarter, shadow_scans, trainings
from records.learning_tables import BoundReading, Evaluation
from records.words import Refused
from tests.integration.records.steps import document, finding, judge
from web.quarter import page

Sessions = sessionmaker[Session]
ZONE = "Asia/Kolkata"


class Page(HTMLParser):
    """The text of a page, and whatever it would load from elsewhere."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.loaded, self.open = "", [], []  # type: str, list[str], list[str]
        self.feed(source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]
        self.loaded += ["script"] if tag == "script" else []
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "meta":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def refused(sessions: Sessions) -> int:
    """A training that the gate refused, for labels of one class that a source had wrong; its number."""
    documents = [Judged(f"e{number}", f"d{number}", "date.stale", number > 40, True) for number in range(400)]
    said = gate.decide(documents)
    told: dict[str, Any] = {
        "golden": {"classes": {check: asdict(one) for check, one in said.classes.items()}},
        "passed": said.passed,
        "reasons": list(said.reasons),
    }
    curve = [{"step": 50, "loss": 2.5}, {"step": 100, "loss": 0.75}, {"step": 100, "evaluation": 0.8}]
    with sessions.begin() as session:
        source = intake.source(session, "folder", "/drop <b>", 0).id
        doubt = Doubt("source", str(source), "date.stale", 60, 14, 1e-9)
        model_versions.install(session, "first")
        assert model_versions.register(session, "second", key="models/second.tar", by="trainer", parent="first")
        number = trainings.ask(session, by="asha")
        lease = trainings.take(session, "worker", 60)
        assert lease is not None
        counts = {"train": 900, "golden": 400, "fresh": 50}
        begun = {"examples": counts, "step": 100, "steps": 400, "curve": curve, "set_aside": [asdict(doubt)]}
        assert trainings.advance(session, lease, "training", parent="first", progress=begun)
        ended = {"candidate": "second", "error": " ".join(said.reasons), "progress": {"gate": told}}
        assert trainings.finish(session, lease, "refused", **ended)  # type: ignore[arg-type]
    return number


def test_a_refusal_names_the_class_and_the_source(sessions: Sessions) -> None:
    number = refused(sessions)
    with sessions.begin() as session:
        found = quarter.newest(session)
        assert found.training is not None and found.training.id == number
        source = page(found, ZONE)
    told = Page(source)
    assert (told.open, told.loaded) == ([], [])
    for words in (
        "The gate refused the new version",
        "date.stale: the candidate is worse by 10.25% of 400 documents (41 errors against 0)",
        "14 of 60 labels of date.stale disagree with confirmed ones (/drop <b>)",
        "41 of 400, 7.46 % to 13.65 %",
        "It had 900 examples to learn from",
        "learned from 0.75 at the end; held out 0.8 at the end",
        "It has read nothing in shadow.",
    ):
        assert words in told.text
    with sessions.begin() as session:
        assert page(quarter.of_version(session, "second"), ZONE).count("date.stale") == source.count("date.stale")


def test_a_version_on_trial_shows_what_it_did(sessions: Sessions) -> None:
    scans = [document(sessions, name) for name in ("a", "b", "c")]
    passed = finding(outcome=Outcome.PASS)
    for scan_id, said in zip(scans, (passed, passed, finding()), strict=True):
        judge(sessions, scan_id, Verdict.CLEAR if said is passed else Verdict.FLAGGED, [said])
    with sessions.begin() as session:
        model_versions.install(session, "model-1")
        assert model_versions.register(session, "second", key="models/second.tar", by="trainer", parent="model-1")
        model_versions.stage(session, "second", "shadow", by="asha")
        shadow_scans.add(session, scans[0], "second", Verdict.CLEAR, [passed])
        shadow_scans.add(session, scans[1], "second", Verdict.FLAGGED, [finding()])
        shadow_scans.add(session, scans[2], "second", Verdict.CLEAR, [passed])
        model_versions.stage(session, "second", "retired", by="guard")
        session.execute(
            insert(Evaluation).values(
                version="second", set="shadow", classes={"documents_needed": 812}, passed=False, reasons=["Too bad."]
            )
        )
        for labels, upper in ((100, 0.03), (400, 0.0075)):
            reading = {"version": "second", "check": "date.stale", "labels": labels, "missed": 0, "upper": upper}
            session.execute(insert(BoundReading).values(**reading))
            session.execute(text("UPDATE bound_readings SET at = at - interval '1 day'"))
        found = quarter.of_version(session, "second")
        assert [(one.stage, one.by) for one in found.moves] == [
            ("candidate", "trainer"),
            ("shadow", "asha"),
            ("retired", "guard"),
        ]
        told = Page(page(found, ZONE))
    assert (told.open, told.loaded) == ([], [])
    for words in (
        "the same verdict 1 of 3 (0.84 % to 90.57 %); would be flagged and was not 1 of 3",
        "within 812 documents",
        "Too bad.",
        "missed at most 0.75% at the end",
        "This version was not trained here.",
    ):
        assert words in told.text


def test_before_anything_ended_there_is_no_report(sessions: Sessions) -> None:
    with sessions.begin() as session:
        with pytest.raises(Refused, match="no training has ended yet"):
            quarter.newest(session)
        with pytest.raises(LookupError, match="no model version nothing"):
            quarter.of_version(session, "nothing")
