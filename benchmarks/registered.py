"""Real forms that nobody registered before: a type is made of them as a user would, and what is filled in is read.

    python -m benchmarks.registered SOURCES --truth FILE --filled FOLDER [--region ACROSS DOWN] [--json FILE]

SOURCES is the blank of the form, or filled samples of it, or their folder, as for `docvigil doctypes new`; nothing that
is proposed is corrected. The truth is JSON: of each file in FOLDER what stands in which field (as the type calls it) by
the letters and digits, null where a person can't read it. `found` counts fields whose name the type has; `read` such of
them as are read to the letter; of what nobody can read `illegible` counts what is not told with a confidence of 0.9.

With `--region` the type only says where fields are, and each is read as `docvigil read` reads a box that is so many of
its widths and heights larger on every side.

The forms that this was tried with hold numbers of people who could be found by them, so they are not told here.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import torch

from benchmarks.free_layout import line, share
from docvigil.settings import settings
from docvigil.wiring import detector, limits, printed_words, reader
from pipeline.doctypes.author import new
from pipeline.doctypes.load import load
from pipeline.doctypes.schema import FieldKind
from pipeline.evidence import cut
from pipeline.locate import Atlas
from pipeline.pages import render
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Reader
from pipeline.region import RegionReading, Regions

#: What is told of something nobody can read counts as told from this confidence on.
SURE = 0.9


def readings(
    file: Path, atlas: Atlas, asked: Reader, wanted: set[str], larger: tuple[float, float] | None
) -> dict[str, Reading | RegionReading]:
    """What stands in those fields of a filled form, by their names."""
    found: dict[str, Reading | RegionReading] = {}
    config = settings()
    regions = Regions(asked, Atlas([]), limits(config), printed_words, lambda: detector(config))
    for page in render(file, limits(settings())):
        location = atlas.locate(page)
        if not location.sure or location.doctype is None:
            continue
        for one in cut(page, location):
            if one.field in wanted and larger is not None:
                box = one.box.widened(*larger).clipped()
                found[one.field] = regions.read(file, FieldKind(one.kind.value), box)
            elif one.field in wanted:
                field = location.doctype.field(one.field)
                found[one.field] = reading(one, field, asked.read(questions(one, field)))
    return found


def measured(
    sources: list[Path],
    filled: Path,
    truth: dict[str, dict[str, str | None]],
    asked: Reader,
    larger: tuple[float, float] | None,
) -> Any:
    """The counts, and what is wrong."""
    with tempfile.TemporaryDirectory() as work:
        doctype = load(new(Path(work), "form", "Form", sources, limits(settings()), printed_words()))
        atlas = Atlas([doctype])
        fields = {one.name for one in doctype.fields}
        legible = right = known = unreadable = kept = 0
        wrong = []
        for name, values in truth.items():
            told = readings(filled / name, atlas, asked, set(values), larger)
            for field, value in values.items():
                one = told.get(field)
                said = None if one is None else plain(one.normalised or one.value)
                known += field in fields
                if value is None:
                    unreadable += 1
                    kept += one is None or said is None or one.confidence < SURE
                    continue
                legible += 1
                hit = one is not None and plain(value) in (said, plain(one.value))
                right += hit
                if not hit:
                    wrong.append((name, field, said, None if one is None else round(one.confidence, 3)))
    return {
        "fields": len(fields),
        "found": share(known, legible + unreadable),
        "read": share(right, legible),
        "illegible": share(kept, unreadable) if unreadable else None,
        "wrong": wrong,
    }


def plain(text: str | None) -> str | None:
    """Letters and digits."""
    return None if text is None else re.sub(r"[^A-Z0-9]", "", text.upper())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--filled", type=Path, required=True)
    parser.add_argument("--region", type=float, nargs=2, metavar=("ACROSS", "DOWN"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = reader(settings())
    print(f"model {model.version}")
    started = time.monotonic()
    truth = json.loads(given.truth.read_text(encoding="utf-8"))
    larger = None if given.region is None else (given.region[0], given.region[1])
    result = measured(given.sources, given.filled, truth, model, larger)
    print(f"{result['fields']} fields are proposed")
    print(line("fields that are among them", result["found"]))
    print(line("read to the letter", result["read"]))
    if result["illegible"] is not None:
        print(line("not told where nobody can read it", result["illegible"]))
    print(f"{time.monotonic() - started:.0f} s")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
