"""Several forms in one PDF, through both stages: each is judged by itself, whatever way its pages lie."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline.doctypes.schema import DocumentType
from pipeline.findings import Finding, Outcome, Verdict
from pipeline.reading import Answer, Pixels, Question
from records.words import Lease
from tests.integration.workers.scripted import Scripted
from tests.services import Services
from tests.unit.pipeline.paper import blank_of, handwriting, make_type, scan
from workers.config import WorkerConfig
from workers.heartbeat import Work
from workers.infer import Judged, infer
from workers.manifest import Manifest
from workers.prepare import prepare
from workers.station import Station

DPI = 130
A5 = {"width_mm": 148.0, "height_mm": 210.0}


@dataclass
class Desk:
    """Scans PDFs of a form with two pages, each with one place to sign."""

    station: Station
    doctype: DocumentType

    def page(self, number: int, *, signed: bool = True, turn: int = 0, seed: int = 0) -> Pixels:
        blank = blank_of(self.doctype, number)
        height, width = blank.shape
        boxes = [one.where.pixels(width, height) for one in self.doctype.fields if one.page == number]
        page = handwriting(blank, boxes, seed) if signed else blank
        return scan(page, seed, dpi=DPI, turn=turn).page.image

    def judged(self, *pages: Pixels, skip_blank: bool = False, priority: int = 0) -> Judged:
        file = io.BytesIO()
        first, *others = (Image.fromarray(page) for page in pages)
        first.save(file, "PDF", save_all=True, append_images=others, resolution=DPI)
        received = self.station.store.receive([file.getvalue()])
        self.station.config = replace(self.station.config, skip_blank_pages=skip_blank)
        now = datetime.now(UTC)
        day = date(2026, 3, 2)
        lease = Lease(
            1, received.sha256, 1, 1, "prepare", "test", 1, now, day, "application/pdf", received.size, 0, 0, False
        )
        manifest = prepare(self.station, lease, Work((1, 1)))
        # As it is kept between the stages.
        kept = Manifest.from_json(manifest.to_json()).to_json()
        return infer(self.station, replace(lease, stage="infer", manifest=kept, priority=priority), Work((1, 1)))


@pytest.fixture(scope="module")
def desk(postgres: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("several")
    made = make_type(folder / "types", 80, pages=2, **A5)
    assert made.folder is not None
    path = made.folder / "type.yaml"
    data = yaml.safe_load(path.read_text())
    signatures = {one["page"]: one for one in reversed(data["fields"]) if one["kind"] == "signature"}
    check = {"required": True, "checks": [{"check": "signature.missing"}]}
    data["fields"] = [{**one, "name": f"signature_{page}", **check} for page, one in sorted(signatures.items())]
    path.write_text(yaml.safe_dump(data))
    with postgres.database() as name:
        config = WorkerConfig(
            database_url=postgres.url(name),
            redis_url=postgres.redis_url,
            object_store=str(folder / "objects"),
            reader="tests.integration.workers.scripted:reader",
            doctypes_folder=str(folder / "types"),
        )
        station = Station(config, Scripted())
        try:
            yield Desk(station, station.types.get(made.key))
        finally:
            station.close()


def backside() -> Pixels:
    rng = np.random.default_rng(7)
    return np.clip(rng.normal(244, 2, (1075, 757)), 0, 255).astype(np.uint8)


def wrong(judged: Judged) -> list[tuple[str, int, str | None, int]]:
    """What somebody must look at: check, page, field, ordinal."""
    return [(one.check, one.page, one.field, one.ordinal) for one in judged.findings if one.outcome is not Outcome.PASS]


def whole(judged: Judged) -> list[Finding]:
    """One for each form of which all pages are there."""
    return [one for one in judged.findings if one.check == "page.missing" and one.outcome is Outcome.PASS]


def test_three_forms_with_pages_turned_out_of_order_and_blank_ones_between(desk: Desk) -> None:
    file = [
        desk.page(1, seed=1),
        desk.page(2, seed=1),
        backside(),
        desk.page(1, seed=2),
        desk.page(2, seed=2, turn=2, signed=False),
        backside(),
        desk.page(2, seed=3),
        desk.page(1, seed=3, turn=2),
    ]
    flagged = desk.judged(*file)
    assert [one.page for one in whole(flagged)] == [1, 4, 7]
    assert wrong(flagged) == [
        ("page.poor", 3, None, 0),
        ("type.unknown", 3, None, 0),
        ("signature.missing", 5, "signature_2", 0),
        ("page.poor", 6, None, 0),
        ("type.unknown", 6, None, 0),
    ]
    skipped = desk.judged(*file, skip_blank=True)
    assert wrong(skipped) == [("signature.missing", 5, "signature_2", 0)]
    assert [one.page for one in skipped.findings if "passed over" in one.message] == [3, 6]


def test_absent_and_repeated_pages_are_found_where_they_are(desk: Desk) -> None:
    first, second = desk.page(1, seed=4), desk.page(2, seed=4)
    absent = desk.judged(first, second, desk.page(2, seed=5), desk.page(1, seed=6), desk.page(2, seed=6))
    assert wrong(absent) == [("page.missing", 3, None, 1)]
    assert [one.page for one in whole(absent)] == [1, 4]
    repeated = desk.judged(first, second, second, desk.page(1, seed=6), desk.page(2, seed=6))
    assert wrong(repeated) == [("page.missing", 3, None, 1)]


def test_blank_pages_are_passed_over_only_beside_others(desk: Desk) -> None:
    signed = [desk.page(1, seed=8), backside(), desk.page(2, seed=8), backside()]
    assert desk.judged(*signed, skip_blank=True).verdict is Verdict.CLEAR
    assert desk.judged(*signed).verdict is Verdict.FLAGGED
    nothing = desk.judged(backside(), backside(), skip_blank=True)
    assert nothing.verdict is Verdict.FLAGGED and {one.page for one in nothing.findings} == {1, 2}
    # Fed the wrong way round, the page is missing all the same.
    assert wrong(desk.judged(signed[0], backside(), skip_blank=True)) == [("page.missing", 1, None, 2)]


def test_what_is_asked_about_a_document_has_its_priority(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []
    read = Scripted.read

    def noting(self: Scripted, questions: Sequence[Question]) -> list[Answer]:
        asked.extend(questions)
        return read(self, questions)

    monkeypatch.setattr(Scripted, "read", noting)
    desk.judged(desk.page(1, seed=9), desk.page(2, seed=9), priority=7)
    assert asked and {one.priority for one in asked} == {7}
