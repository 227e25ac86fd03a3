"""What reviewers taught, as examples that training reads: evidence with its right answer.

A folder of feedback holds `metadata.jsonl`, one example a line, and `evidence/`, each picture once as a grey PNG named
by its SHA-256. Lines are only ever added; of two about the same evidence and question the later one counts. It is what
other tools call an image folder: `datasets.load_dataset("imagefolder", data_dir=FOLDER)` opens it. `docs/feedback.md`
describes every key.

Nothing of an Aadhaar field is ever an example. A document is on one side, training or evaluation, with all its
evidence and for ever.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline import identifiers
from pipeline.doctypes.schema import FormField, Identifier
from pipeline.evidence import row_of
from pipeline.gaps import closed
from pipeline.reading import STRINGS, AnswerState, Pixels, QuestionKind

#: The list of examples, and the folder of their pictures.
LIST, PICTURES = "metadata.jsonl", "evidence"

#: One document in so many is kept for evaluation.
HELD_OUT = 10


class Example(BaseModel):
    """One evidence, what was asked about it, and the answer that a person says is right.

    `value` is as written; `label` names the choice. `document` is the SHA-256 of the file the evidence comes from,
    `review` the id of the decision, `model_version` the version whose answer was judged. `identifier` says which
    one the field holds, `check` the defect class that the answer decides, where these are known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file_name: Annotated[str, Field(pattern=r"^evidence/[0-9a-f]{64}\.png$")]
    kind: QuestionKind
    state: AnswerState
    value: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    label: Annotated[str, Field(pattern=r"^[a-z]{1,32}$")] | None = None
    cells: Annotated[int, Field(ge=1, le=64)] | None = None
    identifier: Identifier | None = None
    check: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z]+$")] | None = None
    document: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    review: Annotated[str, Field(min_length=1, max_length=64)]
    model_version: Annotated[str, Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.kind is QuestionKind.PRINT:
            raise ValueError("print is read by OCR and not learned")
        if self.identifier in identifiers.AADHAARS:
            raise ValueError("evidence of an Aadhaar field is never an example")
        if self.value is not None and identifiers.without_aadhaar(self.value) != self.value:
            raise ValueError("the value holds an Aadhaar number, which is never an example")
        present = self.state is AnswerState.PRESENT
        if (self.value is not None) != (present and self.kind in STRINGS):
            raise ValueError("a value belongs to dates, identifiers and amounts that are present, which need it")
        if (self.label is not None) != (present and self.kind not in STRINGS):
            raise ValueError("a label belongs to choices that are present, which need it")
        return self


def picture(image: Pixels) -> tuple[str, bytes]:
    """The `file_name` of an evidence, and what stands in that file."""
    done, packed = cv2.imencode(".png", image)
    if not done:
        raise ValueError(f"an evidence of {image.shape} pixels can't be written as PNG")
    data = packed.tobytes()
    return named(data), data


def as_asked(data: bytes, field: Mapping[str, Any]) -> bytes:
    """The picture of a field as the model is asked about it: of boxes in groups without what is printed between them.

    `field` is the field's definition as its document type has it. Raises ValueError for what is no picture.
    """
    if not field.get("groups"):
        return data
    row = row_of(FormField.model_validate(field))
    if row is None or not row.middles:
        return data
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None:
        raise ValueError(f"{len(data)} bytes kept as the evidence of a field are no picture")
    return picture(closed(np.asarray(image, np.uint8), row)[0])[1]


def named(data: bytes) -> str:
    """The `file_name` of a grey PNG."""
    return f"{PICTURES}/{hashlib.sha256(data).hexdigest()}.png"


def add(folder: Path, example: Example, data: bytes) -> None:
    """Adds an example and its picture, as `picture` gave them; a picture that is there is not written again.

    The picture is whole before a line names it. Raises ValueError where the two don't belong together.
    """
    if example.file_name != named(data):
        raise ValueError(f"{example.file_name} is the name of another picture")
    path = folder / example.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_bytes(data)
        partial.replace(path)
    line = json.dumps(example.model_dump(mode="json"), ensure_ascii=False) + "\n"
    # Several may add at once: a line goes out whole.
    with (folder / LIST).open("ab", buffering=0) as file:
        file.write(line.encode())


def examples(folder: Path) -> list[Example]:
    """The examples of a folder; of several about the same evidence and question the last.

    Raises ValueError with a sentence that names the line which is no example, and FileNotFoundError for a folder
    without a list.
    """
    path = folder / LIST
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no {LIST}; give a folder of feedback (docs/feedback.md)")
    found: dict[tuple[str, QuestionKind], Example] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                one = Example.model_validate_json(line)
            except ValidationError as wrong:
                raise ValueError(f"{path}, line {number}: {_told(wrong)}") from wrong
            found[one.file_name, one.kind] = one
    return list(found.values())


def held_out(document: str) -> bool:
    """Whether all evidence of the document with that SHA-256 is for evaluation, and none of it for training."""
    return int(hashlib.sha256(f"feedback:{document}".encode()).hexdigest(), 16) % HELD_OUT == 0


def sides(every: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The examples to train on, and those to evaluate on: no document, and no picture, is on both sides."""
    kept = [one for one in every if held_out(one.document)]
    pictures = {one.file_name for one in kept}
    # An empty field may look the same, bit for bit, in two documents.
    return [one for one in every if not held_out(one.document) and one.file_name not in pictures], kept


def _told(wrong: ValidationError) -> str:
    """The first thing that is wrong; never the value, which may be personal."""
    first = wrong.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"]).removeprefix("Value error, ")
