"""What the runbooks tell people to type does what they say."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from records import balance as balance_of
from records import outbox
from tests.integration.records.steps import document, prepare

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"


def test_stranded_scans_go_back_into_their_queues(sessions: sessionmaker[Session]) -> None:
    first, second = document(sessions, "a"), document(sessions, "b", priority=7)
    prepare(sessions, second)
    with sessions.begin() as session:
        session.execute(text("DELETE FROM outbox"))
    with sessions.begin() as session:
        assert "stand in no queue" in " ".join(balance_of.balance(session).differences)
    (repair,) = re.findall(r"```sql\n(.*?)```", (RUNBOOKS / "balance-shows-a-difference.md").read_text(), re.DOTALL)
    for _twice in range(2):
        with sessions.begin() as session:
            session.execute(text(repair))
    with sessions.begin() as session:
        assert balance_of.balance(session).differences == ()
    with sessions.begin() as session:
        assert [one.scan_id for one in outbox.publishable(session, "prepare", 10)] == [first]
        assert [one.scan_id for one in outbox.publishable(session, "infer", 10)] == [second]
