"""Forms nobody knows and scans of them, drawn for tests: small, quick and the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image, ImageDraw, ImageFont

from pipeline.doctypes.schema import DocumentType, parse
from pipeline.pages import Page

WORDS = [
    "name",
    "of",
    "holder",
    "account",
    "number",
    "date",
    "signature",
    "participant",
    "stamp",
    "address",
    "branch",
    "security",
    "quantity",
    "amount",
    "in",
    "words",
    "declaration",
    "I",
    "hereby",
    "state",
    "that",
    "the",
    "particulars",
    "above",
    "are",
    "true",
    "client",
    "identity",
    "proof",
    "nominee",
    "guardian",
    "mobile",
    "received",
    "by",
    "verified",
    "office",
    "use",
    "only",
    "serial",
    "reference",
    "transfer",
    "pledge",
    "reason",
    "market",
    "settlement",
]


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def draw(
    seed: int, edition: int = 0, width_mm: float = 210, height_mm: float = 297
) -> tuple[Any, list[dict[str, Any]]]:
    """A form's blank at 150 dpi and its fields. Editions of a seed differ in a few places, as printings do."""
    rng = np.random.default_rng(seed)
    changed = np.random.default_rng([seed, edition])
    width, height = round(width_mm / 25.4 * 150), round(height_mm / 25.4 * 150)
    image = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)

    def words(count: int, source: np.random.Generator = rng) -> str:
        return " ".join(source.choice(WORDS, count)).capitalize()

    pen.text((60, 50), words(4).upper(), 0, _font(34))
    note = words(5)
    pen.text((60, 100), f"Form {seed}/{'ABC'[edition]}  " + (words(5, changed) if edition else note), 0, _font(18))
    pen.rectangle((40, 30, width - 40, height - 40), outline=60, width=2)
    fields: list[dict[str, Any]] = []

    def field(kind: str, box: tuple[float, float, float, float], **more: Any) -> None:
        fraction = [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
        fields.append({"name": f"{kind}_{len(fields)}", "label": words(2), "kind": kind, "box": fraction, **more})

    y = 150
    row = 0
    while y < height - 260:
        row += 1
        style = int(rng.integers(0, 5))
        # The second edition moves one row in four a little; the third differs in its heading alone.
        if edition == 1 and changed.random() < 0.25:
            y += int(changed.integers(8, 24))
        pen.text((60, y), f"{row}. " + words(int(rng.integers(2, 5))), 0, _font(19))
        if style == 0:
            for cell in range(8):
                pen.rectangle((500 + cell * 36, y - 6, 536 + cell * 36, y + 34), outline=40, width=2)
            field("date", (500, y - 6, 788, y + 34), cells=8, format="DDMMYYYY")
        elif style == 1:
            pen.line((500, y + 30, width - 90, y + 30), 30, 2)
            field("text", (500, y - 12, width - 90, y + 30))
        elif style == 2:
            for box in range(4):
                pen.rectangle((500 + box * 160, y, 522 + box * 160, y + 22), outline=20, width=2)
                pen.text((530 + box * 160, y), words(1), 0, _font(17))
        elif style == 3:
            pen.rectangle((60, y + 28, width - 80, y + 90), outline=40, width=2)
            pen.rectangle((60, y + 28, width - 80, y + 54), outline=40, fill=225, width=2)
            for column in range(1, 5):
                pen.line((60 + column * 240, y + 28, 60 + column * 240, y + 90), 40, 2)
                pen.text((70 + column * 240, y + 32), words(2), 0, _font(15))
            y += 60
        else:
            for line in range(int(rng.integers(2, 5))):
                pen.text((60, y + 26 + 22 * line), words(12), 0, _font(16))
                y += 10
            y += 50
        y += int(rng.integers(52, 76))
    for holder in range(3):
        left = 60 + holder * 390
        box = (left, height - 190, left + 330, height - 100)
        if left + 330 < width - 40:
            pen.rectangle(box, outline=40, width=2)
            pen.text((left + 4, height - 92), f"Signature of {words(2)}", 0, _font(16))
            field("signature", box)
    return image, fields


def make_type(folder: Path, seed: int, edition: int = 0, pages: int = 1, **size: float) -> DocumentType:
    """A document type of its own, saved in `folder`."""
    target = folder / f"form-{seed}-{edition}"
    target.mkdir(parents=True, exist_ok=True)
    every: list[dict[str, Any]] = []
    for number in range(1, pages + 1):
        image, fields = draw(seed + 1000 * (number - 1), edition, **size)
        image.save(target / f"page-{number}.png", dpi=(150, 150))
        every += [{**one, "name": f"{one['name']}_p{number}", "page": number} for one in fields]
    data = {
        "name": f"form-{seed}-{edition}",
        "title": f"Form {seed}",
        "form": f"form-{seed}",
        "edition": str(edition),
        "pages": [{"blank": f"page-{number}.png", **size} for number in range(1, pages + 1)],
        "fields": every,
    }
    (target / "type.yaml").write_text(yaml.safe_dump(data))
    return parse(data, target)


@dataclass(frozen=True)
class Scan:
    """A page and the truth about it: the map from blank pixels to page pixels."""

    page: Page
    truth: npt.NDArray[np.float64]


def handwriting(
    blank: npt.NDArray[np.uint8], boxes: list[tuple[int, int, int, int]], seed: int
) -> npt.NDArray[np.uint8]:
    """The blank with a scrawl in each box, in pixels."""
    rng = np.random.default_rng(seed)
    out = blank.copy()
    for x0, y0, x1, y1 in boxes:
        count = max(4, (x1 - x0) // 12)
        xs = np.linspace(x0 + 4, x1 - 4, count) + rng.normal(0, 3, count)
        ys = rng.uniform(y0 + 4, y1 - 4, count)
        points = np.stack([xs, ys], 1).astype(np.int32)
        cv2.polylines(out, [points], False, int(rng.integers(10, 90)), int(rng.integers(2, 4)), cv2.LINE_AA)
    return out


def scan(
    blank: npt.NDArray[np.uint8],
    seed: int = 0,
    *,
    dpi: float = 200,
    skew: float = 0.0,
    turn: int = 0,
    scale: float = 1.0,
    noise: float = 3.0,
    blur: float = 0.5,
    jpeg: int = 80,
    bilevel: bool = False,
    margin: float = 0.0,
    bend: float = 0.0,
    perspective: float = 0.0,
) -> Scan:
    """A scan of a 150-dpi blank (or a filled one) at `dpi`, skewed by `skew` degrees.

    `scale` stretches the paper, `margin` (in shares of the width) moves it on the scanner's bed or, negative, crops;
    `bend` is the amplitude in millimetres of a feeder's uneven pull, which the truth leaves out.
    """
    rng = np.random.default_rng(seed)
    height, width = blank.shape
    zoom = dpi / 150 * scale
    out_w, out_h = round(width * dpi / 150 * (1 + margin)), round(height * dpi / 150 * (1 + margin))
    centre = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
    angle = np.deg2rad(skew)
    rotate = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    stretch = np.diag([zoom, zoom * (1 + rng.normal(0, 0.004)), 1])
    tilt = np.array([[1, 0, 0], [0, 1, 0], [perspective / width, -perspective / height, 1]])
    place = np.array(
        [[1, 0, (out_w - 1) / 2 + rng.normal(0, 4)], [0, 1, (out_h - 1) / 2 + rng.normal(0, 4)], [0, 0, 1]]
    )
    truth = place @ rotate @ stretch @ tilt @ centre
    paper = cv2.GaussianBlur(blank, (0, 0), max(0.01, blur * 150 / dpi)) if blur > 0.2 else blank
    page = cv2.warpPerspective(paper, truth, (out_w, out_h), flags=cv2.INTER_AREA, borderValue=255)
    if bend:
        rows = np.arange(out_h, dtype=np.float32)
        pull = (bend / 25.4 * dpi * np.sin(rows / out_h * 2 * np.pi * 1.3 + rng.uniform(0, 6))).astype(np.float32)
        map_x = np.tile(np.arange(out_w, dtype=np.float32), (out_h, 1))
        page = cv2.remap(page, map_x, np.tile((rows + pull)[:, None], (1, out_w)), cv2.INTER_LINEAR, borderValue=255)
    grey = page.astype(np.float32) * rng.uniform(0.85, 1.0) + rng.normal(0, noise, page.shape)
    page = np.clip(grey, 0, 255).astype(np.uint8)
    if bilevel:
        page = np.where(page < rng.uniform(120, 190), 0, 255).astype(np.uint8)
    elif jpeg < 100:
        page = cv2.imdecode(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, jpeg])[1], cv2.IMREAD_GRAYSCALE)
    for _ in range(turn % 4):
        quarter = np.array([[0, -1, page.shape[0] - 1], [1, 0, 0], [0, 0, 1]], dtype=float)
        page, truth = np.ascontiguousarray(np.rot90(page, -1)), quarter @ truth
    return Scan(Page(1, page, None, dpi), truth)


def blank_of(doctype: DocumentType, page: int = 1) -> npt.NDArray[np.uint8]:
    assert doctype.folder is not None
    image = cv2.imread(str(doctype.folder / doctype.pages[page - 1].blank), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


def filled(doctype: DocumentType, seed: int, page: int = 1) -> npt.NDArray[np.uint8]:
    """The form's page with every field filled."""
    blank = blank_of(doctype, page)
    height, width = blank.shape
    boxes = [one.where.pixels(width, height) for one in doctype.fields if one.page == page]
    return handwriting(blank, boxes, seed)
