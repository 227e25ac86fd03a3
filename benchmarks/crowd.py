"""Reviewers at a running desk, over HTTP: asking for its pages at a steady rate, or all deciding at once."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2
import structlog
import uvicorn
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from web import csrf
from web.app import create
from web.config import WebConfig
from web.identity import Identity

REVIEWERS = 20
EVER = datetime(2000, 1, 1, tzinfo=UTC)
#: Seconds until a server answers.
START_SECONDS = 60.0


@dataclass
class Crowd:
    """What deciding came to. `hands`: who got a document, `decided`: by whom each finding was, `wrong`: sentences."""

    hands: dict[str, str] = field(default_factory=dict)
    decided: list[tuple[str, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def served(config: WebConfig) -> Iterator[None]:
    """Serves the desk at its `public_url`, in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(config,), daemon=True)
    process.start()
    try:
        _until_answered(config.public_url, process)
        yield
    finally:
        process.terminate()
        process.join()


def free_address() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def sign_in(identity: Identity, count: int = REVIEWERS) -> dict[str, str]:
    """So many reviewers signed in: the secret of each one's cookie, by name."""
    names = [f"reviewer-{number}" for number in range(count)]
    return {name: identity.begin(name, name, ["reviewer"]) for name in names}


@contextmanager
def browser(url: str, secret: str) -> Iterator[httpx2.Client]:
    headers = {"X-CSRF-Token": csrf.token(secret)}
    with httpx2.Client(base_url=url, cookies={"docvigil": secret}, headers=headers, timeout=60) as client:
        yield client


def ask_steadily(
    url: str, secrets: Mapping[str, str], pages: Mapping[str, list[str]], *, rate: float, seconds: float
) -> tuple[dict[str, list[float]], list[str]]:
    """Asks for pages in turn, `rate` a second whether the ones before were answered or not, each by another reviewer.

    `pages`: addresses by what they are called, taken in turn; `POST ` before one sends an empty object. Milliseconds
    from when each was due to its last byte, by what it is called, and what was answered with anything but success.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    wrong: list[str] = []
    turns = {name: itertools.cycle(addresses) for name, addresses in pages.items()}

    def ask(client: httpx2.Client, name: str, address: str, due: float) -> None:
        post = address.startswith("POST ")
        answer = client.post(address.removeprefix("POST "), json={}) if post else client.get(address)
        taken[name].append((time.perf_counter() - due) * 1000)
        if not answer.is_success:
            wrong.append(f"{name}: {answer.status_code}")

    with ExitStack() as opened, ThreadPoolExecutor(len(secrets) * 2) as pool:
        clients = [opened.enter_context(browser(url, secret)) for secret in secrets.values()]
        started = time.perf_counter()
        asked = []
        for number in range(int(rate * seconds)):
            due = started + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            name = list(turns)[number % len(turns)]
            # Another step than that of the pages, so that everybody asks for everything.
            client = clients[(number // len(turns) + number) % len(clients)]
            asked.append(pool.submit(ask, client, name, next(turns[name]), due))
        for one in asked:
            one.result()
    return dict(taken), wrong


def decide_all(url: str, secrets: Mapping[str, str], *, seconds: float) -> Crowd:
    """Everybody takes the next document and decides on all that is asked about it, until the time is over or nothing
    waits; and grasps meanwhile at what is in other hands."""
    crowd, end = Crowd(), time.monotonic() + seconds
    with ThreadPoolExecutor(len(secrets)) as pool:
        for one in [pool.submit(_decide, crowd, url, name, secret, end) for name, secret in secrets.items()]:
            one.result()
    return crowd


def troubles(made: sessionmaker[Session], crowd: Crowd, since: datetime = EVER) -> list[str]:
    """What the database says of the time since then against what the reviewers were told: sentences, none where all is
    well."""
    found = list(crowd.wrong)
    with made.begin() as session:
        rows = session.execute(
            text("""
                SELECT r.reviewer, r.finding_id, s.document_id FROM reviews r
                  JOIN findings f ON f.id = r.finding_id JOIN scans s ON s.id = f.scan_id
                 WHERE r.withdrawn_at IS NULL AND r.decided_at >= :since
            """),
            {"since": since},
        ).all()
        halves = session.scalar(
            text(
                "SELECT count(*) FROM cases WHERE stage = 'decided' AND undecided <> '{}' AND document_id = ANY(:ids)"
            ),
            {"ids": list(crowd.hands)},
        )
        passed_on = session.scalar(
            text("""
                SELECT count(*) FROM (SELECT subject FROM events
                                       WHERE kind = 'case.claimed' AND subject = ANY(:ids) AND at >= :since
                                       GROUP BY subject HAVING count(*) > 1) twice
            """),
            {"ids": list(crowd.hands), "since": since},
        )
    if sorted((row.reviewer, row.finding_id) for row in rows) != sorted(crowd.decided):
        found.append("the decisions in the database are not those that were answered")
    if len({row.finding_id for row in rows}) != len(rows):
        found.append("a finding was decided twice")
    by = defaultdict(set)
    for row in rows:
        by[row.document_id].add(row.reviewer)
    found += [f"document {one[:8]} was decided by {len(who)} reviewers" for one, who in by.items() if len(who) > 1]
    found += [
        f"document {one[:8]} was not decided by who had it" for one, who in by.items() if who != {crowd.hands[one]}
    ]
    if halves:
        found.append(f"{halves} documents count as decided and are not")
    if passed_on:
        found.append(f"{passed_on} documents were claimed more than once")
    return found


def _decide(crowd: Crowd, url: str, name: str, secret: str, end: float) -> None:
    with browser(url, secret) as client:
        while time.monotonic() < end:
            taken = client.post("/api/v1/queue/next", json={}).json()["document_id"]
            if taken is None:
                return
            with crowd.lock:
                if (other := crowd.hands.setdefault(taken, name)) != name:
                    crowd.wrong.append(f"{taken[:8]} went to {name} and {other}")
                foreign = next((one for one, who in [*crowd.hands.items()][-REVIEWERS:] if who != name), None)
            case = client.get(f"/api/v1/queue/{taken}").json()
            for number in [one["id"] for one in case["findings"] if one["undecided"]]:
                answer = client.post("/api/v1/reviews", json={"finding_id": number, "decision": "confirmed"})
                if answer.status_code == 201:
                    crowd.decided.append((name, number))
                else:
                    crowd.wrong.append(f"{name} lost {taken[:8]}: {answer.text}")
            if foreign and client.put(f"/api/v1/documents/{foreign}/claim").status_code != 409:
                crowd.wrong.append(f"{name} kept what {foreign[:8]}'s reviewer has")


def _serve(config: WebConfig) -> None:
    # A line a request would be most of what is printed.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    host, _, port = config.public_url.removeprefix("http://").partition(":")
    uvicorn.run(create(config), host=host, port=int(port), access_log=False, log_config=None)


def _until_answered(url: str, process: multiprocessing.process.BaseProcess) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx2.get(f"{url}/healthz", timeout=5).raise_for_status()
            return
        except httpx2.HTTPError as error:
            if not process.is_alive() or time.monotonic() > end:
                raise RuntimeError(f"The desk did not start within {START_SECONDS:.0f} s.") from error
            time.sleep(0.2)
