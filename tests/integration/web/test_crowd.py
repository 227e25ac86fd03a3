"""Twenty reviewers at once: no document is decided twice, and what one has in hand nobody else gets."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx2
from sqlalchemy import text

from tests.integration.records.casework import RULES, put
from tests.integration.records.steps import finding
from tests.integration.web.serving import serving
from tests.services import Services
from web import csrf
from web.context import Context
from web.identity import Identity

REVIEWERS = 20
#: They stop after so long, or once everything is decided.
SECONDS = 20.0
DOCUMENTS = 250


def test_twenty_reviewers_never_get_in_each_others_way(postgres: Services, tmp_path: Path) -> None:
    with serving(postgres, tmp_path, RULES) as desk:
        for number in range(DOCUMENTS):
            put(desk.sessions, f"form {number}", [finding(), finding("date.missing")][: 1 + number % 2])
        context = Context.of(desk.config)
        hands: dict[str, str] = {}
        decided: list[tuple[str, int]] = []
        wrong: list[str] = []
        lock, end = threading.Lock(), time.monotonic() + SECONDS

        def reviewer(name: str, identity: Identity) -> None:
            secret = identity.begin(name, name, ["reviewer"])
            headers = {"X-CSRF-Token": csrf.token(secret)}
            with httpx2.Client(base_url=desk.url, cookies={"docvigil": secret}, headers=headers, timeout=60) as client:
                while time.monotonic() < end:
                    taken = client.post("/api/v1/queue/next", json={}).json()["document_id"]
                    if taken is None:
                        return
                    with lock:
                        if (other := hands.setdefault(taken, name)) != name:
                            wrong.append(f"{taken[:8]} went to {name} and {other}")
                    case = client.get(f"/api/v1/queue/{taken}").json()
                    for one in case["findings"]:
                        body = {"finding_id": one["id"], "decision": "confirmed"}
                        answer = client.post("/api/v1/reviews", json=body)
                        if answer.status_code != 201:
                            wrong.append(f"{name} lost {taken[:8]}: {answer.text}")
                        else:
                            decided.append((name, one["id"]))
                    # Everybody also grasps at what is in other hands.
                    foreign = next((id_ for id_, owner in [*hands.items()][-REVIEWERS:] if owner != name), None)
                    if foreign and client.put(f"/api/v1/documents/{foreign}/claim").status_code != 409:
                        wrong.append(f"{name} kept what {foreign[:8]}'s reviewer has")

        threads = [threading.Thread(target=reviewer, args=(f"r{n}", context.identity)) for n in range(REVIEWERS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        context.close()
        assert wrong == []
        assert len(decided) > REVIEWERS
        with desk.sessions.begin() as session:
            reviews = session.execute(text("SELECT reviewer, finding_id FROM reviews")).all()
            late = session.execute(text("SELECT count(*) FROM cases WHERE stage = 'decided' AND undecided <> '{}'"))
            assert late.scalar_one() == 0
        assert sorted((row.reviewer, row.finding_id) for row in reviews) == sorted(decided)
        assert len({row.finding_id for row in reviews}) == len(reviews), "a finding was decided twice"
