"""Twenty reviewers at once: no document is decided twice, and what one has in hand nobody else gets."""

from __future__ import annotations

from pathlib import Path

from benchmarks.crowd import REVIEWERS, decide_all, sign_in, troubles
from tests.integration.records.casework import RULES, put
from tests.integration.records.steps import finding
from tests.integration.web.serving import serving
from tests.services import Services
from web.context import Context

#: They stop after so long, or once everything is decided; `python -m benchmarks.queue` lets them go on for longer.
SECONDS = 20.0
DOCUMENTS = 250


def test_twenty_reviewers_never_get_in_each_others_way(postgres: Services, tmp_path: Path) -> None:
    with serving(postgres, tmp_path, RULES) as desk:
        for number in range(DOCUMENTS):
            put(desk.sessions, f"form {number}", [finding(), finding("date.missing")][: 1 + number % 2])
        context = Context.of(desk.config)
        crowd = decide_all(desk.url, sign_in(context.identity), seconds=SECONDS)
        context.close()
        assert troubles(desk.sessions, crowd) == []
        assert len(crowd.decided) > REVIEWERS
        # Told otherwise than it was, it is noticed.
        who, number = crowd.decided.pop()
        assert troubles(desk.sessions, crowd) != []
        crowd.decided.append((who, number))
        crowd.hands = dict.fromkeys(crowd.hands, "nobody")
        assert troubles(desk.sessions, crowd) != []
