"""The picture of the reason: pages of a document with a numbered frame around everything that somebody must look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from pipeline.geometry import Box

#: Width to which every page is drawn (pixels), of the frames' lines, and size of letters.
PAGE_WIDTH, LINE, LETTER = 1240, 4, 24

#: Pixels between a frame and what it frames.
ROOM = 5

#: Colours of outcomes.
COLOURS = {"anomaly": (200, 30, 30), "uncertain": (205, 120, 0), "pass": (30, 130, 60)}

#: What picture files can be written, by the ending of their name.
ENDINGS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".pdf": "PDF"}


@dataclass(frozen=True, slots=True)
class Note:
    """One finding on a page: its number, what it is, and the sentence that goes with it. Without a box it is about
    the whole page."""

    number: int
    outcome: str
    check: str
    message: str
    box: Box | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page: its number in the file, its picture as it is stored (JPEG or PNG), and the notes on it."""

    page: int
    body: bytes
    notes: Sequence[Note]


def draw(sheets: Sequence[Sheet]) -> Image.Image:
    """The pages one below the other, each with its frames and, under it, the notes in words. Raises ValueError where
    a page is no picture."""
    parts = [_sheet(one) for one in sheets]
    whole = Image.new("RGB", (PAGE_WIDTH, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    return whole


def write(image: Image.Image, file: Path) -> None:
    """Writes a picture in the format that the file's name ends in. Raises ValueError and OSError."""
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"{file} has no ending of a picture; use {', '.join(ENDINGS)}")
    body = io.BytesIO()
    image.save(body, ENDINGS[ending])
    file.write_bytes(body.getvalue())


def _sheet(sheet: Sheet) -> Image.Image:
    try:
        page = Image.open(io.BytesIO(sheet.body)).convert("RGB")
    except OSError as wrong:
        raise ValueError(
            f"the stored picture of page {sheet.page} can't be decoded; scan the document again"
        ) from wrong
    page = page.resize((PAGE_WIDTH, max(1, round(PAGE_WIDTH / page.width * page.height))))
    pen = ImageDraw.Draw(page)
    taken: list[tuple[float, float]] = []
    for note in sheet.notes:
        if note.box is not None:
            _frame(pen, note, page.size, taken)
    legend = _legend(sheet)
    whole = Image.new("RGB", (PAGE_WIDTH, page.height + legend.height), "white")
    whole.paste(page, (0, 0))
    whole.paste(legend, (0, page.height))
    return whole


def _frame(pen: ImageDraw.ImageDraw, note: Note, size: tuple[int, int], taken: list[tuple[float, float]]) -> None:
    """A frame with its number at a corner where no other number stands."""
    assert note.box is not None  # noqa: S101 the caller has looked
    x0, y0, x1, y1 = note.box.pixels(*size)
    colour = COLOURS[note.outcome]
    pen.rectangle((x0 - ROOM, y0 - ROOM, x1 + ROOM, y1 + ROOM), outline=colour, width=LINE)
    radius = 0.75 * LETTER
    x, y = max(radius, x0 - ROOM), max(radius, y0 - ROOM)
    while any(abs(x - other[0]) < 2 * radius and abs(y - other[1]) < 2 * radius for other in taken):
        x += 2 * radius
    taken.append((x, y))
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    pen.text((x, y), str(note.number), "white", _font(LETTER), anchor="mm")


def _legend(sheet: Sheet) -> Image.Image:
    lines: list[tuple[str, tuple[int, int, int]]] = [(f"Page {sheet.page}", (90, 90, 90))]
    for note in sheet.notes:
        place = "" if note.box is not None else " (whole page)"
        told = f"{note.number}  {note.check}, {note.outcome}{place}: {note.message}"
        lines += [(line, COLOURS[note.outcome]) for line in wrap(told, 92, subsequent_indent="     ")]
    if not sheet.notes:
        lines.append(("Nothing to see on this page.", COLOURS["pass"]))
    height = round(LETTER * 1.45)
    legend = Image.new("RGB", (PAGE_WIDTH, height * len(lines) + height), (246, 246, 246))
    pen = ImageDraw.Draw(legend)
    for row, (text, colour) in enumerate(lines):
        pen.text((height, height // 2 + row * height), text, colour, _font(LETTER))
    return legend


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
