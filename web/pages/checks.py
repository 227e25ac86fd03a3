"""What people call each check; the name stays the same everywhere else."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: Mapping[str, str] = {
    "signature.missing": "Signature missing",
    "date.missing": "Date missing",
    "date.unreadable": "Date unreadable",
    "date.format": "Date in another format",
    "date.impossible": "Date that doesn't exist",
    "date.future": "Date in the future",
    "date.stale": "Date too old",
    "date.order": "Dates in the wrong order",
    "endorsement.missing": "Endorsement missing",
    "endorsement.unauthorised": "Endorsement by nobody entitled",
    "ink.unexpected": "Ink where none belongs",
    "identifier.invalid": "Identifier wrong",
    "field.missing": "Field left empty",
    "amount.mismatch": "Amounts differ",
    "aadhaar.unmasked": "Aadhaar number not masked",
    "page.missing": "Page missing",
    "page.poor": "Page too poor to judge",
    "type.unknown": "Form unknown",
}


def called(check: str) -> str:
    """In English; templates translate it."""
    return LABELS.get(check, check)
