"""How well forms are found, cut and judged when nothing is misread: the pipeline without its model.

    python benchmarks/geometry.py [--count 200] [--seed 11] [--manners scanned,turned,…] [--json FILE]

Synthesises labelled scans of the test split (both built-in types, skew up to 5°, 150 to 300 dpi, grey and colour) and
takes each through rendering, quality, registration, cuts and checks. A perfect reader answers from the labels where a
field was cut in its place, and can read nothing where it was not; any ink that no field explains is handwriting to
it. Each document is then turned, cropped, faxed and photographed besides. What is flagged wrongly, or missed, is the
geometry's fault alone. The second table is processor time a page, OpenCV on one thread. Memory holds one document.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.manners import MANNERS
from models.synthesis.documents import Label, LabelledField, Studio
from pipeline.checks import Context
from pipeline.doctypes.load import builtin
from pipeline.evidence import derived, is_masked
from pipeline.findings import Finding, Outcome
from pipeline.geometry import Box
from pipeline.harvest import harvest
from pipeline.locate import Atlas
from pipeline.pages import Limits, Page, render
from pipeline.quality import assess
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Answer, AnswerState, Evidence, QuestionKind
from pipeline.scan import Looked, instances, judge
from pipeline.verdict import Thresholds
from workers.pictures import jpeg, png

T = TypeVar("T")

#: A cut whose box shares less than this with the label's is of another place, and can't be read.
IN_PLACE = 0.5

EMPTY = Answer(AnswerState.EMPTY, None, 0.99, 0.01, "nothing")
ILLEGIBLE = Answer(AnswerState.ILLEGIBLE, None, 0.99, 0.99)


@dataclass
class Tally:
    """What was counted in one manner."""

    documents: int = 0
    pages: int = 0
    right: int = 0
    wrong: int = 0
    poor: int = 0
    marks: int = 0
    clean_pages: int = 0
    clean: int = 0
    clean_flagged: int = 0
    defects: int = 0
    defects_flagged: int = 0
    stray: int = 0
    stray_found: int = 0
    fields: int = 0
    faults: collections.Counter[str] = field(default_factory=collections.Counter)
    offsets_mm: list[float] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    alarms: collections.Counter[str] = field(default_factory=collections.Counter)
    odd: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The counts, and what stands for the distributions."""
        offsets, overlaps = self.offsets_mm or [float("nan")], self.overlaps or [float("nan")]
        return {
            "documents": self.documents,
            "pages": self.pages,
            "located_right_and_sure": self.right,
            "located_wrong_and_sure": self.wrong,
            "quality_false_alarms": self.poor,
            "unexpected_ink_on_clean_pages": self.marks,
            "clean_pages": self.clean_pages,
            "clean": self.clean,
            "clean_flagged": self.clean_flagged,
            "defects": self.defects,
            "defects_flagged": self.defects_flagged,
            "stray_marks": self.stray,
            "stray_marks_found": self.stray_found,
            "fields": self.fields,
            "faults": dict(self.faults),
            "offset_mm": {str(q): round(float(np.percentile(offsets, q)), 3) for q in (50, 95, 99, 100)},
            "overlap": {str(q): round(float(np.percentile(overlaps, q)), 3) for q in (50, 5, 1, 0)},
            "alarms_on_clean_documents": dict(self.alarms.most_common()),
            "odd": self.odd,
        }


class Clock:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.seconds: collections.Counter[str] = collections.Counter()
        self.pages = 0

    def time(self, stage: str, work: Callable[[], T]) -> T:
        started = time.process_time()
        try:
            return work()
        finally:
            self.seconds[stage] += time.process_time() - started


def answers(one: Evidence, label: LabelledField | None, placed: bool, count: int) -> list[Answer]:
    """What a perfect reader says of an evidence."""
    if one.kind is QuestionKind.MARK:
        return [Answer(AnswerState.PRESENT, None, 0.99, 0.99, "handwriting"), ILLEGIBLE][:count]
    if label is None or not placed:
        return [ILLEGIBLE] * count
    if label.value is None:
        return [EMPTY] * count
    labels = {
        QuestionKind.SIGNATURE: "signature",
        QuestionKind.CHECKBOX: "ticked",
        QuestionKind.ENDORSEMENT: "stamp",
        QuestionKind.TEXT: "filled",
    }
    said = Answer(AnswerState.PRESENT, label.value, 0.99, 0.99)
    if one.kind in labels:
        return [Answer(AnswerState.PRESENT, None, 0.99, 0.99, labels[one.kind]), said][:count]
    return [said][:count]


