"""A form that no code knows, registered from ten filled samples, is judged like the built-in ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw, ImageFont

from models.reader import load_reader
from pipeline.checks import Context
from pipeline.doctypes.author import new
from pipeline.doctypes.load import builtin, load
from pipeline.doctypes.recover import Blank, draft
from pipeline.doctypes.rules import BLANK_DPI
from pipeline.findings import Finding, Outcome, Verdict
from pipeline.locate import Atlas
from pipeline.pages import Limits
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind, Reader
from pipeline.scan import scan as scanned
from pipeline.sheet import blank_image, features, moved, work_image
from pipeline.verdict import Thresholds
from tests.unit.pipeline.paper import handwriting, scan

ON = date(2026, 3, 20)
WIDTH, HEIGHT = 1240, 1754

#: Fields in pixels of the drawn form, at 150 dpi.
DATE, NAME = (800, 420, 1120, 460), (420, 600, 1120, 650)
SIGNATURE, STAMP = (140, 1300, 560, 1410), (700, 1250, 1100, 1480)


def letterhead() -> Pixels:
    """A request to transmit securities, as a registrar might print it."""
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    pen = ImageDraw.Draw(image)

    def text(x: int, y: int, words: str, size: int) -> None:
        pen.text((x, y), words, 0, ImageFont.load_default(size))

    pen.ellipse((90, 80, 190, 180), outline=0, width=6)
    text(220, 90, "COASTAL REGISTRARS LIMITED", 40)
    text(220, 145, "12 Harbour Road, Kochi   Telephone 0484 555 0100   registry@coastal.example", 18)
    pen.line((90, 210, 1150, 210), 0, 4)
    text(360, 260, "Request for transmission of securities", 30)
    text(90, 425, "Folio number and date of this request (DD MM YYYY)", 22)
    for cell in range(8):
        pen.rectangle((DATE[0] + 40 * cell, DATE[1], DATE[0] + 40 * (cell + 1), DATE[3]), outline=60, width=2)
    text(90, 615, "Name of the claimant", 22)
    pen.line((NAME[0], NAME[3], NAME[2], NAME[3]), 30, 2)
    for row, words in enumerate(
        (
            "I declare that the securities listed overleaf stood in the name of the deceased holder and that",
            "I am entitled to them under the nomination registered with the company. I undertake to return",
            "them, with all that was paid on them, should another person prove a better right. Particulars of",
            "the death certificate, the succession certificate and the account to be credited are enclosed.",
        )
    ):
        text(90, 760 + 40 * row, words, 22)
    text(90, 1000, "Enclosed:  death certificate   identity   address   cancelled cheque   client master list", 22)
    pen.line((SIGNATURE[0], SIGNATURE[3], SIGNATURE[2], SIGNATURE[3]), 20, 3)
    text(SIGNATURE[0], SIGNATURE[3] + 12, "Signature of the claimant", 20)
    pen.rectangle(STAMP, outline=40, width=2)
    text(STAMP[0], STAMP[3] + 12, "Registrar's stamp of receipt", 20)
    text(90, 1640, "Form CR-7   Keep a copy for your records. Incomplete requests are returned.", 18)
    return np.asarray(image)


def written(seed: int, *, digits: str | None = "16032026", signed: bool = True) -> Pixels:
    """The form filled by somebody."""
    boxes = [NAME, (STAMP[0] + 20, STAMP[1] + 30, STAMP[2] - 20, STAMP[3] - 30)]
    page = handwriting(letterhead(), boxes + ([SIGNATURE] if signed else []), seed)
    rng = np.random.default_rng(seed)
    for cell, digit in enumerate(digits or ""):
        place = (DATE[0] + 40 * cell + 9 + int(rng.integers(-3, 4)), DATE[3] - 8)
        cv2.putText(page, digit, place, cv2.FONT_HERSHEY_SIMPLEX, 0.95, int(rng.integers(10, 80)), 2, cv2.LINE_AA)
    return page


def save(path: Path, page: Pixels, seed: int, turn: int | None = None) -> Path:
    """A skewed scan, turned anyhow unless told."""
    rng = np.random.default_rng([seed, 1])
    skew, dpi, anyhow = float(rng.uniform(-4, 4)), float(rng.choice([150, 200, 300])), int(rng.integers(4))
    made = scan(page, seed, skew=skew, dpi=dpi, turn=anyhow if turn is None else turn).page
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(made.image).save(path, dpi=(made.dpi, made.dpi))
    return path


@dataclass
class Eyes:
    """A reader that sees ink by itself, and reads the date that it is told stands there."""

    digits: str
    version: str = "scripted"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [self._answer(one) for one in questions]

    def _answer(self, one: Question) -> Answer:
        height, width = one.image.shape
        inner = one.image[round(0.2 * height) : round(0.78 * height), round(0.04 * width) : round(0.96 * width)]
        # Of combs only what stands between their lines.
        ink = float((inner < np.median(inner) - 60).mean())
        least = 0.08 if one.kind is QuestionKind.DATE else 0.004
        if ink < least:
            return Answer(AnswerState.EMPTY, None, 0.99, 0.01, "nothing")
        if one.kind is QuestionKind.DATE:
            return Answer(AnswerState.PRESENT, self.digits, 0.99, 0.99)
        labels = {QuestionKind.SIGNATURE: "signature", QuestionKind.ENDORSEMENT: "stamp", QuestionKind.TEXT: "filled"}
        return Answer(AnswerState.PRESENT, None, 0.99, 0.99, labels.get(one.kind, "handwriting"))


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """The built-in types and this one, its boxes named by hand in the YAML that `new` wrote."""
    folder = tmp_path_factory.mktemp("unknown")
    for seed in range(10):
        # Most samples say which way is up; one lies upside down.
        page = written(seed, digits=f"{seed + 10}0{seed % 9 + 1}2026")
        save(folder / "samples" / f"{seed}.png", page, seed, turn=2 if seed == 4 else 0)
    target = new(folder / "types", "transmission", "Transmission request", [folder / "samples"], Limits())
    description = target / "type.yaml"
    data = yaml.safe_load(description.read_text())
    assert (data["pages"][0]["width_mm"], data["pages"][0]["height_mm"]) == (210.0, 297.0)
    # A person names the boxes by eye; here the drawing, laid on the recovered blank, says where they are.
    sheet = draft(Blank(letterhead(), 210, 297))
    made = blank_image(load(target), 1)
    work, to_page = work_image(made, BLANK_DPI)
    matrix, inliers = sheet.match(features(work))
    assert matrix is not None
    onto = to_page @ sheet.fit(work, matrix, inliers).matrix @ sheet.to_work

    def box(place: tuple[int, int, int, int]) -> list[float]:
        left, top, right, bottom = place
        ends = moved(np.array([(left, top), (right, bottom)]), onto) / made.shape[::-1]
        return [float(each) for each in ends.ravel()]

    dated = [{"check": f"date.{one}"} for one in ("missing", "unreadable", "format", "impossible", "future")]
    data["fields"] = [
        {"name": "request_date", "label": "Date of the request", "kind": "date", "box": box(DATE), "cells": 8}
        | {"format": "DDMMYYYY", "required": True, "checks": dated},
        {"name": "claimant", "label": "Name of the claimant", "kind": "text", "box": box(NAME), "required": True},
        {"name": "claimant_signature", "label": "Signature of the claimant", "kind": "signature"}
        | {"box": box(SIGNATURE), "required": True, "checks": [{"check": "signature.missing"}]},
        {"name": "receipt_area", "label": "Stamp of receipt", "kind": "text", "box": box(STAMP)},
    ]
    description.write_text(yaml.safe_dump(data))
    return Atlas([*builtin(), load(target)])


def judged(atlas: Atlas, path: Path, digits: str, reader: Reader | None = None) -> tuple[Verdict, list[Finding]]:
    verdict, findings = scanned(path, atlas, reader or Eyes(digits), Context(ON, (), Thresholds()))
    return verdict, [one for one in findings if one.outcome is not Outcome.PASS]


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_rightly_filled_forms_are_clear(atlas: Atlas, tmp_path: Path, seed: int) -> None:
    verdict, raised = judged(atlas, save(tmp_path / "a.png", written(seed), seed), "16032026")
    assert (verdict, raised) == (Verdict.CLEAR, [])


DEFECTS = [
    ("16032026", False, "signature.missing", "claimant_signature"),
    (None, True, "date.missing", "request_date"),
    ("31022026", True, "date.impossible", "request_date"),
    ("01042026", True, "date.future", "request_date"),
]


@pytest.mark.parametrize(("digits", "signed", "check", "field"), DEFECTS)
def test_defects_are_found_on_it(
    atlas: Atlas, tmp_path: Path, digits: str | None, signed: bool, check: str, field: str
) -> None:
    path = save(tmp_path / "a.png", written(110, digits=digits, signed=signed), 110)
    verdict, raised = judged(atlas, path, digits or "")
    assert verdict is Verdict.FLAGGED
    assert [(one.check, one.field, one.outcome) for one in raised] == [(check, field, Outcome.ANOMALY)]


@pytest.fixture(scope="module")
def bundled() -> Reader:
    return load_reader()


@pytest.mark.parametrize(("digits", "signed", "check", "field"), DEFECTS)
def test_the_bundled_model_finds_them_too(
    atlas: Atlas, bundled: Reader, tmp_path: Path, digits: str | None, signed: bool, check: str, field: str
) -> None:
    path = save(tmp_path / "a.png", written(110, digits=digits, signed=signed), 110)
    verdict, raised = judged(atlas, path, "", bundled)
    assert verdict is Verdict.FLAGGED
    assert (check, field) in [(one.check, one.field) for one in raised]


def test_a_stray_signature_is_found_on_it(atlas: Atlas, tmp_path: Path) -> None:
    page = handwriting(written(120), [(300, 1090, 620, 1160)], 9)
    verdict, raised = judged(atlas, save(tmp_path / "a.png", page, 120), "16032026")
    assert verdict is Verdict.FLAGGED
    assert {one.check for one in raised} == {"ink.unexpected"}
