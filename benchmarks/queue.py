"""The desk on many documents: its queries, its pages under load, and twenty reviewers who decide at once.

    python -m benchmarks.queue --documents 100000 1000000 --plans --seconds 120 --deciding 300

Fills a database of its own a size with documents, six findings each, of which a third is flagged and a tenth of those
waits for a decision. Of each size: what the desk asks, many times, in milliseconds of the whole call in Python, with
the plan and the blocks read (which other work on the machine doesn't change); then the pages over HTTP from a process
of its own, ten requests a second from twenty reviewers in turn whether or not the ones before are answered, in
milliseconds from when each was due to its last byte. Then the largest against the smallest of this one run; and in the
largest everybody decides for so many seconds, after which the database is asked whether anything was decided twice.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from benchmarks import crowd
from benchmarks.filling import fill
from pipeline.desk import DeskRules
from records import claims, desk, reviews, tallies
from records.database import engine, sessions
from records.desk_filters import Filters
from records.desk_tables import Case
from records.desk_words import Sort
from records.reviews import Decision
from records.tables import Document
from tests.services import Services, services
from web.config import WebConfig
from web.context import Context

#: What p95 must stay under, milliseconds.
PROMISE = 50.0

Ask = Callable[[Session, int], object]


def questions(ids: list[str]) -> dict[str, Ask]:
    """What the desk asks, by name; each is called with a session and a running number."""
    checks = ["signature.missing", "date.stale", "page.poor"]

    def at(sort: Sort = "risk", **filters: Any) -> Ask:
        chosen = Filters(**filters)
        return lambda session, number: desk.page(session, f"reviewer-{number % 20}", filters=chosen, sort=sort)

    def later(session: Session, number: int) -> object:
        first = desk.page(session, "alice", limit=50)
        return desk.page(session, "alice", limit=50, after=first.after)

    return {
        "page by risk": lambda session, number: desk.page(session, f"reviewer-{number % 20}"),
        "page by age": lambda session, number: desk.page(session, f"reviewer-{number % 20}", sort="age"),
        "two pages": later,
        "check": lambda session, number: desk.page(session, "alice", filters=Filters(check=checks[number % 3])),
        "type": at(doctype="pledge"),
        "source": at(source_id=3),
        "assignee": at(assignee="reviewer-4"),
        "unassigned": at(assignee=""),
        "old": at(older_than=timedelta(days=5)),
        "new": at(newer_than=timedelta(hours=1)),
        "risk": at(risk_to=0.2),
        "overdue": at(sla="overdue"),
        "soon": at(sla="soon"),
        "check, type and source": at(check="date.stale", doctype="pledge", source_id=3),
        "nothing fits": at(check="aadhaar.unmasked"),
        "rare here, frequent elsewhere": at(check="page.poor"),
        "the same by age": at(check="page.poor", sort="age"),
        "check by age": at(check="date.stale", sort="age"),
        "type by age": at(doctype="pledge", sort="age"),
        "highest risk by age": at(risk_from=0.99, sort="age"),
        "in time": at(sla="in_time"),
        "never due": at(sla="none"),
        "disputed": lambda session, _: desk.page(
            session, "supervisor", supervisor=True, filters=Filters(stage="disputed")
        ),
        "second opinions": at(stage="second"),
        "next of a filter": lambda session, number: claims.next_for(
            session, f"reviewer-{number}", seconds=600, filters=Filters(check="date.stale")
        ),
        "counts": lambda session, _: tallies.counts(session),
        "due": lambda session, _: tallies.due(session),
        "count of a filter": lambda session, _: desk.count(session, "alice", filters=Filters(check="date.stale")),
        "count of three filters": lambda session, _: desk.count(
            session, "alice", filters=Filters(check="date.stale", doctype="pledge", source_id=3)
        ),
        "count of what is old": lambda session, _: desk.count(
            session, "alice", filters=Filters(older_than=timedelta(days=5))
        ),
        "next": lambda session, number: claims.next_for(session, f"reviewer-{number}", seconds=600),
        "document": lambda session, number: desk.document(session, ids[number % len(ids)], "alice"),
    }


def measure(made: sessionmaker[Session], ask: Ask, times: int) -> list[float]:
    taken = []
    for number in range(times):
        started = time.perf_counter()
        with made.begin() as session:
            ask(session, number)
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)


def decide_some(made: sessionmaker[Session], times: int) -> list[float]:
    """Next document, its page, and a decision on each finding: a reviewer's round."""
    taken, rules = [], DeskRules()
    for number in range(times):
        started = time.perf_counter()
        with made.begin() as session:
            one = claims.next_for(session, f"decider-{number % 20}", seconds=600)
        if one is None:
            break
        with made.begin() as session:
            asked = [each.id for each in desk.document(session, one, "x").findings if each.undecided]
        for each in asked:
            with made.begin() as session:
                reviews.decide(session, each, Decision("confirmed"), reviewer=f"decider-{number % 20}", rules=rules)
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)


