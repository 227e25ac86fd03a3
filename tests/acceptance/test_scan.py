"""`docvigil scan` from outside: the real command, the real model, and files of every kind of wrong."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from tests.acceptance.docvigil_command import DocVigil, Up
from tests.services import open_folder

pytestmark = pytest.mark.timeout(900)

KEYS = ["path", "document_id", "verdict", "document_type", "pages", "findings", "error"]
FINDING_KEYS = ["page", "field", "check", "outcome", "value", "confidence", "box", "rule", "message"]
COUNT = 4


@pytest.fixture(scope="module")
def docvigil() -> Iterator[DocVigil]:
    with open_folder() as folder:
        yield DocVigil(folder / "home")


@pytest.fixture(scope="module")
def running(docvigil: DocVigil) -> Iterator[Up]:
    with docvigil.up() as up:
        up.until_it_says("docvigil runs")
        yield up


@pytest.fixture(scope="module")
def drawn(docvigil: DocVigil, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of `docvigil synthesise`, and their labels."""
    folder = tmp_path_factory.mktemp("drawn")
    done = docvigil.run("synthesise", folder, "--count", str(COUNT), "--seed", "21")
    assert done.returncode == 0, done.stderr
    return folder


def labels(folder: Path) -> dict[str, dict[str, Any]]:
    told = [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    return {str(folder / one["path"]): one for one in told}


def check_form(one: dict[str, Any]) -> None:
    """The contract of one line, whatever the model says."""
    assert list(one) == KEYS
    assert one["verdict"] in ("clear", "flagged") and one["error"] is None
    assert len(one["document_id"]) == 64
    assert one["findings"], "a document that was judged has findings"
    for finding in one["findings"]:
        assert list(finding) == FINDING_KEYS
        assert 1 <= finding["page"] <= one["pages"]
        assert finding["outcome"] in ("pass", "anomaly", "uncertain")
        assert 0 <= finding["confidence"] <= 1
        assert finding["message"].endswith((".", "?", "!"))
        if finding["box"] is not None:
            x0, y0, x1, y1 = finding["box"]
            assert -0.1 < x0 < x1 < 1.1 and -0.1 < y0 < y1 < 1.1
    passed = all(finding["outcome"] == "pass" for finding in one["findings"])
    assert passed == (one["verdict"] == "clear")


def test_without_anything_running_it_starts_what_it_needs_and_leaves_nothing(
    docvigil: DocVigil, drawn: Path, tmp_path: Path
) -> None:
    alone = DocVigil(docvigil.home.parent / "alone")
    wanted = labels(drawn)
    code, found = alone.lines("scan", *wanted, tmp_path / "gone.pdf", "--json")
    assert [one["path"] for one in found] == [*wanted, str(tmp_path / "gone.pdf")], "in the order given"
    for one in found[:-1]:
        check_form(one)
        assert one["document_type"] == wanted[one["path"]]["document_type"]
    assert found[-1] == dict.fromkeys(KEYS) | {
        "path": str(tmp_path / "gone.pdf"),
        "findings": [],
        "error": "There is no such file or folder.",
    }
    assert code == 2, "the highest wins"
    assert not (alone.home / "instance.json").exists()
    code, told = alone.lines("balance", "--json")
    assert (code, told[0]["documents"], told[0]["in_flight"]) == (0, COUNT, 0)


def test_what_was_scanned_keeps_its_verdict(docvigil: DocVigil, running: Up, drawn: Path) -> None:
    first_code, first = docvigil.lines("scan", drawn, "--json")
    again_code, again = docvigil.lines("scan", drawn, "--json")
    assert len(first) == COUNT and [one["path"] for one in first] == list(labels(drawn))
    assert (again_code, again) == (first_code, first)
    assert first_code == (1 if any(one["verdict"] == "flagged" for one in first) else 0)
    _, told = docvigil.lines("balance", "--json")
    assert (told[0]["documents"], told[0]["duplicates"]) == (COUNT, COUNT)


def test_what_was_judged_before_a_type_came_is_scanned_again_when_asked(
    docvigil: DocVigil, drawn: Path, tmp_path: Path
) -> None:
    alone = DocVigil(docvigil.home.parent / "types")
    one, before = (
        next(iter(labels(drawn))),
        "1 document has a verdict from before the present model, rules and document",
    )
    assert before not in alone.run("scan", one).stderr
    blank = np.full((1754, 1240), 255, np.uint8)
    cv2.rectangle(blank, (200, 300), (900, 380), 0, 2)
    cv2.imwrite(str(tmp_path / "blank.png"), blank)
    made = alone.run("doctypes", "new", "letter", tmp_path / "blank.png", "--no-print")
    assert made.returncode == 0, made.stderr
    assert before in " ".join(alone.run("scan", one).stderr.split())
    assert before not in " ".join(alone.run("scan", "--again", one).stderr.split())
    assert before not in " ".join(alone.run("scan", one).stderr.split()), "it has one from now"


def test_a_table_for_people(docvigil: DocVigil, running: Up, drawn: Path, tmp_path: Path) -> None:
    done = docvigil.run("scan", drawn / next(iter(labels(drawn))), tmp_path / "gone.pdf")
    assert done.returncode == 2
    assert "verdict" in done.stdout and "There is no such file" in done.stdout.replace("\n", " ")
    assert "1 refused" in done.stdout


def test_wrong_usage_is_64(docvigil: DocVigil) -> None:
    assert docvigil.run("scan").returncode == 64
    assert docvigil.run("scan", "--loud", "x.pdf").returncode == 64


def pdf(path: Path, encrypt: StandardEncryption | None = None) -> bytes:
    canvas = Canvas(str(path), pagesize=A4, encrypt=encrypt)
    canvas.drawString(100, 700, "a page that is no form")
    canvas.save()
    return path.read_bytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that says it has side × side pixels."""
    head = side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


#: File name → what its sentence must say.
BAD = {
    b"empty.pdf": "empty",
    b"truncated.pdf": "breaks off",
    b"encrypted.pdf": "password",
    b"no-pages.pdf": "no pages",
    b"bomb.png": "pixels",
    b"text.pdf": "no PDF, TIFF, PNG, JPEG or WebP",
    b"a name with\na new line.pdf": "breaks off",
    b"not utf-8 \xff\xfe.tif": "no PDF, TIFF, PNG, JPEG or WebP",
    b"link.pdf": "symbolic link",
    b"loop.pdf": "symbolic link",
    b"pipe.pdf": "pipe",
    b"large.pdf": "limit",
}


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder of files that no document can be made of."""
    folder = tmp_path / "bad"
    folder.mkdir()
    whole = pdf(tmp_path / "whole.pdf")
    bodies = {
        b"empty.pdf": b"",
        b"truncated.pdf": whole[: len(whole) // 2],
        b"encrypted.pdf": pdf(tmp_path / "locked.pdf", StandardEncryption("secret")),
        b"no-pages.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        b"bomb.png": bomb(60_000),
        b"text.pdf": b"a letter, typed into an editor",
        b"a name with\na new line.pdf": whole[:400],
        b"not utf-8 \xff\xfe.tif": b"neither",
    }
    for name, body in bodies.items():
        (folder / os.fsdecode(name)).write_bytes(body)
    (folder / "link.pdf").symlink_to(tmp_path / "whole.pdf")
    (folder / "loop.pdf").symlink_to("loop.pdf")
    os.mkfifo(folder / "pipe.pdf")
    with (folder / "large.pdf").open("wb") as large:
        # A hole of 1 GB: nothing of it lies on the disk.
        large.truncate(2**30)
    return folder


def test_bad_files_are_told_apart_from_documents_and_harm_nobody(
    docvigil: DocVigil, running: Up, drawn: Path, bad: Path
) -> None:
    good = drawn / next(iter(labels(drawn)))
    odd = bad.parent / os.fsdecode(b"good \n\xff.pdf")
    odd.write_bytes(good.read_bytes())
    before = {one.pid for one in running.children()}
    code, found = docvigil.lines("scan", bad, odd, "--json")
    assert code == 2
    told = {one["path"]: one for one in found}
    assert len(told) == len(BAD) + 1
    for name, words in BAD.items():
        one = told[str(bad) + "/" + name.decode("utf-8", "backslashreplace")]
        assert words in one["error"] and one["error"].endswith("."), one
        assert one["verdict"] in (None, "quarantined") and one["findings"] == []
        assert (one["verdict"] is None) == (one["document_id"] is None)
    check_form(told[f"{bad.parent}/good \n\\xff.pdf"])
    for process in ("worker-prepare", "worker-infer"):
        assert (docvigil.home / "logs" / f"{process}.log").read_text().count('"celery@') == 1, "it lives on"
    assert before <= {one.pid for one in running.children()}
    code, balance = docvigil.lines("balance", "--json")
    assert (code, balance[0]["in_flight"], balance[0]["differences"]) == (0, 0, [])


def test_a_folder_without_documents_and_a_file_nobody_may_read(docvigil: DocVigil, running: Up, tmp_path: Path) -> None:
    code, found = docvigil.lines("scan", tmp_path, "/proc/self/mem", "/dev/null", "--json")
    assert code == 2
    assert [one["verdict"] for one in found] == [None] * 3
    assert found[0]["error"] == "The folder holds no documents."
    assert all(one["error"].endswith(".") for one in found)


def test_logs_hold_no_file_names(docvigil: DocVigil, running: Up, drawn: Path, tmp_path: Path) -> None:
    named = tmp_path / "Asha Raman 2345 6789 0123.pdf"
    named.write_bytes((drawn / next(iter(labels(drawn)))).read_bytes())
    assert docvigil.lines("scan", named, "--json")[0] in (0, 1)
    for log in (docvigil.home / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert "Asha" not in text and "6789" not in text and "form-0000" not in text, log.name
