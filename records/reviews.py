"""Decisions of people on findings. None is ever changed: one that is taken back stays as withdrawn.

`decide` is the desk's: once a finding and round, under the claim; `review` is the operator's at the command line, who
may decide again. When the last finding of a round is decided the case moves on (`records/cases.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.orm import Session

from pipeline.desk import DeskRules
from pipeline.geometry import Box
from records import misses
from records.audit import event
from records.canonical import digest
from records.claims import held_by_another, hold
from records.desk_tables import Case
from records.privacy import masked
from records.queue import review_view
from records.tables import DECISIONS, Document, Finding, Review, Scan
from records.words import Decided, Refused, ReviewView

#: The round of reviews at each stage of a case.
ROUNDS = {"open": 1, "second": 2, "disputed": 3}
STAGES = {number: stage for stage, number in ROUNDS.items()}


@dataclass(frozen=True, slots=True)
class Decision:
    """`confirmed`, `dismissed`, or `corrected` with the value or the box that is right."""

    decision: str
    value: str | None = None
    box: Box | None = None
    note: str | None = None

    def check(self) -> None:
        """Raises Refused for one that makes no sense."""
        if self.decision not in DECISIONS:
            raise Refused(f"there is no decision {self.decision!r}; one is {', '.join(DECISIONS)}")
        if (self.decision == "corrected") != (self.value is not None or self.box is not None):
            raise Refused("a correction needs the value or the box that is right, and no other decision has one")


def decide(
    session: Session,
    finding_id: int,
    decision: Decision,
    *,
    reviewer: str,
    rules: DeskRules,
    supervisor: bool = False,
) -> Decided:
    """Decide on a finding that people are asked about, once in this round.

    The document must be unclaimed or claimed by the reviewer, whose it then is. Raises LookupError, and Refused where
    it is in other hands, decided already, or for somebody else to decide; the message says which.
    """
    decision.check()
    document_id, _ = _lock(session, finding_id)
    case = _case(session, finding_id)
    if case is None or finding_id not in case.asked:
        raise Refused(f"nobody is asked about finding {finding_id}; a defect that was missed is reported as such")
    if held_by_another(session, case, reviewer):
        raise Refused(f"document {document_id[:12]} is in somebody else's hands; take the next one")
    if finding_id not in case.undecided:
        raise Refused(f"finding {finding_id} is decided already; whoever decided may take it back for a while")
    _may(case, reviewer, supervisor)
    done = _write(session, document_id, finding_id, decision, reviewer, ROUNDS[case.stage])
    hold(case, reviewer, rules.claim_seconds)
    _count(session, case, finding_id, reviewer, rules)
    session.flush()
    return Decided(done, document_id, len(case.undecided), case.stage == "decided")


def review(
    session: Session,
    finding_id: int,
    decision: str,
    *,
    reviewer: str,
    value: str | None = None,
    note: str | None = None,
    rules: DeskRules | None = None,
) -> ReviewView:
    """Decide as the operator, whoever has the document in hand; a second thought replaces what was decided before.

    Once every finding asked about is decided, the document leaves the queue. The verdict stays as it was judged.
    Raises LookupError, and Refused where the document has been scanned again since.
    """
    chosen = Decision(decision, value, None, note)
    chosen.check()
    document_id, _ = _lock(session, finding_id)
    case = _case(session, finding_id)
    asked = case is not None and finding_id in case.undecided
    if not asked:
        _withdraw(session, Review.finding_id == finding_id)
    elif case is not None:
        _may(case, reviewer, supervisor=True)
    number = ROUNDS[case.stage] if asked and case is not None else 1
    done = _write(session, document_id, finding_id, chosen, reviewer, number)
    if asked and case is not None:
        _count(session, case, finding_id, reviewer, rules or DeskRules())
        session.flush()
    elif case is not None and case.stage == "decided":
        misses.withdraw_confirmed(session, case.scan_id)
        misses.confirmed(session, case)
    return done


def undo(session: Session, finding_id: int, *, reviewer: str, rules: DeskRules) -> None:
    """Take back one's own last decision on a finding, within the window, while nobody has gone on from it.

    The document is then in the reviewer's hands again. Raises LookupError and Refused.
    """
    document_id, of_scan = _lock(session, finding_id)
    case = _case(session, finding_id)
    last = session.scalars(_standing(finding_id).order_by(Review.round.desc()).limit(1)).one_or_none()
    if last is None or case is None or last.reviewer != reviewer:
        raise Refused(f"there is no decision of yours on finding {finding_id} to take back")
    age = session.execute(select(func.extract("epoch", func.clock_timestamp() - last.decided_at))).scalar_one()
    if age > rules.undo_seconds:
        raise Refused(f"a decision can be taken back for {rules.undo_seconds:g} seconds; ask a supervisor")
    later = select(Review.id).where(
        Review.finding_id == func.any(case.asked), Review.round > last.round, Review.withdrawn_at.is_(None)
    )
    if session.scalar(later.limit(1)) is not None or held_by_another(session, case, reviewer):
        raise Refused(f"somebody else has gone on with document {document_id[:12]}; ask a supervisor")
    _withdraw(session, Review.id == last.id)
    if case.stage == "decided":
        misses.withdraw_confirmed(session, of_scan)
    same_round = case.stage == STAGES[last.round]
    case.undecided = sorted({*case.undecided, finding_id}) if same_round else [finding_id]
    case.stage, case.decided_at = STAGES[last.round], None
    hold(case, reviewer, rules.claim_seconds)
    session.execute(update(Document).where(Document.id == document_id).values(reviewed_at=None, updated_at=func.now()))
    event(session, "review.withdrawn", document_id, actor=reviewer, finding=finding_id, review=last.id)
    session.flush()


def _may(case: Case, reviewer: str, supervisor: bool) -> None:
    if case.stage == "second" and reviewer in case.first_reviewers:
        raise Refused("a second opinion comes from somebody who has not decided on this document yet")
    if case.stage == "disputed" and not supervisor:
        raise Refused("two reviewers differ on this document; a supervisor decides")


def _lock(session: Session, finding_id: int) -> tuple[str, int]:
    """Lock the finding's document, so that of two reviewers who decide the last two findings one comes second."""
    found = session.execute(
        select(Document.id, Document.scan_id, Finding.scan_id.label("of_scan"))
        .select_from(Finding)
        .join(Scan, Scan.id == Finding.scan_id)
        .join(Document, Document.id == Scan.document_id)
        .where(Finding.id == finding_id)
        .with_for_update(of=Document, key_share=True)
    ).one_or_none()
    if found is None:
        raise LookupError(f"there is no finding {finding_id}")
    if found.scan_id != found.of_scan:
        raise Refused(f"document {found.id[:12]} has been scanned again; decide on the findings of its newest scan")
    return str(found.id), int(found.of_scan)