def prepared(pages: Iterator[Page], atlas: Atlas, clock: Clock) -> Iterator[tuple[Looked, tuple[int, int], float]]:
    """`pipeline.scan.look` with a clock, the page's size in pixels and its resolution; pictures are encoded too."""
    while (page := clock.time("render", lambda: next(pages, None))) is not None:
        now = page
        clock.pages += 1
        quality = clock.time("quality", lambda now=now: assess(now))
        location = clock.time("locate", lambda now=now: atlas.locate(now))
        evidence = {}
        for each in (location, *location.twins):
            key = None if each.doctype is None else each.doctype.key
            evidence[key] = clock.time("cut", lambda now=now, each=each: harvest(now, each))
        shown = clock.time("encode", lambda now=now, location=location: derived(now, location))
        clock.time("encode", lambda shown=shown: jpeg(shown))
        for one in evidence.values():
            clock.time("encode", lambda one=one: [png(each.image) for each in one])
        yield Looked(quality, location, evidence), (now.image.shape[1], now.image.shape[0]), now.dpi


def examine(path: Path, label: Label, atlas: Atlas, context: Context, tally: Tally, clock: Clock) -> None:
    """Takes one file the whole way and counts what came of it."""
    looked = list(prepared(iter(render(path, Limits())), atlas, clock))
    sizes = {each.location.page: (size, dpi) for each, size, dpi in looked}
    labels = {(one.page, one.name): one for one in label.fields}
    truth = {one.page: name_page(one, label, atlas) for one in label.fields}
    tally.documents += 1
    planted = {defect.page for defect in label.defects}
    marked = {defect.page for defect in label.defects if defect.check == "ink.unexpected"}
    for each, _size, _dpi in looked:
        place = each.location
        tally.pages += 1
        is_right = place.doctype is not None and (place.doctype.name, place.form_page) == truth[place.page]
        tally.right += place.sure and is_right
        tally.wrong += place.sure and not is_right
        tally.poor += bool(each.quality.faults)
        if not (place.sure and is_right) or each.quality.faults:
            tally.odd.append(f"{label.path} page {place.page}: {place.why} {' '.join(each.quality.faults)}".strip())
        if place.page not in marked:
            tally.clean_pages += 1
    findings: list[Finding] = []
    for form, evidence in instances([each for each, _size, _dpi in looked]):
        readings: list[Reading] = []
        for one in evidence:
            known = labels.get((one.page, one.field))
            placed = known is not None and measure(one, known, sizes[one.page], tally)
            doctype = None if one.field == "unexpected" else form.doctype
            formfield = None if doctype is None else doctype.field(one.field)
            count = len(questions(one, formfield))
            readings.append(reading(one, formfield, answers(one, known, placed, count)))
            if one.kind is QuestionKind.MARK:
                tally.stray_found += one.page in marked and one.ordinal == 0
                if one.page not in marked:
                    tally.marks += 1
                    tally.odd.append(f"{label.path} page {one.page}: a mark at {one.box.as_list()}")
        qualities = {each.location.page: each.quality for each, _size, _dpi in looked}
        findings += judge(form, readings, qualities, context)
    raised = [one for one in findings if one.outcome is not Outcome.PASS]
    tally.stray += len(marked)
    if label.defects:
        tally.defects += 1
        tally.defects_flagged += bool(raised)
        if not raised:
            tally.odd.append(f"{label.path}: missed {[(one.check, one.field) for one in label.defects]}")
    else:
        assert not planted
        tally.clean += 1
        tally.clean_flagged += bool(raised)
        tally.alarms.update(one.check for one in raised)
        tally.odd += [f"{label.path} page {one.page}: {one.check} {one.field or ''} {one.message}" for one in raised]


def name_page(one: LabelledField, label: Label, atlas: Atlas) -> tuple[str, int]:
    """Which form's page a labelled field stands on."""
    doctype = next(sheet.doctype for sheet in atlas.sheets if sheet.doctype.name == label.document_type)
    return doctype.name, doctype.field(one.name).page


def measure(one: Evidence, label: LabelledField, page: tuple[tuple[int, int], float], tally: Tally) -> bool:
    """Whether a field was cut in its place; how far it is from there is counted."""
    (width, height), dpi = page
    a, b = one.box, label.box
    across = (a.x0 + a.x1 - b.x0 - b.x1) / 2 * width / dpi * 25.4
    down = (a.y0 + a.y1 - b.y0 - b.y1) / 2 * height / dpi * 25.4
    tally.fields += 1
    tally.faults.update(one.faults)
    tally.offsets_mm.append(float(np.hypot(across, down)))
    tally.overlaps.append(a.overlap(b))
    return a.overlap(b) >= IN_PLACE


