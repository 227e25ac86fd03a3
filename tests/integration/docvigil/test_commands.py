"""`docvigil balance` and `docvigil audit` on a database with documents in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from docvigil import cli
from docvigil.cli import scan
from docvigil.cli.common import opened
from docvigil.settings import settings
from pipeline.findings import Outcome, Verdict
from records import anchors, audit
from records.audit import GENESIS, link_hash
from records.database import engine
from records.objects import FolderStore
from tests.integration.records.steps import document, finding, judge, quarantine, sha, take

KEY = bytes(range(32))

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Runs a command on the test's database; its exit code and what it prints."""
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HOME": str(tmp_path),
        "AUDIT_KEY": KEY.hex(),
    }.items():
        monkeypatch.setenv(f"DOCVIGIL_{name}", value)
    settings.cache_clear()

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["docvigil", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(str(ended.value.code)), capsys.readouterr().out

    yield command
    settings.cache_clear()


@pytest.fixture
def owner(owner_url: str) -> Iterator[sessionmaker[Session]]:
    database = engine(owner_url)
    yield sessionmaker(database)
    database.dispose()


@pytest.fixture
def full(sessions: sessionmaker[Session], tmp_path: Path) -> sessionmaker[Session]:
    """A clear, a flagged and a quarantined document, one in flight; the chain anchored."""
    judge(sessions, document(sessions, "clear"), Verdict.CLEAR, [finding(outcome=Outcome.PASS)])
    judge(sessions, document(sessions, "flagged"))
    quarantine(sessions, document(sessions, "bad"))
    document(sessions, "waiting")
    with sessions.begin() as session:
        audit.chain_once(session)
    with sessions.begin() as session:
        assert anchors.anchor(session, FolderStore(tmp_path / "objects"), KEY)
    return sessions


def test_waiting_for_workers_that_are_not_there_is_told(
    run: Run, full: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scan, "STILL_SECONDS", 0.0)
    with opened() as desk:
        waiting = scan.Waiting(desk, {sha("waiting"), sha("clear")})
        waiting.look()
        assert waiting.settled == {sha("clear")}
        waiting.look()
        told = capsys.readouterr().err
        assert "No worker has done anything" in told and "1 documents wait" in told and "docvigil worker infer" in told
        with full.begin() as session:
            scan_id = session.execute(text("SELECT scan_id FROM documents WHERE status = 'in_flight'")).scalar_one()
        take(full, scan_id)
        waiting.look()
        assert capsys.readouterr().err == "", "somebody is at work"


def tamper(owner: sessionmaker[Session], statement: str) -> None:
    """What somebody does who has every right on the server."""
    with owner.begin() as session:
        session.execute(text("SET LOCAL session_replication_role = 'replica'"))
        session.execute(text(statement))


def test_the_balance_adds_up(run: Run, full: sessionmaker[Session]) -> None:
    code, out = run("balance", "--json")
    told: dict[str, Any] = json.loads(out)
    assert (code, told["adds_up"], told["differences"]) == (0, True, [])
    assert [told[one] for one in ("arrivals", "refused", "duplicates", "documents")] == [4, 0, 0, 4]
    assert [told[one] for one in ("clear", "flagged", "quarantined", "in_flight")] == [1, 1, 1, 1]
    assert 0 <= told["oldest_in_flight_seconds"] < 60
    assert datetime.fromisoformat(told["at"]).tzinfo is not None
    assert [one["kind"] for one in told["sources"]] == ["folder"]
    code, out = run("balance")
    assert code == 0
    assert "4 documents = 1 clear + 1 flagged + 1 quarantined + 1 in flight" in out
    assert "The oldest in flight came" in out and "Everything adds up" in out


def test_a_difference_is_told_and_exits_with_1(
    run: Run, full: sessionmaker[Session], owner: sessionmaker[Session]
) -> None:
    tamper(owner, "DELETE FROM outbox")
    code, out = run("balance", "--json")
    assert (code, json.loads(out)["differences"]) == (1, ["1 scans in flight stand in no queue"])
    code, out = run("balance")
    assert code == 1 and "Difference: 1 scans in flight stand in no queue" in out
    assert "adds up" not in out


def test_a_whole_chain_and_its_tail(run: Run, full: sessionmaker[Session]) -> None:
    with full.begin() as session:
        audit.event(session, "test", "subject")
    code, out = run("audit", "verify", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["first_broken"], told["unchained"]) == (0, True, None, 1)
    assert (told["links"], told["anchors"], told["signed"]) == (told["head"]["sequence"], 1, 1)
    code, out = run("audit", "verify")
    assert code == 0
    assert "The chain is whole" in out and "1 events at its end are not chained yet" in out
    assert "1 anchored heads (1 of them signed)" in out


def test_the_first_broken_link_is_named(run: Run, full: sessionmaker[Session], owner: sessionmaker[Session]) -> None:
    tamper(owner, """UPDATE events SET body = replace(body, 'flagged', 'clear') WHERE kind = 'verdict'""")
    with full.begin() as session:
        first = next(one.sequence for one in audit.links(session) if '"verdict":"clear"' in (one.body or ""))
        flagged = [one.sequence for one in audit.links(session) if '"kind":"verdict"' in (one.body or "")][1]
    assert first < flagged
    code, out = run("audit", "verify", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["first_broken"]) == (1, False, flagged)
    code, out = run("audit", "verify")
    assert code == 1 and f"Broken at link {flagged}" in out


def test_a_chain_cut_short_and_a_forged_anchor_are_found(
    run: Run, full: sessionmaker[Session], owner: sessionmaker[Session], tmp_path: Path
) -> None:
    (file,) = (tmp_path / "objects" / "audit" / "anchors").iterdir()
    tamper(owner, "DELETE FROM chain WHERE sequence > 3")
    code, out = run("audit", "verify")
    assert code == 1 and "the chain ends at link 3" in out
    file.write_text(file.read_text().replace('"sequence":', '"sequence":1'))
    code, out = run("audit", "verify", "--json")
    assert (code, json.loads(out)["reason"]) == (1, "anchor 1 was changed after it was signed")


def test_an_export_can_be_verified_by_whoever_has_it_and_is_an_event(
    run: Run, full: sessionmaker[Session], tmp_path: Path
) -> None:
    file = tmp_path / "trail.jsonl"
    code, out = run("audit", "export", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert code == 0 and f"{len(lines)} links written" in out.replace("\n", " ")
    previous = GENESIS
    for number, line in enumerate(lines, start=1):
        assert (line["sequence"], line["previous_hash"]) == (number, previous.hex())
        previous = link_hash(previous, number, line["event"], datetime.fromisoformat(line["at"]), line["body"])
        assert line["hash"] == previous.hex()
    with full.begin() as session:
        body = session.execute(text("SELECT body FROM events WHERE kind = 'export'")).scalar_one()
    assert json.loads(body)["count"] == len(lines)
    code, out = run("audit", "export", str(tmp_path / "no" / "folder" / "x"))
    assert code == 2


def test_an_export_may_begin_anywhere(run: Run, full: sessionmaker[Session], tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    assert run("audit", "export", str(file), "--after", "4")[0] == 0
    assert json.loads(file.read_text().splitlines()[0])["sequence"] == 5
