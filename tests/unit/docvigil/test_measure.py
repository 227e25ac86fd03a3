"""Labels are read as `docvigil synthesise` writes them, and in no other form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docvigil.measure import LABELS, labels

DOCUMENT = {
    "path": "a.pdf",
    "document_type": "kyc-individual",
    "fields": [{"name": "pan", "kind": "identifier", "page": 1, "box": [0, 0, 1, 1], "value": None}],
    "defects": [{"page": 1, "field": None, "check": "page.missing"}],
}


def test_labels_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be opened"):
        labels(tmp_path)
    for wrong in (
        {"path": "a.pdf"},
        DOCUMENT | {"fields": [{"name": "pan", "kind": "poem", "page": 1, "value": None}]},
        DOCUMENT | {"defects": [{"page": 1, "field": None, "check": "date.wrong"}]},
    ):
        (tmp_path / LABELS).write_text(json.dumps(wrong) + "\n")
        with pytest.raises(ValueError, match="is not as docvigil synthesise writes it"):
            labels(tmp_path)


def test_a_label_without_a_day_is_one(tmp_path: Path) -> None:
    lines = [DOCUMENT, DOCUMENT | {"path": "b.pdf", "on": "2026-11-25"}]
    (tmp_path / LABELS).write_text("\n\n".join(map(json.dumps, lines)))
    one, other = labels(tmp_path)
    assert (one["on"], other["on"], one["defects"]) == (None, "2026-11-25", ["page.missing"])
