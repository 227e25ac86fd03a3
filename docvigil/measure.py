"""Documents whose right answers are known: a folder made by `docvigil synthesise`, or labelled like one by people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.doctypes.schema import FieldKind, FormField
from pipeline.evidence import cut
from pipeline.findings import CHECKS
from pipeline.locate import Atlas
from pipeline.pages import Limits, render
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Evidence, QuestionKind, Reader

#: The file in the folder that holds the right answers, one document a line.
LABELS = "labels.jsonl"

#: Kinds of which only matters whether they are there.
CHOICES = (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.TEXT, FieldKind.CHECKBOX)


def labels(folder: Path) -> list[dict[str, Any]]:
    """The labelled documents of a folder: `path`, `document_type`, `fields` (`name`, `kind`, `page`, `value`),
    `defects` (their checks) and `on` (the day they arrived; None where the label names none). Raises ValueError."""
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
    defects = sorted({str(one["check"]) for one in document["defects"]})
    if not set(defects) <= set(CHECKS):
        raise ValueError(f"there is no check {', '.join(set(defects) - set(CHECKS))}; known are {', '.join(CHECKS)}")
    return {
        "path": str(document["path"]),
        "document_type": str(document["document_type"]),
        "fields": fields,
        "defects": defects,
        "on": document.get("on"),
    }


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
    asked = [questions(one, field) for one, field in found]
    ink = [[each for each in some if each.kind is not QuestionKind.PRINT] for some in asked]
    answers = iter(reader.read([each for some in ink for each in some]))
    told = {}
    for (one, field), every, some in zip(found, asked, ink, strict=True):
        said = [next(answers) for _ in some]
        told[one.page, one.field] = reading(one, field, said + said[-1:] * (len(every) - len(some)))
    return told
