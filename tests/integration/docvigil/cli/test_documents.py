"""Queue, show, review, retry and rescan, as a person at a terminal uses them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from docvigil.cli import documents
from docvigil.judgement import checks_version, usual_judgement
from docvigil.settings import settings
from docvigil.trials import type_digests
from models.checkpoint import digest
from pipeline.doctypes.load import builtin
from pipeline.findings import Outcome, Verdict
from pipeline.missed import Trial, chosen
from records import registry
from records.objects import FolderStore
from records.words import Versions
from tests.integration.docvigil.cli.conftest import Run, judge_with_pages
from tests.integration.records.casework import RULES, put
from tests.integration.records.steps import document, finding, judge, quarantine, sha

ANOMALY = finding()
DOUBT = finding("date.unreadable", Outcome.UNCERTAIN, page=2, field="slip_date", value="1?032016")
PASSED = finding("date.missing", Outcome.PASS, field="slip_date", message="The date is filled in.")


@pytest.fixture(autouse=True)
def _tester(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "actor", lambda: "tester")


def events(sessions: sessionmaker[Session], subject: str, kind: str) -> list[dict[str, object]]:
    with sessions.begin() as session:
        rows = session.execute(text("SELECT body FROM events WHERE subject = :s ORDER BY id"), {"s": subject})
        found = [json.loads(row.body) for row in rows]
    return [one for one in found if one["kind"] == kind]


def test_the_queue_holds_what_is_flagged(run: Run, sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions, "clear"), Verdict.CLEAR, [PASSED])
    judge(sessions, document(sessions, "one"), findings=[ANOMALY, DOUBT, PASSED])
    judge(sessions, document(sessions, "urgent", priority=5), types=["delivery-instruction-slip"])
    said = run("queue", "--json")
    assert said.code == 0
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert [first["document_id"], second["document_id"]] == [sha("urgent"), sha("one")]
    assert set(second) == {
        "document_id", "status", "priority", "document_types", "checks", "findings", "undecided", "arrived_at",
        "verdict_at", "reviewed_at",
    }  # fmt: skip
    assert second["checks"] == ["signature.missing", "date.unreadable"]
    assert (second["findings"], second["undecided"], second["reviewed_at"]) == (2, 2, None)
    only = run("queue", "--check", "date.unreadable", "--json").out.splitlines()
    assert [json.loads(line)["document_id"] for line in only] == [sha("one")]
    only = run("queue", "--type", "delivery-instruction-slip", "--json").out.splitlines()
    assert [json.loads(line)["document_id"] for line in only] == [sha("urgent")]
    table = run("queue").out
    assert sha("one")[:12] in table and "signature.missing, date.unreadable" in table and sha("clear")[:12] not in table


def test_what_the_queue_refuses(run: Run, sessions: sessionmaker[Session]) -> None:
    for arguments, told in {
        (): "The queue is empty",
        ("--check", "date.wrong"): "There is no check 'date.wrong'; known are",
        ("--type", "letter"): "There is no document type 'letter'; known are delivery-instruction-slip",
    }.items():
        said = run("queue", *arguments)
        assert said.code == 2 and told in said.err.replace("\n", " ") and said.out == ""


def test_show_tells_what_was_found_and_why(run: Run, sessions: sessionmaker[Session]) -> None:
    version = registry.types_version(builtin())
    with sessions.begin() as session:
        registry.record_doctypes(session, builtin(), version)
    (rule, *_) = next(one for one in builtin() if one.name == "kyc-individual").rules
    found = finding(value="none")
    found = type(found)(**{**{n: getattr(found, n) for n in found.__slots__}, "rule": rule.id})
    scan = document(sessions, "one")
    judge(sessions, scan, findings=[found, DOUBT, PASSED], versions=Versions("m", "r", version))
    said = run("show", sha("one")[:9])
    assert said.code == 0
    words = " ".join(said.out.split())
    for told in ("flagged", "/drop/one.pdf", "signature.missing", "signature_1", "97%", "The signature is missing."):
        assert told in words
    assert f"Rule {rule.id}" in words and rule.source.split()[0] in words
    assert "1 more passed" in words and "The date is filled in" not in words
    assert "The date is filled in" in run("show", sha("one"), "--all").out


def test_show_as_json(run: Run, sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions, "one"), findings=[ANOMALY, PASSED])
    told = json.loads(run("show", sha("one"), "--json").out)
    assert set(told) == {"path", "document_id", "verdict", "document_type", "pages", "findings", "error"}
    assert (told["path"], told["verdict"], told["document_type"]) == ("/drop/one.pdf", "flagged", "kyc-individual")
    (one,) = [each for each in told["findings"] if each["outcome"] == "anomaly"]
    assert one == {
        "page": 1,
        "field": "signature_1",
        "check": "signature.missing",
        "outcome": "anomaly",
        "value": None,
        "confidence": 0.97,
        "box": [0.1, 0.2, 0.3, 0.4],
        "rule": "r-1",
        "message": "The signature is missing.",
        "bound": None,
    }


def test_show_tells_the_bound_of_what_judged_the_document(
    run: Run, sessions: sessionmaker[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setenv("DOCVIGIL_MODEL_FOLDER", str(tmp_path))
    settings.cache_clear()
    config = settings()
    missing = frozenset(["signature.missing"])
    bound = chosen(
        [Trial("", missing, missing, {})] * 300,
        model=digest(tmp_path),
        rules=checks_version(config),
        types={name: each for name, each in type_digests(config).items() if name == "kyc-individual"},
        made_up=True,
        data="300 labelled documents, made up",
        date="2026-11-25",
        command="docvigil models calibrate FOLDER",
    )
    bound.save(tmp_path)
    versions = Versions(bound.model, usual_judgement(config).rules, "t")
    judge(sessions, document(sessions, "one"), findings=[ANOMALY, DOUBT], versions=versions)
    other = Versions("other", usual_judgement(config).rules, "t")
    judge(sessions, document(sessions, "two"), findings=[ANOMALY], versions=other)
    slip = ["delivery-instruction-slip"]
    judge(sessions, document(sessions, "three"), findings=[ANOMALY], versions=versions, types=slip)
    found = {one["check"]: one for one in json.loads(run("show", sha("one"), "--json").out)["findings"]}
    assert found["signature.missing"]["bound"] == {
        "at_most": 0.01,
        "confidence": 0.95,
        "anomalies": 300,
        "misses": 0,
        "made_up": True,
        "data": "300 labelled documents, made up",
        "date": "2026-11-25",
    }
    assert found["date.unreadable"]["bound"] is None
    words = " ".join(run("show", sha("one")).out.split())
    assert "at most 1 % end as clear, with 95 % confidence" in words and "nothing for real paper" in words
    assert "No bound yet: date.unreadable" in words
    for name in ("two", "three"):
        assert json.loads(run("show", sha(name), "--json").out)["findings"][0]["bound"] is None
        assert "No bound yet on anomalies" in run("show", sha(name)).out


def test_ids_may_be_short_but_not_ambiguous(run: Run, sessions: sessionmaker[Session]) -> None:
    names: list[str] = []
    seen: dict[str, str] = {}
    for number in range(2000):
        beginning = sha(f"d{number}")[:4]
        if beginning in seen:
            names = [seen[beginning], f"d{number}"]
            break
        seen[beginning] = f"d{number}"
    for name in names:
        judge(sessions, document(sessions, name))
    for given, told in {
        "ffffffff": "There is no document whose id begins with ffffffff",
        sha(names[0])[:4]: "Several documents begin with",
        "no-id": "'no-id' is no document id",
    }.items():
        for command in (("show", given), ("retry", given), ("review", given, "confirm")):
            said = run(*command)
            assert said.code == 2 and told in said.err.replace("\n", " "), command
    assert run("show", sha(names[0])[:12]).code == 0


def test_the_picture_of_the_reason(
    run: Run, sessions: sessionmaker[Session], store: FolderStore, tmp_path: Path
) -> None:
    number = judge_with_pages(sessions, store, "one", [ANOMALY, DOUBT, PASSED])
    file = tmp_path / "reason.png"
    said = run("show", number, "--image", str(file))
    assert said.code == 0 and str(file) in said.out.replace("\n", "")
    with Image.open(file) as image:
        picture = np.asarray(image.convert("RGB")).astype(int)
    width, height = 1240, 1754
    assert picture.shape[1] == width and picture.shape[0] > 2 * height, "both pages with findings, and words"
    left = picture[int(0.3 * height), int(0.1 * width) - 15 : int(0.1 * width) + 5]
    assert (left[:, 0] - left[:, 1]).max() > 100, "a red frame stands at the left edge of the box"
    inside = picture[int(0.25 * height) : int(0.35 * height), int(0.15 * width) : int(0.25 * width)]
    assert (inside == 255).all(), "and nothing covers what is in it"
    second = picture[height:]
    assert ((second[..., 0] > 150) & (second[..., 1] > 80) & (second[..., 2] < 60)).any(), "the doubt on page 2"
    (opened,) = events(sessions, number, "pages.opened")
    assert (opened["actor"], opened["pages"]) == ("tester", [1, 2])


def test_one_page_of_the_picture(run: Run, sessions: sessionmaker[Session], store: FolderStore, tmp_path: Path) -> None:
    number = judge_with_pages(sessions, store, "one", [ANOMALY])
    file = tmp_path / "page.jpg"
    assert run("show", number, "--image", str(file), "--page", "2").code == 0
    with Image.open(file) as picture:
        assert picture.format == "JPEG"
    assert run("show", number, "--image", str(file), "--page", "3").code == 2
    said = run("show", number, "--image", str(tmp_path / "page.doc"))
    assert said.code == 2 and "no ending of a picture" in said.err
    said = run("show", number, "--image", str(tmp_path / "missing" / "page.png"))
    assert said.code == 2 and "can't be written" in said.err


def test_without_pages_there_is_no_picture(run: Run, sessions: sessionmaker[Session], tmp_path: Path) -> None:
    quarantine(sessions, document(sessions, "bad"))
    said = run("show", sha("bad"), "--image", str(tmp_path / "page.png"))
    assert said.code == 2 and "The file is empty" in said.err
    assert not (tmp_path / "page.png").exists() and not events(sessions, sha("bad"), "pages.opened")
    assert json.loads(run("show", sha("bad"), "--json").out)["error"] == "The file is empty."


def test_a_document_decided_on_leaves_the_queue(run: Run, sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions, "one"), findings=[ANOMALY, DOUBT, PASSED])
    said = run("review", sha("one"), "confirm")
    assert said.code == 2 and "2 findings wait for a decision" in said.err
    assert "1 to decide" in run("review", sha("one"), "confirm", "1").out
    said = run("review", sha("one"), "correct", "2", "--value", "15032016", "--note", "clear to me")
    assert said.code == 0 and "leaves the queue" in said.out
    assert run("queue").code == 2
    assert [one["decision"] for one in events(sessions, sha("one"), "review")] == ["confirmed", "corrected"]
    assert {one["actor"] for one in events(sessions, sha("one"), "review")} == {"tester"}
    assert "corrected" in run("show", sha("one")).out
    assert json.loads(run("queue", "--reviewed", "--json").out)["undecided"] == 0


def test_a_clear_document_that_was_drawn_is_decided_on_too(run: Run, sessions: sessionmaker[Session]) -> None:
    put(sessions, "drawn", [PASSED], rules=RULES.model_copy(update={"audit_rate": 1.0}))
    assert json.loads(run("queue", "--json").out)["undecided"] == 1
    assert "leaves the queue" in run("review", sha("drawn"), "dismiss").out
    assert run("queue").code == 2


def test_decisions_that_cannot_be(run: Run, sessions: sessionmaker[Session]) -> None:
    judge(sessions, document(sessions, "one"), findings=[ANOMALY])
    for arguments, told in {
        ("correct",): "needs --value",
        ("confirm", "--value", "x"): "needs --value",
        ("confirm", "9"): "There is no finding 9",
    }.items():
        said = run("review", sha("one"), *arguments)
        assert said.code == 2 and told in said.err.replace("\n", " ")
    assert run("review", sha("one"), "maybe").code == 64
    assert run("review", sha("one"), "dismiss", "--all").code == 0
    assert run("review", sha("one"), "dismiss", "--all").code == 2


def test_retry_scans_again(run: Run, sessions: sessionmaker[Session]) -> None:
    quarantine(sessions, document(sessions, "bad"))
    judge(sessions, document(sessions, "one"))
    said = run("retry", sha("bad")[:8], sha("one")[:8])
    assert said.code == 0 and said.out.count("is scanned again") == 2
    with sessions.begin() as session:
        statuses = session.execute(text("SELECT status FROM documents")).scalars().all()
    assert statuses == ["in_flight", "in_flight"]
    assert events(sessions, sha("bad"), "retry")[0]["actor"] == "tester"
    said = run("retry", sha("one"))
    assert said.code == 2 and "is being scanned already" in said.err.replace("\n", " ")


def test_rescan_takes_what_present_versions_never_judged(
    run: Run, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Versions("model-2", "rules-1", "types-1")
    monkeypatch.setattr(documents, "present_versions", lambda _desk: now)
    old, new = document(sessions, "old"), document(sessions, "new")
    judge(sessions, old)
    judge(sessions, new, versions=now)
    judge(sessions, document(sessions, "slip"), types=["delivery-instruction-slip"])
    assert run("rescan").code == 64
    assert run("rescan", "--all", "--since", "2026-01-01").code == 64
    assert run("rescan", "--type", "letter").code == 2
    assert run("rescan", "--since", "yesterday").code == 64
    assert run("rescan", "--since", "2999-01-01").code == 2
    said = run("rescan", "--type", "kyc-individual", "--since", "2020-01-01")
    assert said.code == 0 and "1 document is scanned again" in said.out
    with sessions.begin() as session:
        rows = session.execute(text("SELECT id, status FROM documents")).all()
    assert {row.id: row.status for row in rows} == {
        sha("old"): "in_flight",
        sha("new"): "flagged",
        sha("slip"): "flagged",
    }
    assert "1 document is" in run("rescan", "--all").out
