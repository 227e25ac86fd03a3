"""Draws the built-in forms: `make blanks`, or `python -m pipeline.doctypes.drawing [FOLDER]`.

Each form is drawn once as PDF; its blank images are made from that, its boxes come from the same calls that drew its
combs and frames. Drawing twice gives the same bytes.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

from pipeline.doctypes import kyc, slip
from pipeline.doctypes.clauses import KYC_RULES, SLIP_RULES, on_every_page
from pipeline.doctypes.describe import as_yaml
from pipeline.doctypes.load import BUILTIN, DESCRIPTION
from pipeline.doctypes.pens import HEIGHT_MM, WIDTH_MM, Pen, fractions
from pipeline.doctypes.schema import Check, DocumentType, FormPage, Rule

#: Dots an inch of blank images.
BLANK_DPI = 150

#: Grey levels of a blank: enough for smooth print, and half the size of 256.
LEVELS = 16


@dataclass(frozen=True)
class Form:
    """A built-in form: what draws it, and what its type says beside the fields drawn."""

    name: str
    title: str
    draw: Callable[[Pen], None]
    rules: tuple[Rule, ...]
    checks: tuple[Check, ...]


FORMS = (
    Form(kyc.NAME, kyc.TITLE, kyc.draw, KYC_RULES, on_every_page("kyc.corrections")),
    Form(slip.NAME, slip.TITLE, slip.draw, SLIP_RULES, on_every_page("dis.alterations")),
)


def make(form: Form, folder: Path) -> Path:
    """Draws a form into a folder of its name, in place of what is there; returns that folder."""
    target = folder / form.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    pen = Pen(target / "blank.pdf", form.title)
    form.draw(pen)
    pen.save()
    for number, image in enumerate(images(target / "blank.pdf"), 1):
        (target / f"page-{number}.png").write_bytes(image)
    pages = tuple(
        FormPage(
            blank=f"page-{number}.png",
            width_mm=WIDTH_MM,
            height_mm=HEIGHT_MM,
            free_areas=tuple(fractions(area) for area in pen.free.get(number, [])),
        )
        for number in range(1, pen.page + 1)
    )
    doctype = DocumentType(
        name=form.name,
        title=form.title,
        form=form.name,
        edition="1",
        pages=pages,
        fields=tuple(pen.fields),
        rules=form.rules,
        checks=form.checks,
    )
    heading = f"# {form.title}. Drawn by pipeline/doctypes/drawing.py: change it there, then `make blanks`.\n"
    (target / DESCRIPTION).write_text(heading + as_yaml(doctype.model_dump(exclude_defaults=True)), encoding="utf-8")
    return target


def images(pdf: Path) -> list[bytes]:
    """The pages of a PDF as small grey PNG files of `BLANK_DPI`."""
    made = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            grey = page.render(scale=BLANK_DPI / 72, grayscale=True).to_pil().convert("L")
            levels = grey.point([round(round(value * (LEVELS - 1) / 255) * 255 / (LEVELS - 1)) for value in range(256)])
            file = io.BytesIO()
            levels.save(file, "PNG", optimize=True, dpi=(BLANK_DPI, BLANK_DPI))
            made.append(file.getvalue())
    return made


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BUILTIN
    for form in FORMS:
        sys.stdout.write(f"{make(form, folder)}\n")


if __name__ == "__main__":
    main()
