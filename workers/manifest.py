"""What preparing hands to judging: the pages of a scan and the evidence cut from them, as JSON in the scan's row.

The pictures themselves are in the object store: a page is an object of its own, the evidence of a scan is one ZIP
archive of PNG files (`workers.archive`), since a form has some fifty and an object store is slow to take them singly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pipeline.geometry import Box


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page of the file. `key` is its picture as reviewers see it, sensitive boxes masked; `instance` counts the
    filled forms in the file from 0; `faults` are those of its quality; `why` says what is in doubt unless `sure`;
    `blank` says that there is no ink on it."""

    number: int
    key: str
    width: int
    height: int
    doctype: str | None
    form_page: int | None
    sure: bool
    why: str
    instance: int
    faults: tuple[str, ...] = ()
    blank: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """An evidence; `image` is its name in the archive."""

    field: str
    kind: str
    page: int
    box: tuple[float, float, float, float]
    image: str
    ordinal: int = 0
    residual: float | None = None
    cells: int | None = None
    faults: tuple[str, ...] = ()
    untouched: bool = False

    @property
    def where(self) -> Box:
        return Box(*self.box)


@dataclass(frozen=True, slots=True)
class Manifest:
    """`archive` is the key of the evidence archive, None where nothing was cut; `folder` holds all that was stored;
    `doctypes` is the version of the document types that the pages were matched with."""

    folder: str
    archive: str | None
    doctypes: str
    pages: tuple[PageEntry, ...]
    evidences: tuple[EvidenceEntry, ...]
    timings: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            folder=values["folder"],
            archive=values["archive"],
            doctypes=values["doctypes"],
            pages=tuple(PageEntry(**{**one, "faults": tuple(one["faults"])}) for one in values["pages"]),
            evidences=tuple(
                EvidenceEntry(**{**one, "box": tuple(one["box"]), "faults": tuple(one["faults"])})
                for one in values["evidences"]
            ),
            timings=values["timings"],
        )
