"""Documents are tried once by each version, and what became of them adds up, with readers of whom it is known how well
they read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docvigil import report
from docvigil.settings import Settings
from docvigil.trials import FILE, Bench, recorded, tried, type_digests
from models.synthesis.documents import ENDORSERS, LABELS, synthesise
from pipeline.doctypes.load import builtin
from pipeline.harvest import TOLD
from pipeline.locate import Atlas
from pipeline.missed import QUARANTINED
from pipeline.pages import Limits
from pipeline.reading import Answer, AnswerState, Question
from pipeline.verdict import Thresholds, usual

SLIP = "delivery-instruction-slip"


class Blind:
    """Sees nothing anywhere."""

    version = "blind"

    def __init__(self) -> None:
        self.asked = 0

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += len(questions)
        return [Answer(AnswerState.EMPTY, None, 0.9, 0.1, "nothing")] * len(questions)


class Guesser(Blind):
    """Reads the same date everywhere."""

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(AnswerState.PRESENT, "01012026", 0.9, 0.9, "filled")] * len(questions)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return Atlas(builtin())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    slips = [one for one in builtin() if one.name == SLIP]
    list(synthesise(folder, 2, seed=3, types=slips, defects=0.0, split="test"))
    return folder


@pytest.fixture
def home(tmp_path: Path, folder: Path) -> Settings:
    (folder / FILE).unlink(missing_ok=True)
    return Settings(home=tmp_path)


def bench(reader: Blind, atlas: Atlas, home: Settings, model: str = "blind") -> Bench:
    return Bench(reader, atlas, Limits(), model, "1", type_digests(home))


@pytest.mark.parametrize("reader", [Blind(), Guesser()], ids=["blind", "guesser"])
def test_what_is_right_is_counted(folder: Path, atlas: Atlas, home: Settings, reader: Blind) -> None:
    found = list(tried([folder], home, bench=bench(reader, atlas, home)))
    truth: dict[str, list[str | None]] = {}
    for line in (folder / LABELS).read_text().splitlines():
        for field in json.loads(line)["fields"]:
            truth.setdefault(field["kind"], []).append(field["value"])
    scores = {one.kind: one for one in report.by_kind(found)}
    assert scores.keys() == truth.keys()
    guesses = isinstance(reader, Guesser)
    for kind, values in truth.items():
        one, there = scores[kind], sum(value is not None for value in values)
        assert (one.fields, one.written, one.lost) == (len(values), there, 0)
        empty = len(values) - there
        # Who says that everything is filled is not asked where nothing shows.
        untouched = round(one.presence * len(values)) - there if guesses and kind in TOLD else 0
        assert 0 <= untouched <= empty
        assert one.presence == pytest.approx((there + untouched if guesses else empty) / len(values))
        assert one.recall == (None if there == 0 else float(guesses))
        if kind in ("date", "identifier", "amount"):
            assert one.exact == pytest.approx((untouched if guesses else empty) / len(values))
            assert there == 0 or one.character_error == 1.0 or guesses
    assert sum(one.written for one in scores.values()) > 10, "the documents are filled"
    documents = report.of_documents(found, usual())
    assert (documents.documents, documents.clean, documents.clean_flagged) == (2, 2, 1.0)
    assert guesses or documents.false_alarms["signature.missing"] == 2
    assert not guesses or scores["checkbox"].presence > 0.9, "most empty boxes show nothing"
    assert report.of_documents(found, Thresholds(default_clear=1.0)).clean_flagged == 1.0


def test_nothing_is_scanned_twice_and_new_versions_are(folder: Path, atlas: Atlas, home: Settings) -> None:
    reader = Blind()
    first = list(tried([folder], home, bench=bench(reader, atlas, home)))
    asked = reader.asked
    assert asked and list(tried([folder, folder], home, bench=bench(reader, atlas, home))) == first
    assert reader.asked == asked, "everything was recorded"
    with (folder / FILE).open("a") as file:
        file.write('{"document": "cut o')
    assert recorded(folder) == first
    text = (folder / FILE).read_text()
    assert "01012026" not in text and not {"value", "path"} & json.loads(text.splitlines()[0]).keys()
    list(tried([folder], home, bench=bench(reader, atlas, home, "other")))
    assert reader.asked == 2 * asked
    assert [one.model for one in recorded(folder)] == ["blind", "blind", "other", "other"]


def test_a_form_that_is_not_known_is_flagged_and_its_fields_are_lost(folder: Path, home: Settings) -> None:
    others = Atlas([one for one in builtin() if one.name != SLIP])
    found = list(tried([folder], home, bench=bench(Blind(), others, home)))
    assert all("type.unknown" in one.trial.raised for one in found)
    assert all(one.lost == one.fields and one.exact == one.presence == 0 for one in report.by_kind(found))
    assert report.diagrams(found) == {}


def test_a_file_that_can_not_be_scanned_is_for_a_person(
    folder: Path, atlas: Atlas, home: Settings, tmp_path: Path
) -> None:
    label = json.loads((folder / LABELS).read_text().splitlines()[0])
    (tmp_path / LABELS).write_text(json.dumps(label | {"path": "broken.pdf"}) + "\n")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (tmp_path / ENDORSERS).write_bytes((folder / ENDORSERS).read_bytes())
    (one,) = tried([tmp_path], home, bench=bench(Blind(), atlas, home))
    assert one.trial.raised == {QUARANTINED} and not one.trial.clear(Thresholds(default_clear=0.0))
    assert report.of_documents([one], usual()).quarantined == 1


def test_a_report_can_be_looked_at(folder: Path, atlas: Atlas, home: Settings, tmp_path: Path) -> None:
    found = list(tried([folder], home, bench=bench(Guesser(), atlas, home)))
    page = report.write(tmp_path / "report", found, usual(), "Two slips & a guesser.")
    told = page.read_text()
    assert "Two slips &amp; a guesser." in told and told.count("<svg") == len(report.diagrams(found))
    picture = ElementTree.parse(page.parent / "reliability-date.svg").getroot()  # noqa: S314 - it is our own.
    dots = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 2, "all answers have the same confidence, but for those about what shows nothing"
    values = json.loads((page.parent / "report.json").read_text())
    assert values["documents"]["clean"] == 2 and {one["kind"] for one in values["kinds"]} >= {"date", "signature"}