def changed(path: Path, label: Label, manner: str, rng: np.random.Generator, folder: Path) -> tuple[Path, Label]:
    """The file as it looks after that, and where its fields are then."""
    change, save = MANNERS[manner]
    images: list[npt.NDArray[np.uint8]] = []
    maps: list[tuple[npt.NDArray[np.float64], tuple[int, int], tuple[int, int]]] = []
    dpi = 200.0
    for page in render(path, Limits()):
        image, matrix = change(page, rng)
        images.append(image)
        maps.append((matrix, page.image.shape[::-1], image.shape[1::-1]))
        dpi = page.dpi
    fields = tuple(
        LabelledField(one.name, one.kind, one.page, there(one.box, *maps[one.page - 1]), one.value)
        for one in label.fields
    )
    return save(images, dpi, folder), Label(
        f"{label.path} {manner}", label.document_type, fields, label.defects, label.on
    )


def there(box: Box, matrix: npt.NDArray[np.float64], before: tuple[int, int], after: tuple[int, int]) -> Box:
    """A box in fractions of a page, under a map of its pixels, in fractions of the new page."""
    corners = np.array([[(x * before[0], y * before[1]) for x in (box.x0, box.x1) for y in (box.y0, box.y1)]])
    ends = cv2.perspectiveTransform(corners, matrix)[0] / after
    low, high = np.clip(ends.min(axis=0), 0, 0.9999), np.clip(ends.max(axis=0), 0.0001, 1)
    return Box(float(low[0]), float(low[1]), float(max(high[0], low[0] + 1e-4)), float(max(high[1], low[1] + 1e-4)))


def run(count: int, seed: int, manners: Sequence[str], on: date) -> dict[str, Any]:
    """All documents in all manners; a document is forgotten before the next is drawn."""
    types = builtin()
    assert not any(is_masked(one) for doctype in types for one in doctype.fields), "masked fields are cut smaller"
    atlas = Atlas(types)
    studio = Studio.opened(seed, types, on=on)
    context = Context(on, studio.desk.endorsers, Thresholds())
    tallies: dict[str, Tally] = {manner: Tally() for manner in manners}
    clock, other = Clock(), Clock()
    with tempfile.TemporaryDirectory(prefix="docvigil-geometry-") as name:
        folder = Path(name)
        for number in range(count):
            label = studio.draw(folder, number, 0.5)
            path = folder / label.path
            for manner in manners:
                rng = np.random.default_rng([seed, number, len(manner)])
                file, truth = (path, label) if manner == "scanned" else changed(path, label, manner, rng, folder)
                examine(file, truth, atlas, context, tallies[manner], clock if manner == "scanned" else other)
            path.unlink()
    return {
        "manners": {manner: tally.as_json() for manner, tally in tallies.items()},
        "cpu_seconds_a_page": {stage: seconds / max(1, clock.pages) for stage, seconds in clock.seconds.items()},
        "pages_timed": clock.pages,
        "most_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}",
        "command": " ".join(["python", "benchmarks/geometry.py", *sys.argv[1:]]),
    }


def report(result: dict[str, Any]) -> None:
    head = ("manner", "pages", "right", "wrong", "poor", "marks", "p99 mm", "IoU p1", "stray", "defects", "clean")
    print(" ".join(f"{one:>12}" for one in head))
    for manner, one in result["manners"].items():
        row = (
            manner,
            one["pages"],
            f"{one['located_right_and_sure'] / max(1, one['pages']):.1%}",
            one["located_wrong_and_sure"],
            one["quality_false_alarms"],
            one["unexpected_ink_on_clean_pages"],
            one["offset_mm"]["99"],
            one["overlap"]["1"],
            f"{one['stray_marks_found']}/{one['stray_marks']}",
            f"{one['defects_flagged']}/{one['defects']}",
            f"{one['clean_flagged']}/{one['clean']}",
        )
        print(" ".join(f"{cell!s:>12}" for cell in row))
    print("\nprocessor seconds a page, as scanned:")
    for stage, seconds in result["cpu_seconds_a_page"].items():
        print(f"{stage:>12} {seconds:.3f}")
    print(f"{'together':>12} {sum(result['cpu_seconds_a_page'].values()):.3f}")
    print(f"memory at most {result['most_memory_mib']:.0f} MiB; {result['hardware']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--manners", default=",".join(["scanned", *MANNERS]))
    parser.add_argument("--on", type=date.fromisoformat, default=date(2026, 11, 20))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--odd", action="store_true", help="list what went otherwise than it should")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    result = run(options.count, options.seed, options.manners.split(","), options.on)
    report(result)
    if options.odd:
        for manner, tally in result["manners"].items():
            for line in tally["odd"]:
                print(f"{manner}: {line}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
