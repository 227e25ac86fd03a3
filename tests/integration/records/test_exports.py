"""What is handed out: CSV that no spreadsheet calculates with, and memos of what people confirmed."""

from __future__ import annotations

import csv
import io
from datetime import date

import pypdfium2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from pipeline.doctypes.load import builtin
from pipeline.findings import CHECKS, Finding, Outcome
from pipeline.memo import WORDS, render
from records import desk, exports, memos, misses, registry
from records.exports import cell
from records.tables import Event
from records.words import Refused
from tests.integration.records.casework import PASS, RULES, asked, decide, put
from tests.integration.records.steps import finding


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("=1+1", "'=1+1"),
        ("+91 22", "'+91 22"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("plain", "plain"),
        (-5, "-5"),
        (True, "yes"),
        (["=a", "b"], "'=a b"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(value: object, told: str) -> None:
    assert cell(value) == told


def test_the_queue_and_decisions_as_csv(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "one", [finding(), finding("date.stale", field="date")])
    drawn = put(sessions, "drawn", [PASS], rules=RULES.model_copy(update={"audit_rate": 1.0}))
    with sessions.begin() as session:
        waiting = rows("".join(exports.queue_csv(session, actor="carol")))
    assert {row["document_id"] for row in waiting} == {one, drawn}
    assert {row["document_id"]: row["checks"] for row in waiting}[one] == "date.stale signature.missing"
    decide(sessions, asked(sessions, one)[0], "corrected", value='=HYPERLINK("http://x")')
    decide(sessions, asked(sessions, drawn)[0], "dismissed")
    with sessions.begin() as session:
        first, second = rows("".join(exports.decisions_csv(session, actor="carol")))
        bodies = session.scalars(select(Event.body).where(Event.kind == "export").order_by(Event.id)).all()
    assert first["value"] == '\'=HYPERLINK("http://x")'
    assert (second["document_id"], second["outcome"], second["confidence"]) == (drawn, "uncertain", "")
    assert ['"count":2' in body for body in bodies] == [True, True]


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join("\n".join(page.get_textpage().get_text_bounded() for page in document).split())


def test_a_memo_tells_what_was_confirmed_and_under_which_clause(sessions: sessionmaker[Session]) -> None:
    doctype = next(one for one in builtin() if any(c.rule for f in one.fields for c in f.checks))
    field = next(f for f in doctype.fields if any(c.rule for c in f.checks))
    check = next(c for c in field.checks if c.rule)
    rule = next(r for r in doctype.rules if r.id == check.rule)
    with sessions.begin() as session:
        registry.record_doctypes(session, [doctype], "types-1")
    told = Finding(check.check, Outcome.UNCERTAIN, 0.6, "Perhaps.", 1, field.name, rule=rule.id)
    one = put(sessions, "form", [told, finding()], types=[doctype.name])

    def memo() -> str:
        with sessions.begin() as session:
            return text_of(
                render(memos.memo(session, one, actor="alice", written=date(2026, 11, 25), timezone="Asia/Kolkata"))
            )

    with pytest.raises(Refused, match="not decided"):
        memo()
    numbers = asked(sessions, one)
    with sessions.begin() as session:
        of = {each.id: each.check for each in desk.document(session, one, "alice").findings}
    for number in numbers:
        decide(sessions, number, "confirmed" if of[number] == check.check else "dismissed")
    with sessions.begin() as session:
        misses.report(session, one, reporter="alice", page=2, check="page.poor", note="internal")
    written = memo()
    for wanted in (doctype.title, field.label, WORDS[check.check], rule.source, one[:16], WORDS["page.poor"]):
        assert " ".join(wanted.split())[:30] in written, wanted
    assert "The signature is missing." not in written or check.check == "signature.missing"
    assert "internal" not in written


def test_nothing_to_put_right_is_no_memo(sessions: sessionmaker[Session]) -> None:
    one = put(sessions, "form")
    decide(sessions, asked(sessions, one)[0], "dismissed")
    with sessions.begin() as session, pytest.raises(Refused, match="nothing"):
        memos.memo(session, one, actor="alice", written=date(2026, 11, 25), timezone="Asia/Kolkata")


def test_every_check_has_its_words() -> None:
    assert set(WORDS) == set(CHECKS)