@dataclass(frozen=True)
class Plan:
    """A query of a question: time in the server, blocks read, and the plan's nodes from the top."""

    ms: float
    blocks: int
    nodes: str


def plans(made: sessionmaker[Session], ask: Ask) -> list[Plan]:
    """The queries that a question comes to."""
    seen: list[tuple[str, Any]] = []
    with made() as session:
        connection = session.connection()

        def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.lstrip().startswith("SELECT"):
                seen.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        ask(session, 1)
        event.remove(connection, "before_cursor_execute", note)
        told = []
        for statement, parameters in seen:
            asked = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + statement
            found = connection.exec_driver_sql(asked, parameters).scalar_one()[0]
            blocks = found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"]
            told.append(Plan(found["Execution Time"], blocks, " < ".join(_nodes(found["Plan"]))))
        session.rollback()
    return told


def _nodes(node: dict[str, Any]) -> Iterator[str]:
    yield node["Node Type"] + (f" {node['Index Name']}" if "Index Name" in node else "")
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def pages(made: sessionmaker[Session]) -> dict[str, list[str]]:
    """The addresses that reviewers ask for, by what is measured."""
    with made.begin() as session:
        waiting = session.scalars(select(Case.document_id).where(Case.waiting).limit(2000)).all()
    ids = random.Random(1).sample(waiting, min(500, len(waiting)))
    narrowed = [
        "check=date.stale", "check=page.poor", "type=pledge", "source=3", "assignee=reviewer-4", "assignee=-",
        "older_than_hours=120", "newer_than_hours=1", "risk_from=0.9", "risk_to=0.2", "sla=overdue", "sla=soon",
        "check=date.stale&type=pledge&source=3", "check=date.stale&sort=age", "risk_from=0.99&sort=age",
    ]  # fmt: skip
    return {
        "queue page": ["/", "/?sort=age"],
        "filter": [f"/?{one}" for one in narrowed],
        "next for me": ["POST /api/v1/queue/next"],
        "document page": [f"/documents/{one}" for one in ids],
        "counts": ["/api/v1/queue/counts"],
    }


