"""The desk's queries on many documents: `python -m benchmarks.queue --documents 100000`.

Fills a database of its own with documents, six findings each, of which a third is flagged and a tenth waits for a
decision; then asks what the desk asks, many times, and prints the times in milliseconds and the plan of each query.
Times are those of the whole call in Python on this machine, whatever else runs on it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from pipeline.desk import DeskRules
from records import claims, desk, reviews, tallies
from records.database import engine, sessions
from records.desk_filters import Filters
from records.reviews import Decision
from tests.services import Services, services

#: What p95 must stay under, milliseconds.
PROMISE = 50.0

FILL = """
SET session_replication_role = replica;
INSERT INTO sources (kind, location) SELECT 'folder', '/drop/' || n FROM generate_series(1, 8) n;
CREATE TEMP TABLE d AS
SELECT n, encode(sha256(n::text::bytea), 'hex') AS id,
       CASE WHEN n %% 3 = 0 THEN 'flagged' ELSE 'clear' END AS status,
       now() - make_interval(secs => (%(documents)s - n) * 20) AS at,
       n %% 10 = 0 AND n %% 3 = 0 AS decided_not,
       ARRAY[(ARRAY['kyc-individual', 'delivery-instruction', 'transmission', 'nomination', 'pledge', 'closure'])
             [1 + (n * 7919 %% 13) %% 6]] AS types
  FROM generate_series(1, %(documents)s::bigint) n;
INSERT INTO arrivals (id, source_id, identity, path, status, document_id, arrived_at)
OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 8, n::text, '/drop/' || n || '.pdf', 'document', id, at FROM d;
INSERT INTO scans (id, document_id, number, arrival_id, cause, judged_on, stage, verdict, model_version, rules_version,
                   doctypes_version, document_types, manifest, created_at, finished_at)
SELECT n, id, 1, n, 'arrival', at::date, 'done', status, 'model-1', 'rules-1', 'types-1', types, '{"pages": []}', at, at
  FROM d;
INSERT INTO documents (id, size, media_type, status, scan_id, created_at, verdict_at, reviewed_at)
SELECT id, 1, 'application/pdf', status, n, at, at, CASE WHEN status = 'flagged' AND NOT decided_not THEN at END FROM d;
INSERT INTO findings (id, scan_id, page, field, "check", ordinal, outcome, confidence, box, message)
OVERRIDING SYSTEM VALUE
SELECT n * 6 + k, n, 1, 'field_' || k,
       (ARRAY['signature.missing', 'date.missing', 'date.stale', 'endorsement.missing', 'ink.unexpected', 'page.poor'])
       [1 + k], 0,
       CASE WHEN status = 'flagged' AND (k = (n / 3) %% 6 OR k = (n / 7) %% 5)
            THEN CASE WHEN n %% 2 = 0 THEN 'anomaly' ELSE 'uncertain' END ELSE 'pass' END,
       0.5 + (n * 31 + k * 17) %% 500 / 1000.0, '{0.1,0.1,0.2,0.2}', 'A sentence about what was found on the page.'
  FROM d CROSS JOIN generate_series(0, 5) k;
INSERT INTO cases (scan_id, document_id, source_id, cause, stage, risk, document_types, checks, asked, undecided,
                   verdict_at, due_at, assignee, decided_at)
SELECT n, id, 1 + n %% 8, 'flagged', CASE WHEN decided_not THEN 'open' ELSE 'decided' END,
       (n * 104729 %% 100000) / 100000.0, types, f.checks, f.asked,
       CASE WHEN decided_not THEN f.asked ELSE '{}' END, at, at + interval '2 days',
       CASE WHEN n %% 4 = 0 THEN 'reviewer-' || n %% 20 END,
       CASE WHEN NOT decided_not THEN at END
  FROM d CROSS JOIN LATERAL (SELECT array_agg(DISTINCT "check") AS checks, array_agg(findings.id) AS asked
                               FROM findings WHERE scan_id = n AND outcome <> 'pass') f
 WHERE status = 'flagged';
INSERT INTO tallies
SELECT 'stage', stage, count(*) FROM cases WHERE waiting GROUP BY stage
UNION ALL SELECT 'source', source_id::text, count(*) FROM cases WHERE waiting GROUP BY source_id
UNION ALL SELECT 'assignee', coalesce(assignee, ''), count(*) FROM cases WHERE waiting GROUP BY assignee
UNION ALL SELECT 'check', c, count(*) FROM cases, unnest(checks) c WHERE waiting GROUP BY c
UNION ALL SELECT 'type', t, count(*) FROM cases, unnest(document_types) t WHERE waiting GROUP BY t;
"""


def fill(url: str, documents: int) -> None:
    """Writes everything in the server itself, as the owner."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement.replace("%%", "%").replace("%(documents)s", str(documents)))
        connection.execute("VACUUM ANALYZE")


Ask = Callable[[Session, int], object]


def questions(ids: list[str]) -> dict[str, Ask]:
    """What the desk asks, by name; each is called with a session and a running number."""
    checks = ["signature.missing", "date.stale", "page.poor"]

    def at(**filters: Any) -> Ask:
        return lambda session, number: desk.page(session, f"reviewer-{number % 20}", filters=Filters(**filters))

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
        "counts": lambda session, _: tallies.counts(session),
        "due": lambda session, _: tallies.due(session),
        "count of a filter": lambda session, _: desk.count(session, "alice", filters=Filters(check="date.stale")),
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


def decide_all(made: sessionmaker[Session], times: int) -> list[float]:
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


def plan(made: sessionmaker[Session], ask: Ask) -> list[str]:
    """The queries that a question comes to: time in the server, blocks read (which other work on the machine doesn't
    change), and the plan's nodes from the top."""
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
            with connection.connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + statement, parameters)
                found = cursor.fetchone()[0][0]
                blocks = found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"]
                took = found["Execution Time"]
                told.append(f"{took:.1f} ms, {blocks} blocks: {' < '.join(_nodes(found['Plan']))}")
        session.rollback()
    return told


def _nodes(node: dict[str, Any]) -> Iterator[str]:
    yield node["Node Type"] + (f" {node['Index Name']}" if "Index Name" in node else "")
    for child in node.get("Plans", ()):
        yield from _nodes(child)


@contextmanager
def filled(documents: int) -> Iterator[tuple[Services, str]]:
    with services() as started, started.database() as name:
        before = time.perf_counter()
        fill(started.url(name, owner=True), documents)
        print(f"filled {documents} documents in {time.perf_counter() - before:.0f} s", file=sys.stderr)
        yield started, name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--plans", action="store_true", help="Print the plan of each query too.")
    given = parser.parse_args()
    with filled(given.documents) as (started, name):
        database = engine(started.url(name))
        made = sessions(database)
        with psycopg.connect(started.url(name)) as connection:
            flagged = connection.execute("SELECT id FROM documents WHERE status = 'flagged' LIMIT 1000").fetchall()
        ids = [row[0] for row in flagged]
        random.Random(1).shuffle(ids)
        asked = questions(ids)
        results: dict[str, list[float]] = {what: measure(made, ask, given.times) for what, ask in asked.items()}
        results["a reviewer's round"] = decide_all(made, given.times)
        for what, taken in results.items():
            p50, p95 = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
            line = {"question": what, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "kept": p95 <= PROMISE}
            print(json.dumps(line), flush=True)
            if given.plans and what in asked:
                for one in plan(made, asked[what]):
                    print(f"    {one}")
        database.dispose()
    print(json.dumps({"documents": given.documents, "times": given.times, "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
