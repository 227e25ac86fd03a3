"""Whole documents made up: forms of any type, filled, signed, stamped and scanned, with labels that say what stands
where and what is wrong.

The same arguments give the same bytes on every machine; `on` is the day they are made for, today where not given.
Each document depends on the seed and its own number alone, so parts of a run may be drawn in parallel by `draw`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.synthesis import corrections, filling, manners, register, room, scans
from models.synthesis import defects as planting
from models.synthesis.defects import Defect
from models.synthesis.faces import PLAIN, Found, Materials, plain
from models.synthesis.paper import Hand, Paper
from models.synthesis.pen import Source
from models.synthesis.register import Register
from models.synthesis.split import checked
from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import DocumentType, FormField
from pipeline.endorsers import Endorser
from pipeline.geometry import Box
from pipeline.sheet import blank_image

LABELS, ENDORSERS = "labels.jsonl", "endorsers.csv"

#: Sizes of marks where none belongs (mm): those tried first need most room.
MARKS_MM = {
    "signature": ((55, 16), (38, 11), (26, 8)),
    "stamp": ((52, 24), (40, 17), (30, 13)),
    "handwriting": ((60, 8), (40, 7), (25, 6)),
}

#: What is written where nothing belongs.
REMARKS = (
    "Pls do urgent",
    "Sign verified",
    "OK 15000",
    "Call client",
    "Resubmitted",
    "Approved by HO",
    "Not as per copy",
)

#: How often lines of a table that are not used are struck through.
STRUCK = 0.15

#: Of forms with several pages and of those with one: formats and how often each is used.
SEVERAL: dict[scans.Format, float] = {"pdf": 0.6, "tiff": 0.4}
ONE: dict[scans.Format, float] = {"pdf": 0.45, "tiff": 0.25, "jpeg": 0.3}
ENDINGS: dict[scans.Format, str] = {"pdf": ".pdf", "tiff": ".tif", "jpeg": ".jpg"}


@dataclass(frozen=True, slots=True)
class LabelledField:
    """What stands in a field: `page` in the file (from 1), `box` in fractions of it, `value` None for nothing; of a
    string whose `letters` it is in."""

    name: str
    kind: str
    page: int
    box: Box
    value: str | None
    letters: Source | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """The truth about one file, made to arrive `on` that day; `manner` is how its paper reached us
    (`models.synthesis.manners`)."""

    path: str
    document_type: str
    fields: tuple[LabelledField, ...]
    defects: tuple[Defect, ...]
    on: date
    manner: str = "scan"

    def as_json(self) -> dict[str, Any]:
        """The label as one line of labels.jsonl."""
        return {
            "path": self.path,
            "document_type": self.document_type,
            "fields": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "page": one.page,
                    "box": one.box.as_list(),
                    "value": one.value,
                    **({} if one.letters is None else {"letters": one.letters}),
                }
                for one in self.fields
            ],
            "defects": [{"page": one.page, "field": one.field, "check": one.check} for one in self.defects],
            "on": self.on.isoformat(),
            "manner": self.manner,
        }


def synthesise(
    folder: Path,
    count: int,
    *,
    seed: int = 0,
    types: Sequence[DocumentType] | None = None,
    defects: float = 0.5,
    split: str = "test",
    using: Found = PLAIN,
    endorsers: Sequence[Endorser] | None = None,
    on: date | None = None,
    ways: Mapping[str, float] | None = None,
) -> Iterator[Label]:
    """Draws `count` documents into `folder`, yielding the label of each as soon as it is written.

    A share `defects` of them has one defect planted. Ink is pen strokes, and of `using` the handwriting fonts, real
    digits and writers' letters of the split. `ways` are manners and their shares; all are scans where not given.
    `labels.jsonl` and the register, `endorsers.csv`, are written beside; documents of an earlier run in the same folder
    are removed.

    Raises `ValueError` for a share that is none, an unknown split, or no types.
    """
    if not 0 <= defects <= 1:
        raise ValueError(f"the share of documents with a defect lies between 0 and 1, not at {defects}")
    studio = Studio.opened(seed, types, split=split, using=using, endorsers=endorsers, on=on, ways=ways)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / LABELS).exists():
        # What an earlier run left would have no label any more.
        for old in folder.glob("form-[0-9][0-9][0-9][0-9][0-9].*"):
            old.unlink()
    register.write_csv(studio.desk, folder / ENDORSERS)
    with (folder / LABELS).open("w", encoding="utf-8") as file:
        for number in range(count):
            label = studio.draw(folder, number, defects)
            file.write(json.dumps(label.as_json(), ensure_ascii=False) + "\n")
            file.flush()
            yield label


@dataclass(frozen=True, slots=True)
class Studio:
    """All that documents of one run share."""

    seed: int
    types: tuple[DocumentType, ...]
    materials: Materials
    desk: Register
    on: date
    ways: Mapping[str, float] | None = None

    @classmethod
    def opened(
        cls,
        seed: int,
        types: Sequence[DocumentType] | None,
        *,
        split: str = "test",
        using: Found = PLAIN,
        endorsers: Sequence[Endorser] | None = None,
        on: date | None = None,
        ways: Mapping[str, float] | None = None,
    ) -> Studio:
        known = tuple(builtin() if types is None else types)
        if not known:
            raise ValueError("no document type was given, so there is nothing to draw")
        day = on or datetime.now(UTC).date()
        rng = np.random.default_rng([seed, 0])
        desk = (
            register.make(rng, day, [one.name for one in known])
            if endorsers is None
            else Register(tuple(endorsers), day)
        )
        return cls(seed, known, plain(checked(split), using), desk, day, ways)

    def draw(self, folder: Path, number: int, defects: float) -> Label:
        """Draws document `number` (from 0) of the run."""
        rng = np.random.default_rng([self.seed, number + 1])
        doctype = self.types[int(rng.integers(len(self.types)))]
        form = filling.fill(doctype, self.on, self.materials.split, self.desk, rng)
        defect = planting.plant(form, self.desk, rng) if rng.random() < defects else None
        dropped = defect.page if defect is not None and defect.check == "page.missing" else None
        manner = scans.Manner.drawn(rng)
        # A generator of its own: whoever wants scans alone gets the same bytes as ever.
        other = np.random.default_rng([self.seed, number + 1, 1])
        named = manners.chosen(self.ways, other) if self.ways else "scan"
        way = manners.MANNERS[named]
        holder, official = Hand(rng, self.materials), Hand(rng, self.materials)
        pages: list[scans.Scan] = []
        fields: list[LabelledField] = []
        planted: list[Defect] = []
        for page in range(1, len(doctype.pages) + 1):
            if page == dropped:
                continue
            paper = Paper(doctype, page, self.materials, rng)
            if way.before is not None:
                paper.image = way.before(paper.image, other)
            self._fill(paper, form, page, holder, official, other if way.corrected else None)
            marked = defect is not None and defect.mark is not None and defect.page == page
            if defect is not None and marked and not self._mark(paper, form, defect, holder, rng):
                defect = None
            image = paper.image if way.after is None else way.after(paper.image, other)
            scanned = way.seen(image, manner, rng)
            pages.append(scanned)
            fields += [
                LabelledField(
                    one.name,
                    one.kind.value,
                    len(pages),
                    scanned.box(one.where),
                    form.entries[one.name].value,
                    _hand(one, holder, official).source(form.entries[one.name]),
                )
                for one in doctype.fields
                if one.page == page
            ]
            if defect is not None and defect.page == page:
                planted.append(Defect(len(pages), defect.field, defect.check))
        if dropped is not None:
            planted.append(Defect(1, None, "page.missing"))
        shares = ONE if len(pages) == 1 else SEVERAL
        if way.formats is not None:
            some = {one: share for one, share in way.formats.items() if len(pages) == 1 or one != "jpeg"}
            shares = {one: share / sum(some.values()) for one, share in some.items()}
        format_ = list(shares)[int(rng.choice(len(shares), p=list(shares.values())))]
        path = f"form-{number + 1:05d}{ENDINGS[format_]}"
        scans.save(folder / path, pages, manner, format_)
        return Label(path, doctype.name, tuple(fields), tuple(planted), self.on, named)

    def _fill(
        self,
        paper: Paper,
        form: filling.Filled,
        page: int,
        holder: Hand,
        official: Hand,
        corrected: np.random.Generator | None,
    ) -> None:
        entries = [entry for entry in form.entries.values() if entry.field.page == page]
        for entry in entries:
            hand = _hand(entry.field, holder, official)
            if corrected is not None and corrections.corrects(entry, corrected):
                corrections.fill(paper, entry, hand, corrected)
            else:
                paper.fill(entry, hand)
        if paper.rng.random() < STRUCK:
            unused = [
                entry.field for entry in entries if entry.text is None and filling.row(form.doctype, entry.field) > 1
            ]
            paper.strike([one.where for one in unused], holder)

    def _mark(self, paper: Paper, form: filling.Filled, defect: Defect, hand: Hand, rng: np.random.Generator) -> bool:
        """Ink where none belongs; False where the form leaves no room for any."""
        kind = defect.mark or "handwriting"
        blank = blank_image(form.doctype, defect.page)
        for size in MARKS_MM[kind]:
            box = room.free(form.doctype, defect.page, blank, *size, rng)
            if box is not None:
                lines = register.lines(form.official) if kind == "stamp" else [str(rng.choice(REMARKS))]
                paper.scrawl(box, kind, hand, lines)
                return True
        return False


def _hand(field: FormField, holder: Hand, official: Hand) -> Hand:
    """Whoever fills that field."""
    return official if filling.is_office(field) else holder