def summary(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return {"p50_ms": round(middle, 1), "p95_ms": round(late, 1)}


def say(**told: object) -> None:
    print(json.dumps(told), flush=True)


@dataclass
class Size:
    """What was measured on so many documents: plans by question, p95 by question or page."""

    documents: int
    plans: dict[str, list[Plan]] = field(default_factory=dict)
    p95: dict[str, float] = field(default_factory=dict)


def measure_size(started: Services, name: str, documents: int, given: argparse.Namespace, last: bool) -> Size:
    """Fills the database, and measures all that is asked for. Deciding comes last and changes it."""
    before = time.perf_counter()
    fill(started.url(name, owner=True), documents)
    say(documents=documents, filled_in_s=round(time.perf_counter() - before))
    database = engine(started.url(name), pool_size=crowd.REVIEWERS, plan_for_values=True)
    made, size = sessions(database), Size(documents)
    with made.begin() as session:
        flagged = list(session.scalars(select(Document.id).where(Document.status == "flagged").limit(1000)))
    random.Random(1).shuffle(flagged)
    for what, ask in questions(flagged).items():
        size.plans[what] = plans(made, ask)
        if given.plans:
            for one in size.plans[what]:
                say(documents=documents, question=what, server_ms=round(one.ms, 1), blocks=one.blocks, plan=one.nodes)
        if given.times:
            told = summary(measure(made, ask, given.times))
            size.p95[what] = told["p95_ms"]
            say(documents=documents, question=what, **told, kept=told["p95_ms"] <= PROMISE)
    if given.times:
        say(documents=documents, question="a reviewer's round", **summary(decide_some(made, given.times)))
    if given.seconds or (last and given.deciding):
        with tempfile.TemporaryDirectory() as folder:
            config = WebConfig(started.url(name), started.redis_url, folder, crowd.free_address())
            context = Context.of(config)
            secrets = crowd.sign_in(context.identity)
            context.close()
            with crowd.served(config):
                if given.seconds:
                    _load(made, config.public_url, secrets, size, given)
                if last and given.deciding:
                    _deciding(made, config.public_url, secrets, given.deciding)
    database.dispose()
    return size


def _load(
    made: sessionmaker[Session], url: str, secrets: dict[str, str], size: Size, given: argparse.Namespace
) -> None:
    asked = pages(made)
    # What a process does only once, and the first look at every page, is not what reviewers wait for all day.
    crowd.ask_steadily(url, secrets, asked, rate=given.rate, seconds=10)
    taken, wrong = crowd.ask_steadily(url, secrets, asked, rate=given.rate, seconds=given.seconds)
    for what, times in taken.items():
        told = summary(times)
        size.p95[f"HTTP: {what}"] = told["p95_ms"]
        say(documents=size.documents, page=what, requests=len(times), **told, kept=told["p95_ms"] <= PROMISE)
    say(documents=size.documents, rate=given.rate, seconds=given.seconds, failed=len(wrong), first=wrong[:3])


def _deciding(made: sessionmaker[Session], url: str, secrets: dict[str, str], seconds: float) -> None:
    with made.begin() as session:
        session.execute(update(Case).where(Case.claimed_by.is_not(None)).values(claimed_by=None, claim_expires_at=None))
        # Reviews and claims from here on are the crowd's.
        since = session.execute(select(func.clock_timestamp())).scalar_one()
    before = time.monotonic()
    done = crowd.decide_all(url, secrets, seconds=seconds)
    took = time.monotonic() - before
    wrong = crowd.troubles(made, done, since)
    say(deciding_s=round(took), reviewers=len(secrets), documents=len(done.hands), decisions=len(done.decided))
    say(troubles=len(wrong), first=wrong[:5])


def compare(small: Size, large: Size) -> None:
    """The largest against the smallest: whether the plans are the same, and how p95 grows."""
    for what, ours in large.plans.items():
        theirs = small.plans[what]
        say(
            question=what,
            same_plan=[one.nodes for one in ours] == [one.nodes for one in theirs],
            blocks=[sum(one.blocks for one in both) for both in (theirs, ours)],
        )
    for what, late in large.p95.items():
        say(what=what, p95_ms=[small.p95[what], late], ratio=round(late / max(small.p95[what], 0.1), 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[100_000], help="Sizes, the smallest first.")
    parser.add_argument("--times", type=int, default=100, help="How often each question is asked; 0: only its plan.")
    parser.add_argument("--plans", action="store_true", help="Print the plan of each query too.")
    parser.add_argument("--seconds", type=float, default=0, help="How long pages are asked for over HTTP.")
    parser.add_argument("--rate", type=float, default=10, help="Requests a second.")
    parser.add_argument("--deciding", type=float, default=0, help="How long twenty reviewers decide, in seconds.")
    given = parser.parse_args()
    say(machine=platform.machine(), cores=os.cpu_count(), load=[round(one, 1) for one in os.getloadavg()])
    sizes = []
    with services() as started:
        for documents in given.documents:
            with started.database() as name:
                last = documents == given.documents[-1]
                sizes.append(measure_size(started, name, documents, given, last))
    if len(sizes) > 1:
        compare(sizes[0], sizes[-1])
    say(documents=given.documents, times=given.times, load=[round(one, 1) for one in os.getloadavg()])


if __name__ == "__main__":
    main()
