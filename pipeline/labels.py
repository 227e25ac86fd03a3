"""What people say stands on a document, and its ways in and out: our own lines (`labels.jsonl`, as `docvigil
synthesise` writes them), COCO and Label Studio.

A label is told apart from a reading: `value` is what is written, None where nothing is. Of a signature, a stamp or a
tick the value is a word (`signature`), since only its being there counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from pipeline import identifiers
from pipeline.checks import Context, Form, FormSheet, judge_form
from pipeline.doctypes.schema import DocumentType, FieldKind
from pipeline.endorsers import Endorser
from pipeline.findings import CHECKS, Outcome
from pipeline.geometry import Box
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Answer, AnswerState, Evidence, QuestionKind
from pipeline.verdict import Thresholds

#: Checks of the paper rather than of what is written: no label decides them.
OF_PAPER = ("page.missing", "page.poor", "type.unknown", "ink.unexpected")

#: Characters of a name or value, and pages of a document, at most.
LONGEST, MOST_PAGES = 200, 10_000

_NAME = re.compile(r"([0-9a-f]{64})(\.[a-z]{2,5})?$")
ENDINGS = {"application/pdf": ".pdf", "image/tiff": ".tif", "image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True, slots=True)
class LabelledField:
    """What stands in a field or a box: `page` in the file (from 1), `value` None for nothing."""

    name: str
    kind: FieldKind
    page: int
    box: Box | None
    value: str | None

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> LabelledField:
        """From a field as `labels.jsonl` has it. Raises ValueError with a sentence."""
        try:
            box, value = one.get("box"), one["value"]
            if value is not None:
                value = _text(value)
            # Rounded as it will be kept, so that a speck is refused now.
            where = None if box is None else Box.of(Box.of(box).clipped().as_list())
            return cls(_text(one["name"]), FieldKind(one["kind"]), _page(one["page"]), where, value)
        except KeyError as missing:
            raise ValueError(f"a field lacks {missing}") from None
        except (AttributeError, TypeError, ValueError) as wrong:
            raise ValueError(f"a field can't be taken: {wrong}") from None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind.value,
            "page": self.page,
            "box": None if self.box is None else self.box.as_list(),
            "value": self.value,
        }


@dataclass(frozen=True, slots=True)
class Defect:
    """A check that should speak."""

    page: int
    field: str | None
    check: str

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> Defect:
        """Raises ValueError with a sentence."""
        if not isinstance(one, Mapping) or one.get("check") not in CHECKS:
            raise ValueError(f"a defect names one of the checks {', '.join(CHECKS)}")
        field = one.get("field")
        return cls(_page(one.get("page", 1)), None if field is None else _text(field), str(one["check"]))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Labelling:
    """The label of one document: its file's `path`, and the pages' sizes in pixels where somebody knows them."""

    path: str
    document_type: str | None
    fields: tuple[LabelledField, ...]
    defects: tuple[Defect, ...]
    on: date | None = None
    sizes: Mapping[int, tuple[int, int]] | None = None

    @property
    def document_id(self) -> str | None:
        """The document that the file's name names, as our exports name files."""
        found = _NAME.search(self.path.rsplit("/", 1)[-1])
        return found[1] if found else None


def file_name(document_id: str, media_type: str) -> str:
    """What a document's file is called in exports."""
    return document_id + ENDINGS.get(media_type, "")


def defects(
    doctype: DocumentType, fields: Sequence[LabelledField], on: date, endorsers: Sequence[Endorser]
) -> list[Defect]:
    """What is deficient by these labels: the pipeline's own checks, on readings that are surely right."""
    forms: dict[int, int] = {}
    readings: list[Reading] = []
    for one in fields:
        field = next((each for each in doctype.fields if each.name == one.name), None)
        if field is None or field.kind is not one.kind:
            continue
        forms.setdefault(one.page, field.page)
        readings.append(_reading(one, doctype))
    sheets = tuple(FormSheet(number, page) for number, page in sorted(forms.items()))
    form = Form(doctype, sheets, tuple(readings))
    found = judge_form(form, Context(on, endorsers, Thresholds(default_clear=0.0)))
    spoken = {
        (one.page, one.field, one.check): None
        for one in found
        if one.outcome is Outcome.ANOMALY and one.check not in OF_PAPER
    }
    return [Defect(*one) for one in spoken]


