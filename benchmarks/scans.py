"""Real scans that are not of this project: are signatures seen on pages, are dates in comb boxes and amounts read?

    python -m benchmarks.scans signatures SIGNED UNSIGNED [--half measured|developing] [--json FILE]
    python -m benchmarks.scans forms FOLDER [--half measured|developing] [--json FILE]
    python -m benchmarks.scans dates FOLDER [--boxes MARGIN] [--labels FILE] [--json FILE]
    python -m benchmarks.scans amounts FOLDER [--half measured|developing] [--json FILE]

`signatures`: two folders of pages, such that bear a signature and such that don't. Every page goes the way of
`docvigil read --kind signature` without a box. Of the letters of Tobacco800 (Zhu et al., CVPR 2007; Lewis et al., SIGIR
2006) in the test folders of github.com/Purefekt/signature-detection-and-extraction, 78 and 51, one half by the SHA-256
of the names was looked at while this was developed, and the other is measured.

`forms`: the same on pages of FUNSD (Jaume, Ekenel and Thiran, ICDAR-OST 2019: noisy scans of forms of offices, small
and without a resolution), as in github.com/mavillot/FUNSD-Information-Extraction. `forms.json` beside this file says
which of 185 bear a signature or initials, by eye; two of which a person can't tell are left out.

`dates`: a folder of the IDRBT Cheque Image Dataset (Dansena, Bag and Pal, PReMI 2017; idrbt.ac.in): 112 cheques of four
banks, filled by hand, at 300 dpi. `cheques.json` beside this file says what date stands in the boxes of
109 of them and where (in fractions of the picture); of the others a person can't tell. Without `--boxes` nothing is
given but the picture, with it a box so many widths and heights of one comb box larger on every side than the comb.
A date is right if all eight digits are. Neither collection is for redistribution; both are only looked at here.

`amounts`: a folder of ORAND-CAR-A (the digit strings of Diem et al., ICFHR 2014: amounts cut out of cheques) with a box
for each digit, as in github.com/Fzkuji/Labeled_ORAND-CAR-A. Every picture goes the way of `docvigil read --kind
amount`, and is right if its digits are. One half by the SHA-256 of the names was open to be looked at.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import torch

from benchmarks.free_layout import half, line, share
from docvigil.settings import settings
from docvigil.wiring import atlas, detector, limits, printed_words, reader
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.region import Regions

LABELS, FORMS = (Path(__file__).with_name(name) for name in ("cheques.json", "forms.json"))

#: Comb boxes of a date.
CELLS = 8


def signatures(asked: Regions, pages: dict[str, list[Path]], which: str | None) -> dict[str, Any]:
    """On how many pages that bear a signature ("signed"), and that bear none ("unsigned"), one is told."""
    result: dict[str, Any] = {}
    for name, paths in pages.items():
        own = {path.name: path for path in paths}
        told = []
        for page in half(list(own), which) if which else sorted(own):
            found = asked.read(own[page], FieldKind.SIGNATURE)
            asked.forget()
            told.append((page, found.present, round(found.confidence, 3)))
        result[name] = share(sum(present for _, present, _ in told), len(told))
        result[f"{name}_wrong"] = [one for one in told if one[1] != (name == "signed")]
    return result


def forms(folder: Path) -> dict[str, list[Path]]:
    """The pages of forms by whether they are signed. Raises SystemExit where one is missing."""
    # Beside the pictures lie maps of their letters, under the same names.
    files = {path.stem: path for path in sorted(folder.rglob("*.png")) if "Labels" not in path.parts}
    labels = json.loads(FORMS.read_text(encoding="utf-8"))
    if missing := [name for names in labels.values() for name in names if name not in files]:
        raise SystemExit(f"{folder} holds no picture named {missing[0]}.png; give the folder with all of them")
    return {kind: [files[name] for name in names] for kind, names in labels.items()}


def dates(asked: Regions, folder: Path, labels: dict[str, Any], margin: float | None) -> dict[str, Any]:
    """How many dates are read rightly."""
    right, wrong, files = 0, [], dict(_files(folder))
    for name, label in labels.items():
        if name not in files:
            raise SystemExit(f"{folder} holds no picture named {name}.*; give the folder with all of them")
        found = asked.read(files[name], FieldKind.DATE, None if margin is None else _wider(label["box"], margin))
        asked.forget()
        right += found.value == label["date"]
        if found.value != label["date"]:
            wrong.append((name, label["date"], found.value, round(found.confidence, 3)))
    return {"read": share(right, len(labels)), "wrong": wrong}


def amounts(asked: Regions, folder: Path, which: str | None) -> dict[str, Any]:
    """How many amounts are read rightly, of pictures that are nothing but one."""
    truth = {}
    for file in sorted(folder.rglob("instances_*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        digit = {one["id"]: one["name"] for one in told["categories"]}
        for image in told["images"]:
            own = [one for one in told["annotations"] if one["image_id"] == image["id"]]
            own.sort(key=lambda one: one["bbox"][0])
            truth[image["file_name"]] = "".join(digit[one["category_id"]] for one in own)
    pictures = {path.name: path for path in folder.rglob("*.jpg")}
    chosen = half(list(truth), which) if which else sorted(truth)
    right, wrong = 0, []
    for name in chosen:
        found = asked.read(pictures[name], FieldKind.AMOUNT)
        asked.forget()
        digits = re.sub(r"\D", "", found.value or "")
        right += digits == truth[name]
        if digits != truth[name]:
            wrong.append((name, truth[name], found.value, round(found.confidence, 3)))
    return {"read": share(right, len(chosen)), "wrong": wrong}


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.iterdir():
        yield path.stem.removeprefix("Cheque "), path


def _wider(box: list[float], margin: float) -> Box:
    x0, y0, x1, y1 = box
    across, down = margin * (x1 - x0) / CELLS, margin * (y1 - y0)
    return Box(x0 - across, y0 - down, x1 + across, y1 + down).clipped()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("signatures", "forms", "dates", "amounts"))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--half", choices=("measured", "developing"))
    parser.add_argument("--boxes", type=float, metavar="MARGIN")
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if len(given.folders) != (2 if given.what == "signatures" else 1):
        raise SystemExit("give two folders for signatures (signed, unsigned) and one for all else")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    config = settings()
    model = reader(config)
    asked = Regions(model, atlas(config), limits(config), printed_words, lambda: detector(config))
    print(f"model {model.version}")
    started = time.monotonic()
    if given.what in ("signatures", "forms"):
        pages = (
            forms(given.folders[0])
            if given.what == "forms"
            else {kind: [*folder.iterdir()] for kind, folder in zip(("signed", "unsigned"), given.folders, strict=True)}
        )
        result = signatures(asked, pages, given.half)
        print(line("signed pages: a signature is told", result["signed"]))
        print(line("unsigned pages: one is told", result["unsigned"]))
    elif given.what == "amounts":
        result = amounts(asked, given.folders[0], given.half)
        print(line("amounts read rightly", result["read"]))
    else:
        result = dates(asked, given.folders[0], json.loads(given.labels.read_text(encoding="utf-8")), given.boxes)
        print(line("dates read rightly", result["read"]))
    print(f"{time.monotonic() - started:.0f} s")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
