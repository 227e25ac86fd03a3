"""Signatures and dates on real pages of no known form: found, and not found where there are none.

    python -m benchmarks.free_layout FOLDER [--half measured|developing] [--json FILE]

FOLDER holds `deeds/labels.json` (a list of {"file", "size", "regions": [{"tags", "box"}]}, boxes in pixels) with its
pictures, and `receipts/*.jpg` each with a JSON beside it that has "date". Names are ordered by their SHA-256: the first
half was looked at while this was developed, the second is measured and nothing was tuned to it.

Every page goes the way of `docvigil read --kind …` without a box. Deeds: is a signature found on the page (all bear
signatures or initials); is one found on the same page after each labelled box was painted over with the paper around
it; how many labelled boxes are found (IoU of 0.3) and how many found boxes are labelled. Labels off their picture are
left out; initials that nobody labelled count as false, so the false "yes" and the precision are bounds from one side.
Receipts: is the day told that the label says. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from docvigil.settings import settings
from docvigil.wiring import atlas, detector, limits, printed_words, reader
from models.scores import wilson
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.printed import dates_in
from pipeline.reading import Pixels
from pipeline.region import RegionReading, Regions

#: Boxes that share this much (intersection over union) are the same mark.
SAME = 0.3


def half(names: Sequence[str], which: str) -> list[str]:
    """One half of the names, ordered by their digests."""
    ordered = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    middle = len(ordered) // 2
    return ordered[:middle] if which == "developing" else ordered[middle:]


def labelled(page: dict[str, Any], image: Pixels) -> list[Box]:
    """The labelled boxes that lie on the picture, in fractions of it."""
    height, width = image.shape[:2]
    found = []
    for region in page["regions"]:
        x0, y0, x1, y1 = region["box"]
        if x0 < min(x1, width) and y0 < min(y1, height):
            found.append(Box(x0 / width, y0 / height, min(x1, width) / width, min(y1, height) / height))
    return found


def painted_over(image: Pixels, boxes: Sequence[Box]) -> Pixels:
    """The picture with each box filled with the paper around it."""
    bare = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        x0, y0, x1, y1 = box.pixels(width, height)
        around = image[max(0, y0 - 30) : y1 + 30, max(0, x0 - 30) : x1 + 30].reshape(-1, image.shape[2])
        bright = around[around.mean(axis=1) >= np.median(around.mean(axis=1))]
        bare[y0:y1, x0:x1] = np.median(bright, axis=0).astype(np.uint8)
    return bare


def places(found: RegionReading) -> list[Box]:
    """All boxes that were told."""
    return [found.box, *(one.box for one in found.others)] if found.present and found.box is not None else []


def matched(truth: Sequence[Box], told: Sequence[Box]) -> int:
    """How many boxes of one list are in the other; each is used once."""
    free, count = list(told), 0
    for box in truth:
        best = max(free, key=box.overlap, default=None)
        if best is not None and box.overlap(best) >= SAME:
            free.remove(best)
            count += 1
    return count


def deeds(asked: Regions, folder: Path, which: str) -> dict[str, Any]:
    """Signatures on deeds."""
    pages = {page["file"]: page for page in json.loads((folder / "labels.json").read_text(encoding="utf-8"))}
    signed = false = pages_with = boxes = found_boxes = told_boxes = right_boxes = 0
    seconds, wrong = 0.0, []
    with tempfile.TemporaryDirectory() as scratch:
        for name in half(list(pages), which):
            image = np.asarray(cv2.imread(str(folder / name)), np.uint8)
            truth = labelled(pages[name], image)
            if not truth:
                continue
            pages_with += 1
            started = time.monotonic()
            told = asked.read(folder / name, FieldKind.SIGNATURE)
            seconds += time.monotonic() - started
            bare = Path(scratch) / "bare.png"
            cv2.imwrite(str(bare), painted_over(image, truth))
            again = asked.read(bare, FieldKind.SIGNATURE)
            bare.unlink()
            # Pages are kept by path, and the next one has the same.
            asked.forget()
            marks = places(told)
            signed += told.present
            false += again.present
            boxes += len(truth)
            found = matched(truth, marks)
            found_boxes += found
            told_boxes += len(marks)
            right_boxes += found
            if not told.present or again.present or found < len(truth) or len(marks) > found:
                wrong.append(
                    {
                        "page": name,
                        "present": told.present,
                        "confidence": round(told.confidence, 3),
                        "present_after_painting": again.present,
                        "confidence_after_painting": round(again.confidence, 3),
                        "labelled": [box.as_list() for box in truth],
                        "told": [box.as_list() for box in marks],
                        "told_after_painting": [box.as_list() for box in places(again)],
                    }
                )
    return {
        "pages": pages_with,
        "presence": share(signed, pages_with),
        "false_yes": share(false, pages_with),
        "recall": share(found_boxes, boxes),
        "precision": share(right_boxes, told_boxes),
        "seconds_a_page": seconds / max(1, pages_with),
        "wrong": wrong,
    }


def receipts(asked: Regions, folder: Path, which: str) -> dict[str, Any]:
    """Dates on receipts."""
    names = half([path.name for path in folder.glob("*.jpg")], which)
    present = right = 0
    wrong, started = [], time.monotonic()
    for name in names:
        written = json.loads((folder / name).with_suffix(".json").read_text(encoding="utf-8"))["date"]
        truth = next((one.day.isoformat() for one in dates_in(written) if one.day is not None), None)
        told = asked.read(folder / name, FieldKind.DATE)
        present += told.present
        right += told.present and told.normalised == truth
        if told.normalised != truth:
            wrong.append({"page": name, "label": written, "told": told.value, "confidence": round(told.confidence, 3)})
    return {
        "pages": len(names),
        "found": share(present, len(names)),
        "read": share(right, len(names)),
        "seconds_a_page": (time.monotonic() - started) / max(1, len(names)),
        "wrong": wrong,
    }


def share(hits: int, total: int) -> dict[str, Any]:
    return {"hits": hits, "of": total, "share": hits / total if total else None, "interval": wilson(hits, total)}


def line(name: str, one: dict[str, Any]) -> str:
    low, high = one["interval"]
    value = "nothing to measure" if one["share"] is None else f"{one['share']:.1%}"
    return f"{name:52} {one['hits']:3}/{one['of']:<3} {value:>7}  [{low:.1%}, {high:.1%}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("measured", "developing"), default="measured")
    parser.add_argument("--only", choices=("deeds", "receipts"))
    parser.add_argument("--json", type=Path, help="write everything there, also which pages went wrong")
    given = parser.parse_args()
    config = settings()
    asked = Regions(reader(config), atlas(config), limits(config), printed_words, lambda: detector(config))
    result: dict[str, Any] = {"half": given.half, "hardware": f"{os.cpu_count()} cores, {platform.machine()}"}
    result["torch_threads"] = torch.get_num_threads()
    if given.only != "receipts":
        result["deeds"] = told = deeds(asked, given.folder / "deeds", given.half)
        print(line("deeds: pages on which a signature is found", told["presence"]))
        print(line("deeds: the same with the labelled ink painted over", told["false_yes"]))
        print(line("deeds: labelled boxes found (IoU 0.3)", told["recall"]))
        print(line("deeds: found boxes that are labelled", told["precision"]))
        print(f"deeds: {told['seconds_a_page']:.1f} s a page")
    if given.only != "deeds":
        result["receipts"] = told = receipts(asked, given.folder / "receipts", given.half)
        print(line("receipts: a date is found", told["found"]))
        print(line("receipts: the date is read rightly", told["read"]))
        print(f"receipts: {told['seconds_a_page']:.1f} s a page")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
