"""Document types at the command line: those that are there, and new ones of forms that no code knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from docvigil.cli import doctypes
from pipeline.doctypes.schema import DocumentType
from pipeline.geometry import Box
from tests.unit.docvigil.cli.conftest import Run
from tests.unit.pipeline.paper import filled, make_type, scan


def samples(doctype: DocumentType, folder: Path, count: int, first: int = 0) -> Path:
    """Filled scans of a form, a file each, none quite straight."""
    folder.mkdir()
    for seed in range(first, first + count):
        skew = float(np.random.default_rng(seed).uniform(-2, 2))
        page = scan(filled(doctype, seed, 1), seed, skew=skew).page
        Image.fromarray(page.image).save(folder / f"{seed}.png", dpi=(200, 200))
    return folder


def tried(run: Run, name: str, sample: Path, out: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        run("doctypes", "check", name, "--sample", str(sample), "--out", str(out), "--json").out
    )
    return told


def test_the_types_that_come_with_docvigil(run: Run) -> None:
    told = [json.loads(line) for line in run("doctypes", "list", "--json").out.splitlines()]
    assert [one["name"] for one in told] == ["delivery-instruction-slip", "kyc-individual"]
    assert set(told[0]) == {"name", "version", "title", "form", "edition", "pages", "fields", "own", "folder"}
    assert not any(one["own"] for one in told) and [one["pages"] for one in told] == [1, 2]
    assert "KYC application form" in run("doctypes", "list").out


def test_a_type_in_words_and_drawn(run: Run, tmp_path: Path) -> None:
    said = run("doctypes", "show", "kyc-individual", "--out", str(tmp_path / "blank.png"))
    assert said.code == 0 and "applicant_name" in said.out and "Rule kyc.mandatory:" in said.out
    with Image.open(tmp_path / "blank.png") as picture:
        assert picture.width >= 1000
    assert json.loads(run("doctypes", "show", "kyc-individual", "--json").out)["name"] == "kyc-individual"
    assert run("doctypes", "check", "kyc-individual").code == 0


def test_what_is_refused(run: Run, tmp_path: Path) -> None:
    letter = tmp_path / "letter.png"
    letter.write_bytes(b"no picture")
    for arguments, told in {
        ("show", "letter"): "There is no document type 'letter'; known are delivery-instruction-slip",
        ("check", "letter"): "There is no document type 'letter'",
        ("new", "Bad Name", str(letter)): "'Bad Name' is no name of a type",
        ("new", "letter", str(letter), "--no-print"): "is no PDF, TIFF, PNG",
        ("new", "letter", str(tmp_path / "missing.png"), "--no-print"): "can't be opened",
        ("check", "kyc-individual", "--sample", str(letter)): "is no PDF, TIFF, PNG",
    }.items():
        said = run("doctypes", *arguments)
        assert said.code == 2 and told in said.err.replace("\n", " "), (arguments, said.err)
    assert not (tmp_path / "home" / "doctypes" / "letter").exists()


def test_a_new_type_from_a_blank(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = make_type(tmp_path / "truth", 5)
    assert form.folder is not None
    # The words that OCR would read beside the first date.
    date = next(one for one in form.fields if one.kind.value == "date")
    words = [("Signed on", Box(date.where.x0 - 0.15, date.where.y0, date.where.x0 - 0.02, date.where.y1))]
    monkeypatch.setattr(doctypes, "printed_words", lambda: lambda _image: words)
    said = run("doctypes", "new", "my-form", str(form.folder / "page-1.png"), "--title", "My form")
    assert said.code == 0 and "my-form" in said.out and "docvigil doctypes check my-form --sample" in said.out
    made = json.loads(run("doctypes", "show", "my-form", "--json").out)
    assert made["title"] == "My form" and any(one["name"].startswith("signed_on") for one in made["fields"])
    listed = [json.loads(line) for line in run("doctypes", "list", "--json").out.splitlines()]
    assert [one["name"] for one in listed if one["own"]] == ["my-form"]
    again = run("doctypes", "new", "my-form", str(form.folder / "page-1.png"), "--no-print")
    assert again.code == 2 and "is there already" in again.err.replace("\n", " ")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_new_type_from_ten_filled_samples(run: Run, tmp_path: Path) -> None:
    form = make_type(tmp_path / "truth", 5)
    ten = samples(form, tmp_path / "ten", 10)
    assert run("doctypes", "new", "unknown", str(ten), "--no-print").code == 0
    others = samples(form, tmp_path / "others", 1, first=50)
    told = tried(run, "unknown", others / "50.png", tmp_path / "overview.png")
    assert (told["name"], told["sound"]) == ("unknown", True), told
    (page,) = told["pages"]
    assert page["form_page"] == 1 and page["sure"] and len(page["fields"]) >= len(form.fields) - 1
    assert Path(told["picture"]).is_file()
