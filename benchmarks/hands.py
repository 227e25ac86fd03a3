"""Dates in comb boxes, in the hands of people whom no training knows.

    python -m benchmarks.hands pendigits-orig.tes [--count 2000] [--model FOLDER] [--boxes]

The file is the unprocessed one for testing of Alpaydin and Alimoglu's Pen-Based Recognition of Handwritten Digits (UCI
Machine Learning Repository, doi:10.24432/C5MG6K, CC BY 4.0): 3,498 digits by 14 people, as strokes; training draws with
those of the 30 other people of that collection. Each date is written in one person's digits, drawn as hard as all
evidence is that is drawn field by field (`models/synthesis/evidence.py`), and read as the pipeline reads it, without
the check by the recogniser of print.

With `--boxes` nothing is known of the comb, as for `docvigil read` with a box: each field stands on a page of its own,
and how many boxes it has, and where, is to be seen. So many of them were found is told too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch

from models.checkpoint import bundled, digest
from models.nanovlm.processor import PAPER_PERCENTILE
from models.reader import load_checked
from models.scores import STRICT
from models.synthesis.evidence import Drawn, make
from models.synthesis.faces import Found, Materials, plain
from models.synthesis.samples import packed
from models.synthesis.tablets import samples
from models.training.evaluate import answered, score
from pipeline.cutting import cut_out
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.pages import Page
from pipeline.questions import questions
from pipeline.reading import Answer, Reader

#: Comb boxes of a date.
CELLS = 8

#: Dots an inch that fields are drawn at, about.
DPI = 200.0

#: The first seed; no training and no other measurement has these.
SEED = 90_000_000


def materials(paths: list[Path]) -> Materials:
    """What a plain install draws with, and these people's digits. Raises ValueError where there are none."""
    found = [one for path in paths for one in samples(path, "test")]
    if not found:
        raise ValueError("these files hold no digits; give pendigits-orig.tes, unpacked")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "writers.npz"
        np.savez(file, **packed(found, [], "test"))  # type: ignore[arg-type]
        return plain("test", Found(writers=file))


def dates(using: Materials, count: int) -> list[Drawn]:
    """So many dates in comb boxes."""
    drawn: list[Drawn] = []
    seed = SEED
    while len(drawn) < count:
        one = make(seed, "test", "date", "writers", "ok", using=using)
        seed += 1
        if one.cells == CELLS:
            drawn.append(one)
    return drawn


def boxed(reader: Reader, drawn: Iterable[Drawn]) -> tuple[list[Answer], int]:
    """The reader's answers where only a box around each field is known, and of how many all boxes were found."""
    answers, found = [], 0
    for one in drawn:
        field = one.cut
        height, width = field.shape
        paper = int(np.percentile(field, PAPER_PERCENTILE))
        image = cv2.copyMakeBorder(field, height, height, width, width, cv2.BORDER_CONSTANT, value=paper)
        page = Page(1, image, None, DPI)
        evidence = cut_out(page, FieldKind.DATE, Box(1 / 3, 1 / 3, 2 / 3, 2 / 3))
        found += evidence.row is not None and evidence.row.cells == CELLS
        answers += reader.read(questions(evidence, None))
    return answers, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--model", type=Path, default=bundled())
    parser.add_argument("--boxes", action="store_true", help="a box around each field is all that is known")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    drawn = dates(materials(given.files), given.count)
    reader = load_checked(given.model)
    if given.boxes:
        answers, found = boxed(reader, drawn)
        print(f"the {CELLS} boxes of {found} of {len(drawn)} dates were found")
    else:
        answers = answered(reader, drawn)
    told = score(drawn, answers, "pendigits")
    print(
        f"model {digest(given.model)}: of {told.count} dates {told.exact:.1%} right ({told.low:.1%} to {told.high:.1%})"
    )
    print(f"character error {told.character_error:.2%}, answered at {STRICT:.1%}: {told.strict_share:.1%}")
    if given.json:
        given.json.write_text(json.dumps(asdict(told), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
