"""One document: its pages with frames, what was found and why, and the decisions of the one who has it in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from records import claims, desk, listing, misses
from records.desk_words import DeskDocument, DeskFinding
from records.words import Refused, ReviewView
from web.access import Caller, Person
from web.clauses import Rule, clauses
from web.context import Context, Desk
from web.labels import language
from web.narrowing import Narrowing
from web.opening import entries
from web.pages.checks import LABELS, called
from web.problems import sentence
from web.promises import Promise
from web.rendering import render
from web.sentences import told, worded

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with all that a person needs to decide, in words of the person's language. `number` is that of its
    frame; None for what passed."""

    number: int | None
    finding: DeskFinding
    called: str
    message: str
    label: str | None
    rule: Rule | None
    promise: Promise | None
    #: One's own decision that can still be taken back.
    undoable: ReviewView | None


@router.get("/documents/{document_id}")
def document_page(
    request: Request,
    context: Desk,
    person: Caller,
    document_id: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    wanted: Annotated[Narrowing, Query()],
) -> Response:
    """Opening it takes it into one's hands where it waits and one may decide."""
    with context.sessions.begin() as session:
        found, refused = _opened(session, context, person, document_id)
        state = listing.state(session, document_id)
        by = None if person.sees_all else person.subject
        missed = misses.of_document(session, document_id, by=by)
        shown = _shown(session, context, person, found, language(request))
    pages = entries(found.manifest)
    asked = [one for one in shown if one.number is not None]
    first = next((one for one in asked if one.finding.undecided), asked[0] if asked else None)
    return render(
        request,
        "document.html",
        document=found,
        state=state,
        pages=pages,
        first_page=_first_page(first, [one.number for one in pages]),
        asked=asked,
        passed=[one for one in shown if one.number is None],
        first=first,
        missed=missed,
        mine=found.claimed_by == person.subject,
        refused=refused,
        rules=context.config.rules,
        checks=LABELS,
        called=called,
        query=urlencode(wanted.narrowed()),
        wanted=wanted.narrowed(),
    )


def _opened(session: Session, context: Context, person: Person, document_id: str) -> tuple[DeskDocument, str | None]:
    """The document, claimed where that can be; else why it can't, for who would decide."""
    found = desk.document(session, document_id, person.subject, supervisor=person.sees_all)
    if found.round is None or not person.may("take_claim"):
        return found, None
    seconds = context.config.rules.claim_seconds
    if found.claimed_by == person.subject and claims.renew(session, document_id, person.subject, seconds=seconds):
        return found, None
    try:
        claims.claim(session, document_id, person.subject, seconds=seconds, supervisor=person.supervises)
    except (Refused, LookupError) as why:
        # A LookupError: it was decided a moment ago.
        return desk.document(session, document_id, person.subject, supervisor=person.sees_all), sentence(why)
    return desk.document(session, document_id, person.subject, supervisor=person.sees_all), None


def _shown(session: Session, context: Context, person: Person, document: DeskDocument, code: str) -> list[Shown]:
    known = clauses(session, document.doctypes_version, document.document_types)
    promises = None if document.model_version is None else context.config.promises(document.model_version)
    until = datetime.now(UTC) - timedelta(seconds=context.config.rules.undo_seconds)
    versions = (document.model_version, document.rules_version, document.document_types)
    shown, number = [], 0
    for one in sorted(document.findings, key=_place):
        number += one.outcome != "pass"
        last = one.review
        label = None if one.field is None else known.labels.get(one.field, one.field)
        rule = None if one.rule is None else known.rules.get(one.rule)
        shown.append(
            Shown(
                number=None if one.outcome == "pass" else number,
                finding=one,
                called=called(one.check),
                message=told(one.message, code, label),
                label=None if label is None else worded(label, code),
                rule=None if rule is None else Rule(worded(rule.text, code), worded(rule.source, code)),
                promise=None if promises is None else promises.of(one.check, *versions),
                undoable=last if last and last.reviewer == person.subject and last.decided_at > until else None,
            )
        )
    return shown


def _place(finding: DeskFinding) -> tuple[float, ...]:
    """The order in which a page is read; what is about the whole page comes first."""
    box = finding.box
    return (finding.page, -1.0, -1.0) if box is None else (finding.page, box.y0, box.x0)


def _first_page(first: Shown | None, numbers: list[int]) -> int | None:
    if first is not None and first.finding.page in numbers:
        return first.finding.page
    return numbers[0] if numbers else None
