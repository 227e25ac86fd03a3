"""Evidence as the pipeline really cuts it: from whole synthesised forms, located and cut, with the truth about them.

`python -m models.training.forms FOLDER --count N` draws shards beside those of `models.training.shards`. What the
generator of single fields can't know stands in these: the print around the fields of real layouts, neighbours' ink,
what registration misses. Which character stands at which column is unknown here.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import structlog

from models.nanovlm.processor import fitted, shrunk
from models.nanovlm.tokens import CHARACTERS
from models.synthesis.documents import Label, Studio
from models.synthesis.evidence import Answer, Drawn
from models.synthesis.faces import at_hand
from models.synthesis.manners import ALL, mixed
from models.training.lesson import FORMS
from models.training.shards import SIZE, UNKNOWN, WHOLE, alone, packed, place, save
from pipeline import closeup
from pipeline.doctypes.load import builtin
from pipeline.doctypes.schema import DocumentType, FieldKind, FormField
from pipeline.evidence import cut, is_masked
from pipeline.locate import Atlas
from pipeline.pages import Limits, render
from pipeline.reading import Evidence, Pixels, QuestionKind

log = structlog.get_logger(__name__)

#: Documents drawn for one shard at most, and the share of them with a defect.
MOST_DOCUMENTS, DEFECTS = 200, 0.4

#: The days that forms are made for: one of so many from the first.
FIRST_DAY, DAYS = date(2004, 1, 1), 365 * 30

#: How many of the evidences of a kind are kept: forms have many boxes to tick and names, and few dates.
KEPT = {FieldKind.TEXT: 0.1, FieldKind.CHECKBOX: 0.08, FieldKind.SIGNATURE: 0.7}

#: How many of the empty ones.
KEPT_EMPTY = 0.5


def answer(field: FormField, value: str | None) -> Answer | None:
    """What is to be said of a field with that label; None where no answer would be right."""
    if value is None:
        return ("<empty>",)
    match field.kind:
        case FieldKind.SIGNATURE:
            return ("<signature>",)
        case FieldKind.ENDORSEMENT:
            return ("<stamp>",)
        case FieldKind.CHECKBOX:
            return ("<ticked>",)
        case FieldKind.TEXT:
            return ("<filled>",)
        case _:
            text = value[-4:] if is_masked(field) else value
            return tuple(text) if set(text) <= set(CHARACTERS) else None


def draw(folder: Path, number: int, split: str = "train", size: int = SIZE) -> Path:
    """Draws a shard of evidence from forms unless it is there."""
    path = place(folder, number, FORMS)
    if not path.exists():
        rng = np.random.default_rng([number, 7])
        drawn: list[Drawn] = []
        with tempfile.TemporaryDirectory() as work:
            for document in range(MOST_DOCUMENTS):
                at = number * MOST_DOCUMENTS + document
                # Every third form reaches us in any manner.
                drawn += _kept(_document(Path(work), at, split, ALL if at % 3 == 2 else "scan"), rng)
                if len(drawn) >= size:
                    break
        save(path, packed(drawn[:size]))
    return path


def evidence_of(split: str, documents: int, first: int, manner: str = "scan") -> list[Drawn]:
    """All evidence of so many forms, those of numbers `first` on, that reached us in that manner."""
    with tempfile.TemporaryDirectory() as work:
        numbers = range(first, first + documents)
        return [one for number in numbers for _, one in _document(Path(work), number, split, manner)]


def stamps_of(split: str, documents: int, first: int, manner: str = "scan") -> Iterator[tuple[str, Pixels]]:
    """What each stamp on so many forms says, line by line, and its evidence as it is cut."""
    with tempfile.TemporaryDirectory() as work:
        for number in range(first, first + documents):
            for one, label, doctype in _cut(Path(work), number, split, manner):
                if one.kind is QuestionKind.ENDORSEMENT and doctype.name == label.document_type:
                    truth = next(each for each in label.fields if each.name == one.field)
                    if truth.value:
                        yield truth.value, one.image


def _document(folder: Path, number: int, split: str, manner: str) -> Iterator[tuple[FormField, Drawn]]:
    for evidence, label, doctype in _cut(folder, number, split, manner):
        yield from _told(evidence, label, doctype)


def _cut(folder: Path, number: int, split: str, manner: str) -> Iterator[tuple[Evidence, Label, DocumentType]]:
    """One form, drawn and cut."""
    # Of many years: a model must not learn what today is.
    on = FIRST_DAY + timedelta(int(np.random.default_rng([number, 3]).integers(DAYS)))
    # Every second form is filled with what a plain install draws with.
    label = replace(_studio(split, number % 2 == 1), on=on, ways=mixed((manner,))).draw(folder, number, DEFECTS)
    path = folder / label.path
    atlas = _atlas()
    try:
        for page in render(path, Limits()):
            location = atlas.locate(page)
            if location.sure and location.doctype is not None:
                for one in cut(page, location):
                    yield one, label, location.doctype
    finally:
        path.unlink()


def _told(evidence: Evidence, label: Label, doctype: DocumentType) -> Iterator[tuple[FormField, Drawn]]:
    if doctype.name != label.document_type:
        return
    field = doctype.field(evidence.field)
    truth = next(one for one in label.fields if one.name == evidence.field)
    said = answer(field, truth.value)
    if said is not None and not evidence.faults:
        columns = np.full(48, UNKNOWN, np.uint8)
        near, whole = closeup.views(evidence.image, evidence.kind, evidence.cells)
        image, (rows, used) = fitted(near), shrunk(near).shape
        whole = None if whole is None else shrunk(whole)
        kind, cells = evidence.kind.value, evidence.cells
        fine = None if evidence.row is None else evidence.image
        yield field, Drawn(image, kind, said, columns, cells, truth.letters, (rows, used), evidence.row, whole, fine)


def _kept(every: Iterator[tuple[FormField, Drawn]], rng: np.random.Generator) -> Iterator[Drawn]:
    for field, one in every:
        share = KEPT.get(field.kind, 1.0) * (KEPT_EMPTY if one.answer == ("<empty>",) else 1.0)
        if rng.random() < share:
            yield _whole(one) if rng.random() < 1 / WHOLE else one


def _whole(one: Drawn) -> Drawn:
    """The same in its whole field."""
    if one.whole is None:
        return one
    return replace(one, image=fitted(one.whole), used=(one.whole.shape[0], one.whole.shape[1]), whole=None)


@cache
def _studio(split: str, plain: bool) -> Studio:
    if plain:
        return Studio.opened(78, None, split=split)
    return Studio.opened(77, None, split=split, using=at_hand())


@cache
def _atlas() -> Atlas:
    return Atlas(builtin())


def _draw(which: tuple[Path, int]) -> Path:
    return draw(*which)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, required=True, help="number behind the last shard of 1,024 evidences")
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(given.processes, initializer=alone) as pool:
        for path in pool.imap(_draw, [(given.folder, number) for number in range(given.first, given.count)]):
            log.info("drawn", shard=path.name)


if __name__ == "__main__":
    main()
