"""What the API takes and gives about labels: sets, documents to label, and what people say of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pipeline.doctypes.schema import FieldKind
from records import labels
from web.api.bodies import Corners, Status, Told

SetId = Annotated[int, Path(ge=1, lt=2**63)]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$", strip_whitespace=True)]
TypeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class LabelSet(Told):
    """Documents to be labelled, and how many are."""

    id: int
    name: str
    document_type: str | None = Field(description="What they all are; null: as each was recognised.")
    documents: int
    labelled: int
    created_by: str
    created_at: datetime


class LabelSets(Told):
    items: list[LabelSet]


class NewSet(BaseModel):
    """A set; with `count` the newest documents that nobody has labelled are put into it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1)]
    document_type: TypeName | None = None
    count: Annotated[int, Field(ge=0, le=labels.MOST_DOCUMENTS)] = 0
    status: Status | None = None
    recognised_as: TypeName | None = Field(None, description="Only documents that were taken for this type.")


class Added(BaseModel):
    document_id: str
    added: bool


class Next(BaseModel):
    document_id: str | None = Field(description="Null where every document is labelled or in somebody's hands.")


class LabelledField(Told):
    """What stands in a field. `value` is as written, null where nothing is; of a signature, stamp, tick or free text
    any word, since only its being there counts."""

    name: Annotated[Text, Field(min_length=1)]
    kind: FieldKind
    page: Annotated[int, Field(ge=1, le=10_000)]
    box: Corners = None
    value: Text | None


class Defect(Told):
    """A check that should speak."""

    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    field: Text | None = None
    check: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+$", max_length=60)]


class Place(Told):
    """A field that is to be labelled, and where it was found; null where it has to be drawn."""

    name: str
    label: str
    kind: FieldKind
    page: int
    box: Corners
    cells: int | None


class Sheet(Told):
    """A page; its picture is at `/api/v1/documents/{id}/pages/{number}`."""

    number: int
    width: int
    height: int


class Work(Told):
    """A document as it is put before who labels it, with the label that counts so far."""

    document_id: str
    document_type: str | None
    pages: list[Sheet]
    fields: list[Place]
    label: Labels | None


class Labels(Told):
    """All that somebody said of a document."""

    document_type: TypeName | None = None
    fields: list[LabelledField] = Field(max_length=2000)
    defects: list[Defect] = Field([], max_length=200, description="Those that follow from the fields are added.")


class Given(Labels):
    model_config = ConfigDict(extra="forbid")

    set_id: Annotated[int, Field(ge=1, lt=2**63)] | None = None


class Kept(BaseModel):
    """The label as it was written down; `defects` holds those that follow from the type's checks too."""

    id: int
    defects: list[Defect]


class Taken(BaseModel):
    """What became of a file of labels."""

    labelled: int
    unknown: int = Field(description="Labels of files that are no document here.")


Work.model_rebuild()
