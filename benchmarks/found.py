"""Fields that nobody drew a box around: pictures of nothing but a field, and dates by hand on pages of no known form.

    python -m benchmarks.found pendigits-orig.tes [--count 100]

Everything goes the way of `docvigil read --kind …` without a box. The fields are drawn from the test split, as hard as
those of the card's table of single fields, and saved as a picture each; of those that hold a string its value is
compared. The dates are those of `benchmarks.hands`, in the digits of people whom no training knows, each in comb boxes
beside the word "Date" on a page of printed text, where OCR makes of them what it can. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from benchmarks.hands import DPI, dates, materials
from docvigil.settings import settings
from docvigil.wiring import atlas, detector, limits, printed_words, reader
from models.nanovlm.processor import PAPER_PERCENTILE
from models.scores import wilson
from models.synthesis import phrases
from models.synthesis.evidence import Drawn, make
from models.synthesis.faces import Materials
from models.synthesis.faces import materials as at_hand
from pipeline.doctypes.schema import FieldKind
from pipeline.reading import Pixels
from pipeline.region import Regions

#: What is drawn: each kind of field with what may stand there.
FIELDS = {
    "signature": ("signature", "empty"),
    "date": ("ok", "empty"),
    "identifier": ("ok", "empty"),
    "amount": ("ok", "empty"),
    "checkbox": ("ticked", "empty"),
    "endorsement": ("stamp", "empty"),
    "text": ("filled", "empty"),
}

#: The first seed; no training and no other measurement has these.
SEED = 95_000_000

#: A page of A4 in pixels at `DPI`, the rows of its print and how high its letters are.
WIDTH, HEIGHT, ROW, SIZE = 1654, 2339, 60, 34


def on_page(field: Pixels, rng: np.random.Generator) -> Pixels:
    """A field beside the word "Date" on a page of print."""
    paper = int(np.percentile(field, PAPER_PERCENTILE))
    page = Image.new("L", (WIDTH, HEIGHT), paper)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(SIZE)
    above = int(rng.integers(8, 18))
    for row in (*range(above), *range(above + 3, above + 11)):
        draw.text((120, 160 + ROW * row), phrases.words(rng, 8), font=font, fill=30)
    y = 160 + ROW * above + 40
    draw.text((120, y), "Date", font=font, fill=30)
    scale = rng.uniform(0.9, 1.2)
    own = cv2.resize(field, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    page.paste(Image.fromarray(own), (240, y + SIZE // 2 - own.shape[0] // 2))
    return np.asarray(page, np.uint8)


def fields(kind: str, state: str, count: int, using: Materials) -> list[Drawn]:
    seed = SEED + 1_000_000 * list(FIELDS).index(kind) + 100_000 * FIELDS[kind].index(state)
    return [make(seed + place, "test", kind, None, state, using=using) for place in range(count)]


def told(name: str, hits: int, count: int) -> None:
    low, high = wilson(hits, count)
    print(f"{name:<52} {hits:>4}/{count:<4} {hits / count:>6.1%}  [{low:.1%}, {high:.1%}]", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=100, help="pictures of each sort")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    config = settings()
    regions = Regions(reader(config), atlas(config), limits(config), printed_words, lambda: detector(config))
    using = at_hand("test")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        for kind, states in FIELDS.items():
            for state in states:
                drawn = fields(kind, state, given.count, using)
                there = right = 0
                for one in drawn:
                    Image.fromarray(one.whole if one.whole is not None else one.cut).save(path)
                    regions.forget()
                    found = regions.read(path, FieldKind(kind))
                    there += found.present == (state != "empty")
                    right += found.value == "".join(one.answer).strip()
                told(f"{kind}, {'empty' if state == 'empty' else 'filled'}: told to be so", there, given.count)
                if state == "ok":
                    told(f"{kind}: read rightly", right, given.count)
        there = right = 0
        for number, one in enumerate(dates(materials(given.files), given.count)):
            page = on_page(one.cut, np.random.default_rng([SEED, number]))
            Image.fromarray(page).save(path, dpi=(DPI, DPI))
            regions.forget()
            found = regions.read(path, FieldKind.DATE)
            there += found.present
            right += found.value == "".join(one.answer)
        told("dates on pages: found", there, given.count)
        told("dates on pages: read rightly", right, given.count)


if __name__ == "__main__":
    main()