def as_line(one: Labelling) -> dict[str, Any]:
    """A line of `labels.jsonl`."""
    return {
        "path": one.path,
        "document_type": one.document_type or "",
        "fields": [field.as_json() for field in one.fields],
        "defects": [defect.as_json() for defect in one.defects],
        "on": None if one.on is None else one.on.isoformat(),
    }


def of_line(line: Mapping[str, Any]) -> Labelling:
    """What a line of `labels.jsonl` says. Raises ValueError with a sentence."""
    lists = isinstance(line, Mapping) and [line.get("fields"), line.get("defects", [])]
    if not lists or not isinstance(line.get("path"), str) or not all(isinstance(one, list) for one in lists):
        raise ValueError("a line needs `path` and `fields`, as docvigil synthesise writes them")
    on = line.get("on")
    return Labelling(
        line["path"],
        str(line.get("document_type") or "") or None,
        tuple(LabelledField.of(each) for each in line["fields"]),
        tuple(Defect.of(each) for each in line.get("defects", [])),
        None if on is None else date.fromisoformat(str(on)),
    )


def as_coco(labels: Iterable[Labelling]) -> dict[str, Any]:
    """COCO: a picture a page (`<document>#<page>`), a category a kind; name and value are attributes of a box."""
    kinds = {kind: number for number, kind in enumerate(FieldKind, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for one in labels:
        sizes = one.sizes or {}
        pages: dict[int, int] = {}
        for page in sorted({*sizes, *(field.page for field in one.fields)}):
            wide, high = sizes.get(page, (1000, 1414))
            pages[page] = len(images) + 1
            file = f"{one.path}#{page}"
            images.append({"id": pages[page], "file_name": file, "width": wide, "height": high})
            images[-1]["document_type"] = one.document_type
        for field in one.fields:
            if field.box is None:
                continue
            wide, high = sizes.get(field.page, (1000, 1414))
            box, (x, y) = field.box, (field.box.x0 * wide, field.box.y0 * high)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": pages[field.page],
                    "category_id": kinds[field.kind],
                    "bbox": [round(x, 2), round(y, 2), round(box.width * wide, 2), round(box.height * high, 2)],
                    "area": round(box.width * wide * box.height * high, 2),
                    "iscrowd": 0,
                    "attributes": {"name": field.name, "value": field.value},
                }
            )
    categories = [{"id": number, "name": kind.value} for kind, number in kinds.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def of_coco(data: Mapping[str, Any]) -> list[Labelling]:
    """What a COCO file says. Raises ValueError with a sentence."""
    try:
        kinds = {one["id"]: FieldKind(one["name"]) for one in data["categories"]}
        images = {one["id"]: one for one in data["images"]}
        fields: dict[str, list[LabelledField]] = {_path(one["file_name"])[0]: [] for one in images.values()}
        for one in data["annotations"]:
            image = images[one["image_id"]]
            path, page = _path(image["file_name"])
            x, y, wide, high = (float(each) for each in one["bbox"])
            box = Box(
                x / image["width"], y / image["height"], (x + wide) / image["width"], (y + high) / image["height"]
            )
            told = one.get("attributes") or {}
            kind = kinds[one["category_id"]]
            name = told.get("name") or f"{kind.value}_{len(fields[path]) + 1}"
            field = {"name": name, "kind": kind, "page": page, "box": box.as_list()}
            fields[path].append(LabelledField.of({**field, "value": told.get("value", kind.value)}))
    except KeyError as missing:
        raise ValueError(f"this is no COCO file that fits: {missing} is missing or unknown") from None
    except (AttributeError, TypeError, ValueError, ZeroDivisionError) as wrong:
        raise ValueError(f"this is no COCO file that fits: {wrong}") from None
    types = {_path(one["file_name"])[0]: one.get("document_type") for one in images.values()}
    return [Labelling(path, types[path], tuple(each), ()) for path, each in fields.items()]


def as_label_studio(labels: Iterable[Labelling]) -> list[dict[str, Any]]:
    """Label Studio: a task a page, a rectangle a field, with its kind as label; name and value as its meta text."""
    tasks = []
    for one in labels:
        for page in sorted({*(one.sizes or {}), *(field.page for field in one.fields)}):
            results = []
            for number, field in enumerate(one.fields):
                if field.page != page or field.box is None:
                    continue
                box = field.box
                place = {"x": box.x0 * 100, "y": box.y0 * 100, "width": box.width * 100, "height": box.height * 100}
                results.append(
                    {
                        "id": f"{number}",
                        "type": "rectanglelabels",
                        "from_name": "label",
                        "to_name": "image",
                        "value": {**place, "rotation": 0, "rectanglelabels": [field.kind.value]},
                        "meta": {"name": field.name, "value": field.value},
                    }
                )
            data = {"image": f"{one.path}#{page}", "document_type": one.document_type}
            tasks.append({"data": data, "annotations": [{"result": results}]})
    return tasks


def of_label_studio(tasks: Sequence[Mapping[str, Any]]) -> list[Labelling]:
    """What a Label Studio export (JSON) says: the last annotation of each task. Raises ValueError with a sentence."""
    fields: dict[str, list[LabelledField]] = {}
    types: dict[str, str | None] = {}
    try:
        for task in tasks:
            path, page = _path(task["data"]["image"])
            types[path] = task["data"].get("document_type")
            found = fields.setdefault(path, [])
            for one in (task.get("annotations") or [{"result": []}])[-1]["result"]:
                if one.get("type") != "rectanglelabels":
                    continue
                at, told = one["value"], one.get("meta") or {}
                kind = FieldKind(at["rectanglelabels"][0])
                x, y = at["x"] / 100, at["y"] / 100
                box = [x, y, x + at["width"] / 100, y + at["height"] / 100]
                name = told.get("name") or f"{kind.value}_{len(found) + 1}"
                field = {"name": name, "kind": kind, "page": page, "box": box}
                found.append(LabelledField.of({**field, "value": told.get("value", kind.value)}))
    except (KeyError, IndexError, AttributeError) as missing:
        raise ValueError(f"this is no Label Studio export that fits: {missing} is missing") from None
    except (TypeError, ValueError) as wrong:
        raise ValueError(f"this is no Label Studio export that fits: {wrong}") from None
    return [Labelling(path, types[path], tuple(each), ()) for path, each in fields.items()]


def _text(value: Any) -> str:
    """A short text that can be kept. Raises ValueError."""
    if not isinstance(value, str) or not value or len(value) > LONGEST or not value.replace("\n", " ").isprintable():
        raise ValueError(f"a name or value is a printable text of 1 to {LONGEST} characters")
    return value


def _page(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_PAGES:
        raise ValueError(f"pages are whole numbers from 1 to {MOST_PAGES}")
    return value


def _path(name: str) -> tuple[str, int]:
    """The file and the page that a picture's name names."""
    path, hash_, page = str(name).rpartition("#")
    return (path, int(page)) if hash_ and page.isdecimal() else (str(name), 1)


def _reading(one: LabelledField, doctype: DocumentType) -> Reading:
    field = doctype.field(one.name)
    box = one.box or field.where
    cut = Evidence(
        one.name, QuestionKind(field.kind.value), one.page, box, np.full((1, 1), 255, np.uint8), cells=field.cells
    )
    there = one.value is not None
    state = AnswerState.PRESENT if there else AnswerState.EMPTY
    label = None
    if field.kind in (FieldKind.SIGNATURE, FieldKind.ENDORSEMENT, FieldKind.CHECKBOX):
        label = _LABELS[field.kind] if there else "nothing"
    answer = Answer(state, one.value, 1.0, 1.0 if there else 0.0, label)
    return reading(cut, field, [answer] * len(questions(cut, field)))


_LABELS = {FieldKind.SIGNATURE: "signature", FieldKind.ENDORSEMENT: "stamp", FieldKind.CHECKBOX: "ticked"}


def kept(doctype: DocumentType | None, one: LabelledField) -> LabelledField:
    """The label as it may be written down: of an Aadhaar number its last four digits."""
    if doctype is None or one.value is None:
        return one
    field = next((each for each in doctype.fields if each.name == one.name), None)
    if field is None or field.identifier not in identifiers.AADHAARS:
        return one
    return replace(one, value=identifiers.aadhaar(one.value).last_four or "illegible")
