"""The desk's rules: what is due when, what is drawn, how it is shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.desk import BadDeskFile, DeskRules, doubted, drawn, risk, shown_finding, shown_risk
from pipeline.findings import Finding, Outcome
from pipeline.geometry import Box

NOON = datetime(2026, 1, 23, 12, tzinfo=ZoneInfo("Asia/Kolkata"))  # A Friday.


def found(outcome: Outcome, confidence: float, field: str | None = "signature") -> Finding:
    box = None if field is None else Box(0.1, 0.1, 0.2, 0.2)
    return Finding("signature.missing", outcome, confidence, "It is there.", 1, field, box=box)


def test_the_first_deadline_that_applies_counts(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(
        "calendar: {opens: '10:00', closes: '18:00', holidays: [2026-01-26]}\n"
        "due:\n"
        "  - {type: transfer, source: /urgent, hours: 1}\n"
        "  - {type: transfer, hours: 8}\n"
        "  - {source: /urgent, hours: 2}\n"
    )
    rules = DeskRules.load(file, audit_rate=0.1)
    assert rules.audit_rate == 0.1
    assert rules.due_at(NOON, ["transfer"], "/urgent") == NOON.replace(hour=13)
    assert rules.due_at(NOON, ["kyc", "transfer"], "/drop") == NOON.replace(day=27)
    assert rules.due_at(NOON, ["kyc"], "/urgent") == NOON.replace(hour=14)
    assert rules.due_at(NOON, ["kyc"], "/drop") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("due: [{hours: 0}]", "due.0.hours"),
        ("deadlines: []", "nothing else"),
        ("calendar: {weekends: []}", "calendar.weekends"),
        ("due: [", "YAML"),
        ("- 1", "nothing else"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(text)
    with pytest.raises(BadDeskFile, match=told):
        DeskRules.load(file)


def test_the_share_that_is_drawn_is_the_rate() -> None:
    share = sum(drawn(f"{number:064x}", number, 0.05) for number in range(20_000)) / 20_000
    assert share == pytest.approx(0.05, abs=0.006)
    assert not any(drawn(f"{number:064x}", number, 0.0) for number in range(1000))
    assert all(drawn(f"{number:064x}", number, 1.0) for number in range(1000))


def test_risk_grows_with_every_finding() -> None:
    sure, doubt, fine = found(Outcome.ANOMALY, 0.9), found(Outcome.UNCERTAIN, 0.2), found(Outcome.PASS, 0.6)
    assert risk([]) == risk([fine]) == 0
    assert risk([sure]) == pytest.approx(0.9)
    assert risk([sure, doubt, fine]) == pytest.approx(0.95)


def test_a_drawn_document_shows_a_pass_of_a_field_as_a_doubt() -> None:
    whole, one, two = found(Outcome.PASS, 1, None), found(Outcome.PASS, 1, "a"), found(Outcome.PASS, 1, "b")
    shown = {shown_finding([whole, one, two], "d" * 64, number).field for number in range(50)}
    assert shown == {"a", "b"}
    assert shown_finding([whole], "d" * 64, 1) is whole
    assert all(0.5 <= shown_risk("d" * 64, number) < 1 for number in range(50))
    assert doubted("The signature is there.") == "The signature is there, but this is not certain enough."
