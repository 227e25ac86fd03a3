"""A document type as data: what a form is, where its fields stand, what is checked and under which rule.

A type is a folder: `type.yaml` (this schema) and one blank image a page (`page-1.png`, grey, 150 dpi). New types
need no code. Boxes are fractions of the blank page; pages count from 1.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.findings import CHECKS
from pipeline.geometry import Box

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
TypeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldKind(StrEnum):
    SIGNATURE = "signature"
    DATE = "date"
    ENDORSEMENT = "endorsement"
    TEXT = "text"
    IDENTIFIER = "identifier"
    AMOUNT = "amount"
    CHECKBOX = "checkbox"


class Identifier(StrEnum):
    """Which identifier a field holds; it sets alphabet, length and check digit."""

    PAN = "pan"
    AADHAAR_LAST4 = "aadhaar_last4"  # printed XXXX XXXX, four digits to fill
    AADHAAR = "aadhaar"  # twelve digits: masked on derived images, never stored whole
    BO_ID = "bo_id"
    ISIN = "isin"
    IFSC = "ifsc"
    PIN_CODE = "pin_code"
    SERIAL = "serial"  # pre-printed slip number, no check digit


class Rule(Part):
    """Why something is checked: dated data, cited in every finding."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    text: str
    source: str
    valid_from: date | None = None
    valid_to: date | None = None


class Check(Part):
    """One check on a field and its parameters.

    `max_age_days` belongs to `date.stale`; `not_before` (another date field's name) to `date.order`;
    `words` (the field with the amount in words) to `amount.mismatch`.
    """

    check: str
    rule: str | None = None
    max_age_days: Annotated[int, Field(ge=0)] | None = None
    not_before: Name | None = None
    words: Name | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.check not in CHECKS:
            raise ValueError(f"there is no check {self.check!r}; known are {', '.join(CHECKS)}")
        if (self.check == "date.stale") != (self.max_age_days is not None):
            raise ValueError("max_age_days belongs to date.stale, and date.stale needs it")
        if (self.check == "date.order") != (self.not_before is not None):
            raise ValueError("not_before belongs to date.order, and date.order needs it")
        return self


class FormField(Part):
    """A named box of a document type.

    `cells`: the number of comb boxes, None for a free line; where they stand in `groups` (DD MM YYYY) so many are in
    each, and `gap` is what is free between two, in widths of a box. `format`: how a comb date is laid out (`DDMMYYYY`,
    `DDMMYY`). `required`: must be filled; `required_if`: only when that other field is filled (a joint holder signs
    when the holder is named). `masked`: the box is blotted out on every derived image.
    """

    name: Name
    label: str
    kind: FieldKind
    page: Annotated[int, Field(ge=1)] = 1
    box: Annotated[list[float], Field(min_length=4, max_length=4)]
    required: bool = False
    required_if: Name | None = None
    cells: Annotated[int, Field(ge=1, le=64)] | None = None
    groups: tuple[Annotated[int, Field(ge=1)], ...] = ()
    gap: Annotated[float, Field(ge=0, le=10)] = 1.0
    format: Annotated[str, Field(pattern=r"^(DDMMYYYY|DDMMYY)$")] | None = None
    identifier: Identifier | None = None
    masked: bool = False
    checks: tuple[Check, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        box = Box.of(self.box)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > 1 or box.y1 > 1:
            raise ValueError(f"field {self.name}: the box {self.box} leaves the page; boxes are fractions from 0 to 1")
        if self.groups and sum(self.groups) != self.cells:
            raise ValueError(
                f"field {self.name}: the groups {list(self.groups)} hold {sum(self.groups)} boxes, but `cells` says "
                f"{self.cells}"
            )
        if (self.kind is FieldKind.IDENTIFIER) != (self.identifier is not None):
            raise ValueError(f"field {self.name}: `identifier` belongs to fields of kind identifier, which need it")
        return self

    @property
    def where(self) -> Box:
        return Box.of(self.box)


class FormPage(Part):
    """One page of the form: its blank image (a file in the type's folder) and its size on paper."""

    blank: str
    width_mm: Annotated[float, Field(gt=20, lt=2000)] = 210.0
    height_mm: Annotated[float, Field(gt=20, lt=2000)] = 297.0
    #: Places where ink is expected though no field names it (office notes, photograph): no `ink.unexpected` there.
    free_areas: tuple[tuple[float, float, float, float], ...] = ()


class DocumentType(Part):
    """A form we know. `edition` tells two printings of one form apart; both have the same `form`."""

    name: TypeName
    title: str
    version: Annotated[int, Field(ge=1)] = 1
    form: str | None = None
    edition: str | None = None
    endorsable: bool = False  # endorsements (stamps) outside endorsement fields are expected and must be authorised
    pages: Annotated[tuple[FormPage, ...], Field(min_length=1)]
    fields: Annotated[tuple[FormField, ...], Field(min_length=1)]
    rules: tuple[Rule, ...] = ()
    #: Checks on the page or the whole document, e.g. ink.unexpected, page.missing, with their rules.
    checks: tuple[Check, ...] = ()
    #: Where the type was read from; set by the loader, never in YAML.
    folder: Annotated[Path | None, Field(exclude=True)] = None

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Self:
        names = [one.name for one in self.fields]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ValueError(f"two fields have the same name: {', '.join(sorted(doubled))}")
        rules = {rule.id for rule in self.rules}
        for one in self.fields:
            if one.page > len(self.pages):
                raise ValueError(f"field {one.name} stands on page {one.page}, but the type has {len(self.pages)}")
            wanted = [one.required_if, *(c.not_before for c in one.checks), *(c.words for c in one.checks)]
            for other in wanted:
                if other is not None and other not in names:
                    raise ValueError(f"field {one.name} refers to a field {other!r} that does not exist")
        for check in [*self.checks, *(c for one in self.fields for c in one.checks)]:
            if check.rule is not None and check.rule not in rules:
                raise ValueError(f"check {check.check} refers to a rule {check.rule!r} that does not exist")
        return self

    def field(self, name: str) -> FormField:
        """The field of that name; `KeyError` where there is none."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def key(self) -> str:
        """Name and version as they stand in the database, e.g. `kyc-individual@1`."""
        return f"{self.name}@{self.version}"


def parse(data: Any, folder: Path | None = None) -> DocumentType:
    """A validated type from what YAML gave. Raises `pydantic.ValidationError` naming the place that is wrong."""
    return DocumentType.model_validate(data).model_copy(update={"folder": folder})
