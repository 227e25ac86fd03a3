"""Is a document type sound, and what would be cut out of a sample? What `docvigil doctypes check` tells and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from pipeline.doctypes.load import load
from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.evidence import cut, derived
from pipeline.geometry import Box
from pipeline.ink import laid
from pipeline.locate import LEAST_INLIERS, Atlas, Location
from pipeline.pages import Colour, Limits, Page, render
from pipeline.reading import Evidence, Pixels
from pipeline.sheet import Sheet, blank_image
from pipeline.unexpected import unexpected

#: Colours (BGR) of field kinds in overviews.
COLOURS = {
    FieldKind.SIGNATURE: (40, 40, 220),
    FieldKind.DATE: (220, 90, 0),
    FieldKind.ENDORSEMENT: (200, 0, 200),
    FieldKind.TEXT: (0, 150, 0),
    FieldKind.IDENTIFIER: (0, 120, 240),
    FieldKind.AMOUNT: (150, 150, 0),
    FieldKind.CHECKBOX: (110, 110, 110),
}

#: Widths of the page and of the column of cuts in an overview, and most of its columns' height (pixels).
PAGE_WIDTH, CUT_WIDTH, CUT_HEIGHT = 1000, 320, 90

#: Features a blank must have for its pages to be told from others: three times what a match needs.
LEAST_FEATURES = 3 * LEAST_INLIERS

#: The check without which a field that must be filled may stay empty unseen.
MISSING = {
    FieldKind.SIGNATURE: "signature.missing",
    FieldKind.DATE: "date.missing",
    FieldKind.ENDORSEMENT: "endorsement.missing",
}


@dataclass(frozen=True, slots=True)
class SamplePage:
    """How a sample's page was taken: `form_page` is None where it is no page of this type. `why` says what is in
    doubt; `faulty` names the fields whose cuts can't be trusted; `marks` counts ink that no field explains."""

    number: int
    form_page: int | None
    sure: bool
    why: str
    residual_mm: float | None
    fields: tuple[str, ...]
    faulty: tuple[str, ...]
    marks: int


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What is to be said about a type: `remarks` are sentences about its description, `pages` tell about the sample,
    `picture` is the overview that was written."""

    doctype: DocumentType
    remarks: tuple[str, ...]
    pages: tuple[SamplePage, ...] = ()
    picture: Path | None = None

    @property
    def sound(self) -> bool:
        """Nothing to remark, and every page of the sample found with all its fields."""
        return not self.remarks and all(one.sure and not one.faulty for one in self.pages)


def check(
    folder: Path,
    sample: Path | None = None,
    out: Path | None = None,
    *,
    limits: Limits | None = None,
    others: Sequence[DocumentType] = (),
) -> Report:
    """Reads the type in `folder`, looks over its description and, with a `sample` (a filled scan), registers it and
    cuts out every field. With `out` (a .png) an overview is drawn: the boxes on the sample, or on the blank, and what
    was cut. `others` are the types it must be told from.

    Raises `ValueError` as the loader does, and `BadFile` where the sample can't be read.
    """
    doctype = load(folder)
    remarks = tuple(_remarks(doctype))
    if sample is None:
        parts = [_overview(_boxed_blank(doctype, number), []) for number in range(1, len(doctype.pages) + 1)]
        return Report(doctype, remarks, (), _written(out, parts))
    atlas = Atlas([doctype, *(one for one in others if one.key != doctype.key)])
    pages, parts = [], []
    for page in render(sample, limits or Limits()):
        location = atlas.locate(page)
        mine = location.doctype is not None and location.doctype.key == doctype.key
        cuts = cut(page, location) if mine else []
        pages.append(_taken(page, location, cuts, doctype))
        if out is not None:
            parts.append(_overview(_boxed_sample(page, location, cuts, doctype), cuts if mine else []))
    return Report(doctype, remarks, tuple(pages), _written(out, parts))


def _remarks(doctype: DocumentType) -> Iterator[str]:
    """What is allowed but looks like a mistake."""
    for number in range(1, len(doctype.pages) + 1):
        found = len(Sheet(doctype, number).features.points)
        if found < LEAST_FEATURES:
            yield f"Page {number}: the blank has little print ({found} features); scans of it may not be recognised."
    for name, sentence in field_remarks(doctype):
        yield f"Field {name}: {sentence}"


def field_remarks(doctype: DocumentType) -> Iterator[tuple[str, str]]:
    """The name of a field, and what is allowed about it but looks like a mistake; no picture is looked at."""
    for field in doctype.fields:
        paper = doctype.pages[field.page - 1]
        wide, high = field.where.width * paper.width_mm, field.where.height * paper.height_mm
        checks = {one.check for one in field.checks}
        missing = MISSING.get(field.kind, "field.missing")
        if min(wide, high) < 2.5:
            yield field.name, f"its box is {wide:.1f} × {high:.1f} mm; nobody can write in that."
        if (field.required or field.required_if) and missing not in checks and field.kind is not FieldKind.CHECKBOX:
            yield field.name, f"it must be filled, but nothing checks it; add the check {missing}."
        if field.kind is FieldKind.DATE and field.cells in (6, 8) and field.format is None:
            yield field.name, f"it is a date in {field.cells} cells; add its format (DDMMYYYY or DDMMYY)."
    for one, other in combinations(doctype.fields, 2):
        if one.page == other.page and one.where.overlap(other.where) > 0.05:
            yield other.name, f"it lies on the field {one.name}; each must have its own place."


def _taken(page: Page, location: Location, cuts: Sequence[Evidence], doctype: DocumentType) -> SamplePage:
    mine = location.doctype is not None and location.doctype.key == doctype.key
    why = location.why
    if location.doctype is not None and not mine:
        why = f"The page is taken for {location.doctype.title} ({location.doctype.key})."
    return SamplePage(
        number=page.number,
        form_page=location.form_page if mine else None,
        sure=location.sure and mine,
        why=why,
        residual_mm=location.residual_mm if mine else None,
        fields=tuple(one.field for one in cuts),
        faulty=tuple(one.field for one in cuts if one.faults),
        marks=len(unexpected(page, laid(page, location))) if mine else 0,
    )


def _boxed_blank(doctype: DocumentType, number: int) -> Colour:
    """The blank with its boxes; free areas in yellow."""
    image = _coloured(blank_image(doctype, number))
    for area in doctype.pages[number - 1].free_areas:
        _box(image, Box.of(area), (0, 200, 220), "free area")
    for field in doctype.fields:
        if field.page == number:
            _box(image, field.where, COLOURS[field.kind], field.name)
    return image


def _boxed_sample(page: Page, location: Location, cuts: Sequence[Evidence], doctype: DocumentType) -> Colour:
    """The sample as it may be shown, laid flat as the form is, with its boxes; as it came where it is no such form."""
    shown = derived(page, location)
    grey = shown if shown.ndim == 2 else cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    if not cuts or location.homography is None or location.form_page is None:
        return _coloured(grey)
    size = blank_image(doctype, location.form_page).shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    image = _coloured(cv2.warpPerspective(grey, location.homography, size, flags=flags, borderValue=255))
    for one in cuts:
        field = doctype.field(one.field)
        _box(image, field.where, COLOURS[field.kind], one.field + (" ?" if one.faults else ""))
    return image


def _coloured(grey: Pixels | Colour) -> Colour:
    height = round(PAGE_WIDTH / grey.shape[1] * grey.shape[0])
    small = cv2.resize(grey, (PAGE_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cast(Colour, cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))


def _box(image: Colour, box: Box, colour: tuple[int, int, int], name: str) -> None:
    x0, y0, x1, y1 = box.pixels(image.shape[1], image.shape[0])
    cv2.rectangle(image, (x0, y0), (x1, y1), colour, 2)
    cv2.putText(image, name, (x0 + 2, y0 - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.35, colour, 1, cv2.LINE_AA)


def _overview(page: Colour, cuts: Sequence[Evidence]) -> Colour:
    """A page with its cuts in columns beside it, each under its name."""
    tiles = []
    for one in cuts:
        tile = np.full((CUT_HEIGHT + 20, CUT_WIDTH, 3), 255, np.uint8)
        factor = min((CUT_WIDTH - 8) / one.image.shape[1], CUT_HEIGHT / one.image.shape[0], 1.0)
        size = (max(1, round(one.image.shape[1] * factor)), max(1, round(one.image.shape[0] * factor)))
        tile[18 : 18 + size[1], 4 : 4 + size[0]] = cv2.resize(one.image, size, interpolation=cv2.INTER_AREA)[..., None]
        cv2.rectangle(tile, (3, 17), (4 + size[0], 18 + size[1]), (190, 190, 190), 1)
        told = f"{one.field}{'  ' + ', '.join(one.faults) if one.faults else ''}"
        cv2.putText(tile, told, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    rows = max(1, page.shape[0] // (CUT_HEIGHT + 20))
    columns = [page]
    for start in range(0, len(tiles), rows):
        column = np.vstack(tiles[start : start + rows])
        column = np.pad(column, ((0, page.shape[0] - len(column)), (0, 0), (0, 0)), constant_values=255)
        columns.append(column)
    return cast(Colour, np.hstack(columns))


def _written(out: Path | None, parts: Sequence[Colour]) -> Path | None:
    """The overview of all pages, one below the other."""
    if out is None or not parts:
        return None
    width = max(one.shape[1] for one in parts)
    whole = np.vstack([np.pad(one, ((0, 8), (0, width - one.shape[1]), (0, 0)), constant_values=235) for one in parts])
    done, file = cv2.imencode(".png", whole)
    if not done:
        raise ValueError(f"the overview of {len(parts)} pages can't be made; check a sample with fewer pages")
    try:
        out.write_bytes(file.tobytes())
    except OSError as wrong:
        raise ValueError(f"{out} can't be written ({wrong.strerror}); choose another place with --out") from wrong
    return out
