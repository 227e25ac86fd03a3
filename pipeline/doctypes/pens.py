"""What forms are drawn with: text, rules, combs, boxes. Whatever can be filled says where its writing area is.

Lengths are millimetres, the origin is the page's top left corner. The same call that draws a comb gives the box that
`type.yaml` will hold, so that boxes and print can't drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import reportlab
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from pipeline.doctypes.schema import FieldKind, FormField

Area: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in millimetres: where somebody writes."""

WIDTH_MM, HEIGHT_MM = 210.0, 297.0

#: Points in a millimetre: PDF counts in points.
MM = 72 / 25.4

#: Rules of combs and boxes, and those of tables' outsides (mm).
THIN, THICK = 0.2, 0.4

#: Bitstream Vera is embedded, so that every machine draws the same; forms are set narrower than it is made.
FONTS = {False: "Vera", True: "VeraBd"}
NARROW = 0.86


@dataclass
class Pen:
    """A form that is being drawn, page after page, and the fields that came of it."""

    path: Path
    title: str
    page: int = 1
    fields: list[FormField] = field(default_factory=list)
    free: dict[int, list[Area]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folder = Path(reportlab.__file__).parent / "fonts"
        for name in FONTS.values():
            registerFont(TTFont(name, str(folder / f"{name}.ttf")))
        # `invariant` leaves out the day and a random id: drawing twice gives the same bytes.
        self._canvas = Canvas(str(self.path), pagesize=(WIDTH_MM * MM, HEIGHT_MM * MM), invariant=1)
        self._canvas.setTitle(self.title)

    def next_page(self) -> None:
        self._canvas.showPage()
        self.page += 1

    def save(self) -> None:
        self._canvas.save()

    # Print

    def text(self, x: float, y: float, words: str, size: float = 6.5, *, bold: bool = False, at: str = "left") -> float:
        """Words on a base line; `at` tells what `x` is of them (left, centre, right). Returns where they end."""
        width = float(stringWidth(words, FONTS[bold], size)) * NARROW / MM
        left = x - {"left": 0.0, "centre": width / 2, "right": width}[at]
        line = self._canvas.beginText(left * MM, (HEIGHT_MM - y) * MM)
        line.setFont(FONTS[bold], size)
        line.setHorizScale(100 * NARROW)
        line.textOut(words)
        self._canvas.drawText(line)
        return left + width

    def prose(self, x: float, y: float, width: float, words: str, size: float = 5.2, *, bold: bool = False) -> float:
        """A paragraph within a width, the first base line at `y`; returns the base line that would follow."""
        for line in simpleSplit(words, FONTS[bold], size, width / NARROW * MM):
            self.text(x, y, line, size, bold=bold)
            y += size * 1.25 / MM
        return y

    def rule(self, x0: float, y0: float, x1: float, y1: float, thickness: float = THIN, dashed: bool = False) -> None:
        self._canvas.setLineWidth(thickness * MM)
        self._canvas.setDash([2, 2] if dashed else [])
        self._canvas.line(x0 * MM, (HEIGHT_MM - y0) * MM, x1 * MM, (HEIGHT_MM - y1) * MM)

    def frame(
        self, x: float, y: float, width: float, height: float, thickness: float = THIN, grey: float = 1.0
    ) -> Area:
        """A rectangle; returns what lies inside its rules. Below 1, `grey` fills it."""
        self._canvas.setLineWidth(thickness * MM)
        self._canvas.setDash([])
        self._canvas.setFillGray(grey)
        self._canvas.rect(
            x * MM, (HEIGHT_MM - y - height) * MM, width * MM, height * MM, stroke=1, fill=1 if grey < 1 else 0
        )
        self._canvas.setFillGray(0)
        inside = thickness / 2
        return (x + inside, y + inside, x + width - inside, y + height - inside)

    def bar(self, x: float, y: float, width: float, words: str) -> float:
        """The heading of a section, on grey; returns where the section's content begins."""
        self.frame(x, y, width, 5.0, THIN, grey=0.85)
        self.text(x + 1.5, y + 3.6, words, 7.2, bold=True)
        return y + 5.0

    # Places to fill

    def comb(self, x: float, y: float, cells: int, pitch: float = 5.0, height: float = 6.4, over: str = "") -> Area:
        """A row of cells, one character each; `over` is printed small above them, one letter a cell."""
        area = self.frame(x, y, cells * pitch, height)
        for cell in range(1, cells):
            self.rule(x + cell * pitch, y, x + cell * pitch, y + height)
        for cell, letter in enumerate(over):
            self.text(x + (cell + 0.5) * pitch, y - 1.2, letter, 4.6, at="centre")
        return area

    def date_comb(self, x: float, y: float, pitch: float = 5.0) -> Area:
        return self.comb(x, y, 8, pitch, over="DDMMYYYY")

    def line(self, x0: float, x1: float, y: float, height: float = 7.0) -> Area:
        """A rule to write on; the writing area is `height` high above it."""
        self.rule(x0, y, x1, y)
        return (x0, y - height, x1, y)

    def tick(self, x: float, y: float, words: str, size: float = 6.2) -> tuple[Area, float]:
        """A box to tick with its words; `y` is the words' base line. Returns the box and where the words end."""
        area = self.frame(x, y - 3.1, 4.0, 4.0)
        return area, self.text(x + 5.0, y, words, size)

    # Fields

    def add(self, name: str, label: str, kind: FieldKind, area: Area, **more: Any) -> None:
        """A field that is filled in this area of the present page; `more` as in `FormField`."""
        self.fields.append(
            FormField(name=name, label=label, kind=kind, page=self.page, box=list(fractions(area)), **more)
        )

    def ticks(self, x: float, y: float, choices: dict[str, tuple[str, str]], gap: float = 4.0) -> float:
        """Boxes to tick in a row: field name → (words, label). Returns where the last one's words end."""
        for name, (words, label) in choices.items():
            area, end = self.tick(x, y, words)
            self.add(name, label, FieldKind.CHECKBOX, area)
            x = end + gap
        return x - gap

    def leave(self, area: Area) -> None:
        """Ink in this area is expected though no field explains it."""
        self.free.setdefault(self.page, []).append(area)


def fractions(area: Area) -> Area:
    """An area in fractions of the page, to a hundred-thousandth: a 500th of a millimetre."""
    x0, y0, x1, y1 = area
    return (
        round(x0 / WIDTH_MM, 5),
        round(y0 / HEIGHT_MM, 5),
        round(x1 / WIDTH_MM, 5),
        round(y1 / HEIGHT_MM, 5),
    )