def _case(session: Session, finding_id: int) -> Case | None:
    of = select(Finding.scan_id).where(Finding.id == finding_id).scalar_subquery()
    locked = select(Case).where(Case.scan_id == of).with_for_update().execution_options(populate_existing=True)
    return session.scalars(locked).one_or_none()


def _write(
    session: Session, document_id: str, finding_id: int, chosen: Decision, reviewer: str, number: int
) -> ReviewView:
    if not reviewer.strip():
        raise Refused("a decision needs the reviewer's name")
    row = session.scalars(
        insert(Review)
        .values(
            finding_id=finding_id,
            reviewer=reviewer,
            decision=chosen.decision,
            value=None if chosen.value is None else masked(chosen.value),
            box=None if chosen.box is None else chosen.box.as_list(),
            note=None if chosen.note is None else masked(chosen.note),
            round=number,
        )
        .returning(Review)
    ).one()
    done = review_view(row)
    session.expunge(row)
    told = [done.reviewer, done.decision, done.value, None if done.box is None else done.box.as_list(), done.note]
    event(
        session,
        "review",
        document_id,
        actor=reviewer,
        finding=finding_id,
        review=done.id,
        round=number,
        decision=chosen.decision,
        digest=digest(told),
    )
    return done


def _count(session: Session, case: Case, finding_id: int, reviewer: str, rules: DeskRules) -> None:
    """One finding less; after the last one the case moves on."""
    case.undecided = [one for one in case.undecided if one != finding_id]
    if case.stage == "open" and reviewer not in case.first_reviewers:
        case.first_reviewers = [*case.first_reviewers, reviewer]
    if case.undecided:
        return
    following = None
    if case.stage == "open":
        following = ("second", _of_checks(session, case.asked, rules.four_eyes))
    elif case.stage == "second":
        following = ("disputed", _differing(session, case.asked))
    # The next round's is nobody's yet, and the assignee was asked for the first one.
    case.claimed_by = case.claim_expires_at = None
    if following is not None and following[1]:
        case.stage, case.undecided = following
        case.assignee = None
        event(session, f"case.{case.stage}", case.document_id, scan=case.scan_id, findings=len(case.undecided))
    else:
        _close(session, case)


def _close(session: Session, case: Case) -> None:
    now = session.execute(select(func.now())).scalar_one()
    case.stage, case.decided_at = "decided", now
    late = case.due_at is not None and now > case.due_at
    session.execute(
        update(Document)
        .where(Document.id == case.document_id, Document.status == "flagged")
        .values(reviewed_at=func.coalesce(Document.reviewed_at, func.now()), updated_at=func.now())
        .execution_options(synchronize_session=False)
    )
    misses.confirmed(session, case)
    event(session, "decision", case.document_id, scan=case.scan_id, late=late)


def _of_checks(session: Session, finding_ids: Sequence[int], checks: frozenset[str]) -> list[int]:
    rows = select(Finding.id).where(Finding.id == func.any(list(finding_ids)), Finding.check == func.any(list(checks)))
    return sorted(session.scalars(rows))


def _differing(session: Session, finding_ids: Sequence[int]) -> list[int]:
    """The findings on which the second opinion is another than the first: the decision, or the value that is right."""
    rows = session.execute(
        select(Review.finding_id)
        .where(Review.finding_id == func.any(list(finding_ids)), Review.withdrawn_at.is_(None), Review.round <= 2)
        .group_by(Review.finding_id)
        .having(func.count(func.distinct(func.concat_ws("|", Review.decision, Review.value))) > 1)
    )
    return sorted(row.finding_id for row in rows)


def _withdraw(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(
        update(Review)
        .where(which, Review.withdrawn_at.is_(None))
        .values(withdrawn_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _standing(finding_id: int) -> Select[Review]:
    return select(Review).where(Review.finding_id == finding_id, Review.withdrawn_at.is_(None))
