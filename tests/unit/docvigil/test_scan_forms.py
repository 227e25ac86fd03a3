"""`docvigil scan`: which files it takes, and how a result stands in JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from docvigil.cli.common import as_json
from docvigil.cli.scan import EXITS, Result, targets_in
from pipeline.geometry import Box
from records.words import DocumentView, FindingView, ScanView

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEYS = ["path", "document_id", "verdict", "document_type", "pages", "findings", "error"]


def document(status: str, *findings: FindingView, reason: str | None = None, pages: int | None = 2) -> DocumentView:
    scan = ScanView(
        id=1,
        number=1,
        cause="arrival",
        stage="done",
        verdict=status,
        judged_on=date(2026, 3, 2),
        model_version=None,
        rules_version=None,
        doctypes_version=None,
        document_types=("kyc-individual",) if pages else (),
        attempts=0,
        deaths=0,
        alone=False,
        error=reason,
        manifest=None if pages is None else {"pages": [{}] * pages},
        timings=None,
        created_at=NOW,
        finished_at=NOW,
    )
    return DocumentView("ab" * 32, 10, "application/pdf", status, reason, 0, NOW, NOW, None, (), (scan,), findings)


def finding(outcome: str = "anomaly", box: Box | None = None) -> FindingView:
    return FindingView(
        id=1,
        page=2,
        field="first_signature",
        check="signature.missing",
        ordinal=0,
        outcome=outcome,
        confidence=0.98765,
        value=None,
        box=box or Box(0.1, 0.2, 0.30001, 0.4),
        rule="KYC-4",
        message="It is empty.",
        evidence_key="scans/1/1/00001.png",
        review=None,
    )


def test_a_flagged_document() -> None:
    form = Result("in/form.pdf", document=document("flagged", finding())).form()
    assert list(form) == KEYS
    assert form == {
        "path": "in/form.pdf",
        "document_id": "ab" * 32,
        "verdict": "flagged",
        "document_type": "kyc-individual",
        "pages": 2,
        "findings": [
            {
                "page": 2,
                "field": "first_signature",
                "check": "signature.missing",
                "outcome": "anomaly",
                "value": None,
                "confidence": 0.9877,
                "box": [0.1, 0.2, 0.3, 0.4],
                "rule": "KYC-4",
                "message": "It is empty.",
            }
        ],
        "error": None,
    }


def test_a_quarantined_document_and_a_file_that_is_not_there() -> None:
    bad = Result("a.pdf", document=document("quarantined", reason="The file is empty.", pages=None)).form()
    gone = Result("b.pdf", error="There is no such file.").form()
    assert list(bad) == list(gone) == KEYS
    assert (bad["verdict"], bad["pages"], bad["document_type"], bad["error"]) == (
        "quarantined",
        None,
        None,
        "The file is empty.",
    )
    assert (gone["verdict"], gone["document_id"], gone["findings"], gone["error"]) == (
        None,
        None,
        [],
        "There is no such file.",
    )


def test_the_worst_verdict_has_the_highest_exit_code() -> None:
    assert EXITS == {"clear": 0, "flagged": 1, "quarantined": 2, None: 2}


def test_any_path_can_stand_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    odd = os.fsdecode(b'a\n"b\\ \xff\xc3\xa9.pdf')
    as_json(Result(odd, error="There is no such file.").form())
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["path"] == 'a\n"b\\ \\xff\u00e9.pdf'


def told(targets: Sequence[Path | Result]) -> list[tuple[str, str | None]]:
    return [(one.path, one.error) if isinstance(one, Result) else (str(one), None) for one in targets]


def test_files_are_taken_as_they_are_named_and_folders_with_their_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name, body in {
        "b.pdf": b"broken",
        "a.TIF": b"",
        "deep/scan": b"%PDF-1.7 without an ending in its name",
        "labels.jsonl": b"{}",
        ".hidden.pdf": b"%PDF-1.7",
    }.items():
        (folder / name).write_bytes(body)
    (folder / "link.pdf").symlink_to(folder / "b.pdf")
    notes = tmp_path / "notes.txt"
    notes.write_text("no document, but named")
    gone = tmp_path / "gone.pdf"
    assert told(list(targets_in([notes, folder, gone]))) == [
        (str(notes), None),
        (str(folder / "a.TIF"), None),
        (str(folder / "b.pdf"), None),
        (str(folder / "deep/scan"), None),
        (str(folder / "link.pdf"), "It is a symbolic link, which is not followed. Give the file itself."),
        (str(gone), "There is no such file or folder."),
    ]
    assert "1 file that is no document was left out" in capsys.readouterr().err


def test_a_folder_without_documents_is_an_error(tmp_path: Path) -> None:
    assert told(list(targets_in([tmp_path]))) == [(str(tmp_path), "The folder holds no documents.")]
    (tmp_path / "notes.txt").write_text("nothing")
    assert told(list(targets_in([tmp_path]))) == [(str(tmp_path), "The folder holds no documents.")]
