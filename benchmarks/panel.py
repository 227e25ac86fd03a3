"""Reviewers who are not there: they decide by the truth, with errors, the way the desk lets people decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.branch import FIELDS, Truth
from pipeline.desk import DeskRules
from records import claims, misses, reviews
from records.desk_tables import Case
from records.reviews import Decision
from records.tables import Arrival, Finding

SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """`errors`: the share of decisions that are wrong, a class; `usual` in those not named."""

    name: str
    errors: Mapping[str, float] = field(default_factory=dict)
    usual: float = 0.02

    def says(self, defect: bool, check: str, rng: np.random.Generator) -> str:
        """What the reviewer decides on a finding."""
        wrong = bool(rng.random() < self.errors.get(check, self.usual))
        return "confirmed" if defect != wrong else "dismissed"


@dataclass(frozen=True, slots=True)
class Panel:
    """Everybody who decides; what two of them differ on goes to a supervisor who knows the truth."""

    sessions: sessionmaker[Session]
    rules: DeskRules
    reviewers: Sequence[Reviewer]
    rng: np.random.Generator

    def decide_all(self, truths: Mapping[str, Truth]) -> int:
        """Decides on everything that waits, by the truth of each path; how many decisions that took."""
        count = 0
        # What one has decided may wait for another; what two differ on waits for the supervisor, at last.
        for people in (self.reviewers, [Reviewer(SUPERVISOR, usual=0.0)]):
            while done := sum(self._decide_next(one, truths) for one in people):
                count += done
        return count

    def _decide_next(self, one: Reviewer, truths: Mapping[str, Truth]) -> int:
        with self.sessions.begin() as session:
            supervisor = one.name == SUPERVISOR
            document = claims.next_for(session, one.name, seconds=self.rules.claim_seconds, supervisor=supervisor)
            if document is None:
                return 0
            case = session.scalars(select(Case).where(Case.document_id == document, Case.waiting)).one()
            truth = truths[self._path(session, document)]
            findings = session.scalars(select(Finding).where(Finding.id.in_(list(case.undecided)))).all()
            if case.stage == "open":
                self._report_missed(session, one, document, case, truth)
            for finding in findings:
                said = one.says(_real(finding, truth), finding.check, self.rng)
                reviews.decide(
                    session, finding.id, Decision(said), reviewer=one.name, rules=self.rules, supervisor=supervisor
                )
            return len(findings)

    def _report_missed(self, session: Session, one: Reviewer, document: str, case: Case, truth: Truth) -> None:
        """A defect that nobody is asked about is seen all the same by whoever looks at the page."""
        asked = set(session.scalars(select(Finding.field).where(Finding.id.in_(list(case.asked)))))
        for place in truth.defects:
            check = FIELDS[place]
            if place not in asked and one.says(True, check, self.rng) == "confirmed":
                misses.report(session, document, reporter=one.name, page=1, check=check, field=place)

    def _path(self, session: Session, document: str) -> str:
        path = session.scalars(select(Arrival.path).where(Arrival.document_id == document).limit(1)).one()
        return path.rsplit("/", 1)[-1]


def _real(finding: Finding, truth: Truth) -> bool:
    """Whether what the finding asks about is a defect."""
    return finding.check == FIELDS.get(finding.field or "") and truth.defect(finding.field)
