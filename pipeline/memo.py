"""The deficiency memo: what is missing on a document and under which clause, as a PDF to send back with it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

#: What each defect means for whoever filled the form in; a certain finding's own sentence goes before it.
WORDS: dict[str, str] = {
    "signature.missing": "The signature is missing.",
    "date.missing": "The date is missing.",
    "date.unreadable": "The date can't be read.",
    "date.format": "The date is not written as the form asks.",
    "date.impossible": "The date does not exist.",
    "date.future": "The date lies in the future.",
    "date.stale": "The date is too old.",
    "date.order": "The dates are not in order.",
    "endorsement.missing": "The endorsement is missing.",
    "endorsement.unauthorised": "The endorsement is not by somebody authorised.",
    "ink.unexpected": "There is writing where none belongs.",
    "identifier.invalid": "The number is not a valid one.",
    "field.missing": "The field is not filled in.",
    "amount.mismatch": "The amounts in figures and in words differ.",
    "aadhaar.unmasked": "A complete Aadhaar number is visible; only its last four digits may be.",
    "page.missing": "A page is missing, or is there twice.",
    "page.poor": "The page can't be read well enough; scan it again.",
    "type.unknown": "The form is not one that is accepted.",
}


@dataclass(frozen=True, slots=True)
class Deficiency:
    """One thing to put right. `clause` is the rule with its text and source, None where none is known."""

    page: int
    field: str | None
    what: str
    clause: str | None


@dataclass(frozen=True, slots=True)
class Memo:
    """`document` is its id, `title` the name of the form."""

    document: str
    title: str
    received: date
    written: date
    deficiencies: Sequence[Deficiency]


def render(memo: Memo) -> bytes:
    """The memo as a PDF of A4 pages. The same memo gives the same bytes."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    styles = getSampleStyleSheet()
    small = styles["BodyText"].clone("small", fontSize=9, leading=11)

    def cell(text: str) -> object:
        # The standard fonts have Western letters only; others would show as nothing.
        return Paragraph(escape(text.encode("cp1252", "replace").decode("cp1252")), small)

    head = [
        f"Form: {memo.title}",
        f"Received: {memo.received:%d %b %Y}",
        f"Reference: {memo.document[:16]}",
        f"Date of this memo: {memo.written:%d %b %Y}",
    ]
    rows: list[list[object]] = [[cell(name) for name in ("No.", "Page", "Field", "What is to be put right", "Clause")]]
    for number, one in enumerate(memo.deficiencies, start=1):
        rows.append([cell(each) for each in (f"{number}", f"{one.page}", one.field or "", one.what, one.clause or "")])
    table = Table(rows, colWidths=[11 * mm, 12 * mm, 35 * mm, 52 * mm, 60 * mm], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    story = [
        Paragraph("Deficiency memo", styles["Title"]),
        *(cell(line) for line in head),
        Spacer(1, 6 * mm),
        cell("The document is returned for the following reasons. Please put them right and send it again."),
        Spacer(1, 4 * mm),
        table,
    ]
    out = io.BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        title="Deficiency memo",
        author="docvigil",
        invariant=1,
    ).build(story)
    return out.getvalue()
