"""Whole documents and the bundled model together: planted defects are flagged, clean forms mostly are not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.crosscheck import checked
from models.engine import Engine
from models.ocr import InkAndPrintReader, PrintReader
from models.reader import load_reader
from models.synthesis.documents import ENDORSERS, Label, synthesise
from pipeline.checks import Context
from pipeline.doctypes.load import builtin
from pipeline.findings import Finding, Outcome, Verdict
from pipeline.locate import Atlas
from pipeline.register import read_csv
from pipeline.scan import scan
from pipeline.verdict import Thresholds

COUNT = 20

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Label, Verdict, list[Finding]]]:
    """Documents drawn with fonts, hands and signers that no training saw, and what was found in them."""
    folder = tmp_path_factory.mktemp("documents")
    labels = list(synthesise(folder, COUNT, seed=2, split="test"))
    endorsers = tuple(read_csv(folder / ENDORSERS))
    context = Context(on=datetime.now(UTC).date(), endorsers=endorsers, thresholds=Thresholds())
    ink = load_reader()
    engine = Engine(ink)
    reader, atlas = InkAndPrintReader(checked(engine, ink.calibration), PrintReader()), Atlas(builtin())
    try:
        return [(label, *scan(folder / label.path, atlas, reader, context)) for label in labels]
    finally:
        engine.close()


def test_every_page_is_matched(judged: list[tuple[Label, Verdict, list[Finding]]]) -> None:
    for _, _, findings in judged:
        assert not any(one.check == "type.unknown" and one.outcome is not Outcome.PASS for one in findings)


def test_planted_defects_are_flagged(judged: list[tuple[Label, Verdict, list[Finding]]]) -> None:
    verdicts = [verdict for label, verdict, _ in judged if label.defects]
    assert len(verdicts) >= 5
    assert verdicts.count(Verdict.FLAGGED) >= 0.9 * len(verdicts)


def test_a_missing_signature_or_stamp_is_named(judged: list[tuple[Label, Verdict, list[Finding]]]) -> None:
    for label, _, findings in judged:
        for defect in label.defects:
            if defect.check in ("signature.missing", "endorsement.missing", "date.missing", "page.missing"):
                told = [one for one in findings if one.check == defect.check and one.outcome is not Outcome.PASS]
                assert any(one.field == defect.field for one in told), (label.path, defect)
