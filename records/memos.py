"""What stands in a document's deficiency memo: the defects that people confirmed, each with its clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.memo import WORDS, Deficiency, Memo
from records import misses, queue
from records.audit import event
from records.desk_tables import Case
from records.registry import doctypes_of
from records.words import FindingView, Refused


def memo(session: Session, document_id: str, *, actor: str, written: date, timezone: str) -> Memo:
    """The memo of a document that is decided; writing one is an event.

    Raises LookupError, and Refused where something is undecided or nothing is to be put right.
    """
    one = queue.document(session, document_id)
    scan = one.scan
    stage = session.scalar(select(Case.stage).where(Case.scan_id == scan.id))
    reported = [miss for miss in misses.of_document(session, document_id) if stage in (None, "decided")]
    if stage != "decided" and not reported:
        raise Refused(f"document {document_id[:12]} is not decided yet; a memo tells what people confirmed")
    bodies = [
        body
        for key, body in sorted(doctypes_of(session, scan.doctypes_version or "").items())
        if key.partition("@")[0] in scan.document_types
    ]
    found = [
        Deficiency(each.page, _label(bodies, each.field), _what(each), _clause(bodies, each.rule))
        for each in one.findings
        if each.review is not None and each.review.decision == "confirmed"
    ]
    found += [
        Deficiency(
            each.page,
            _label(bodies, each.field),
            WORDS.get(each.check, each.check),
            _clause(bodies, _rule(bodies, each.field, each.check)),
        )
        for each in reported
    ]
    if not found:
        raise Refused(f"nothing on document {document_id[:12]} is to be put right; no memo is needed")
    event(session, "memo", document_id, actor=actor, scan=scan.id, deficiencies=len(found))
    return Memo(
        document=document_id,
        title=", ".join(body["title"] for body in bodies) or ", ".join(scan.document_types) or "unknown",
        received=one.arrivals[0].arrived_at.astimezone(ZoneInfo(timezone)).date(),
        written=written,
        deficiencies=sorted(found, key=lambda each: each.page),
    )


def _what(finding: FindingView) -> str:
    """The finding's own sentence where the machine was sure, else what the defect means."""
    return finding.message if finding.outcome == "anomaly" else WORDS.get(finding.check, finding.check)


def _label(bodies: Sequence[Mapping[str, Any]], name: str | None) -> str | None:
    for body in bodies:
        for field in body["fields"]:
            if field["name"] == name:
                return str(field["label"])
    return name


def _rule(bodies: Sequence[Mapping[str, Any]], field: str | None, check: str) -> str | None:
    """The rule under which a check is made on a field."""
    for body in bodies:
        of_field = [each for one in body["fields"] if one["name"] == field for each in one["checks"]]
        for each in [*of_field, *body["checks"]]:
            if each["check"] == check and each["rule"] is not None:
                return str(each["rule"])
    return None


def _clause(bodies: Sequence[Mapping[str, Any]], rule: str | None) -> str | None:
    for body in bodies:
        for each in body["rules"]:
            if each["id"] == rule:
                return f"{each['text']} ({each['source']})"
    return rule
