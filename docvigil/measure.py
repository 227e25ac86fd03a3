"""How well fields are read on documents whose right answers are known: a folder made by `docvigil synthesise`.

Each field goes the way it goes in a scan: the page is matched, the field is cut out, the model is asked. A field that
is not found counts as wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.doctypes.schema import FieldKind, FormField
from pipeline.evidence import cut
from pipeline.locate import Atlas
from pipeline.pages import Limits, render
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Evidence, Reader

#: The file in the folder that holds the right answers, one document a line.
LABELS = "labels.jsonl"

#: Kinds of which only matters whether they are there.
CHOICES = (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.TEXT, FieldKind.CHECKBOX)


@dataclass
class Measured:
    """What was counted of one kind: fields; those of which state and value are right; those that are told rightly to
    be there or not; those not found on their page; and those with ink, of which a value was to be read."""

    kind: FieldKind
    fields: int = 0
    exact: int = 0
    presence: int = 0
    lost: int = 0
    written: int = 0
    written_exact: int = 0

    def count(self, wanted: str | None, found: Reading | None) -> None:
        """Adds one field: its right value, None for empty, and its reading, None where it was not found."""
        there = found is not None and (wanted is not None) == found.filled
        right = there and (self.kind in CHOICES or wanted is None or (found is not None and found.value == wanted))
        self.fields += 1
        self.exact += right
        self.presence += there
        self.lost += found is None
        self.written += wanted is not None
        self.written_exact += right and wanted is not None


def measured(folder: Path, reader: Reader, atlas: Atlas, limits: Limits) -> Iterator[dict[FieldKind, Measured]]:
    """The counts so far, after each document. Raises ValueError for a folder without sound labels."""
    counts: dict[FieldKind, Measured] = {}
    for document in labels(folder):
        found_here = readings(cuts(folder / document["path"], atlas, limits), reader)
        for field in document["fields"]:
            kind = FieldKind(field["kind"])
            found = found_here.get((field["page"], field["name"]))
            counts.setdefault(kind, Measured(kind)).count(field["value"], found)
        yield counts


def labels(folder: Path) -> list[dict[str, Any]]:
    """The labelled documents of a folder. Raises ValueError."""
    try:
        lines = (folder / LABELS).read_text(encoding="utf-8").splitlines()
        return [_label(json.loads(line)) for line in lines if line.strip()]
    except OSError as wrong:
        raise ValueError(
            f"{folder / LABELS} can't be opened ({wrong.strerror}); make one by docvigil synthesise"
        ) from None
    except (KeyError, TypeError, ValueError) as wrong:
        raise ValueError(f"{folder / LABELS} is not as docvigil synthesise writes it: {wrong}") from wrong


def _label(document: Mapping[str, Any]) -> dict[str, Any]:
    fields = [
        {"name": one["name"], "kind": FieldKind(one["kind"]), "page": one["page"], "value": one["value"]}
        for one in document["fields"]
    ]
    return {"path": str(document["path"]), "fields": fields}


def cuts(path: Path, atlas: Atlas, limits: Limits) -> list[tuple[Evidence, FormField]]:
    """The evidence of every field that is found in a file, and the field. Raises BadFile."""
    found = []
    for page in render(path, limits):
        location = atlas.locate(page)
        if location.doctype is not None:
            found += [(one, location.doctype.field(one.field)) for one in cut(page, location)]
    return found


def readings(found: Sequence[tuple[Evidence, FormField]], reader: Reader) -> dict[tuple[int, str], Reading]:
    """The reading of each evidence, by page in the file and name of the field."""
    # What a stamp says is judged with the register of endorsers, not here.
    answers = reader.read([questions(one, field)[0] for one, field in found])
    return {
        (one.page, one.field): reading(one, field, [answer] * len(questions(one, field)))
        for (one, field), answer in zip(found, answers, strict=True)
    }
