"""Defects planted into a form that was filled rightly: one, of a kind its type checks, and nothing else wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np

from models.synthesis import days, people
from models.synthesis.filling import Entry, Filled, stamp_lines
from models.synthesis.register import Register
from models.synthesis.wording import alike
from pipeline import amounts, identifiers
from pipeline.doctypes.schema import FieldKind, FormField, Identifier

#: Identifiers whose shape or check digit can be wrong.
CHECKED = (Identifier.PAN, Identifier.ISIN, Identifier.BO_ID, Identifier.IFSC, Identifier.PIN_CODE)

#: Days beyond which a day is too late or too old, at least and at most.
LEAST_DAYS, MOST_DAYS = 12, 400


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong: `page` of the form (from 1), the field (None: of the page or the whole document), the check."""

    page: int
    field: str | None
    check: str
    #: Of a mark where none belongs: signature, stamp or handwriting.
    mark: str | None = None


Plant: TypeAlias = Callable[[], Defect]


def plant(form: Filled, desk: Register, rng: np.random.Generator) -> Defect:
    """Plants one defect; each kind that the type allows is as likely as any other."""
    choices = [(kind, options) for kind, options in _choices(form, desk, rng).items() if options]
    _kind, options = choices[int(rng.integers(len(choices)))]
    return options[int(rng.integers(len(options)))]()


def _choices(form: Filled, desk: Register, rng: np.random.Generator) -> dict[str, list[Plant]]:
    doctype, entries = form.doctype, form.entries
    there = [entry for entry in entries.values() if entry.text is not None]
    dated = [entry for entry in there if entry.day is not None]
    options: dict[str, list[Plant]] = {
        f"{kind}.missing": [
            _erasing(form, entry) for entry in there if entry.field.kind is kind and _needed(form, entry)
        ]
        for kind in (FieldKind.SIGNATURE, FieldKind.DATE, FieldKind.ENDORSEMENT)
    }
    options["date.impossible"] = [_impossible(form, entry, rng) for entry in dated]
    for check, moving in (("date.future", _future), ("date.stale", _stale), ("date.order", _order)):
        options[check] = [
            moving(form, entry, rng) for entry in dated if _has(entry.field, check) and _alone(form, entry.field, check)
        ]
    stamps = [entry for entry in there if entry.field.kind is FieldKind.ENDORSEMENT]
    options["endorsement.unauthorised"] = [_unauthorised(form, entry, desk, rng) for entry in stamps]
    known = [entry for entry in there if entry.field.identifier in CHECKED]
    options["identifier.invalid"] = [_invalid(form, entry, rng) for entry in known]
    # Handwritten words can mostly not be read, and words without this check of their own are not asked for: nobody
    # would compare them with figures.
    spelled = {check.words for entry in there for check in entry.field.checks if check.words is not None}
    worded = [entry for entry in there if entry.field.name in spelled and _has(entry.field, "amount.mismatch")]
    options["amount.mismatch"] = [_mismatch(form, entry, rng) for entry in worded if entry.typed]
    if any(check.check == "ink.unexpected" for check in doctype.checks):
        marks = ("signature", "handwriting") if doctype.endorsable else ("signature", "handwriting", "stamp")
        options["ink.unexpected"] = [_mark(page, mark) for page in range(1, len(doctype.pages) + 1) for mark in marks]
    if len(doctype.pages) > 1:
        options["page.missing"] = [_page(page) for page in range(1, len(doctype.pages) + 1)]
    return options


def _mismatch(form: Filled, entry: Entry, rng: np.random.Generator) -> Plant:
    def change() -> Defect:
        number = amounts.words(entry.text or "") or 0
        form.put(entry.field.name, text=people.worded(number + int(rng.integers(1, 9)) * 10 ** int(rng.integers(1, 3))))
        figures = next(
            one for one in form.doctype.fields if any(check.words == entry.field.name for check in one.checks)
        )
        return Defect(figures.page, figures.name, "amount.mismatch")

    return change


def _needed(form: Filled, entry: Entry) -> bool:
    one = entry.field
    return one.required or (one.required_if is not None and form.entries[one.required_if].text is not None)


def _has(one: FormField, check: str) -> bool:
    return any(each.check == check for each in one.checks)


def _alone(form: Filled, one: FormField, check: str) -> bool:
    """Whether moving a field's day brings no other check to speak: what must be after it, and what it must be after."""
    before = days.after(one)
    bound = before is not None and not days.is_birth(form.doctype.field(before))
    if check == "date.order":
        return bound and form.entries[before or ""].day is not None
    if days.is_birth(one):
        return False
    followers = [each for each in form.doctype.fields if days.after(each) == one.name]
    return not bound if check == "date.stale" else not followers


def _erasing(form: Filled, entry: Entry) -> Plant:
    def erase() -> Defect:
        form.put(entry.field.name, text=None, day=None)
        return Defect(entry.field.page, entry.field.name, _missing(entry.field.kind))

    return erase


def _missing(kind: FieldKind) -> str:
    return f"{kind.value}.missing"


def _write(form: Filled, one: FormField, day: int, month: int, year: int, rng: np.random.Generator) -> None:
    layout = one.format or ("DDMMYYYY" if one.cells == 8 else "DDMMYY" if one.cells == 6 else None)
    form.put(one.name, text=days.written(day, month, year, layout, rng))


def _impossible(form: Filled, entry: Entry, rng: np.random.Generator) -> Plant:
    def spoil() -> Defect:
        year = entry.day.year if entry.day is not None else form.on.year
        _write(form, entry.field, *days.impossible(year, rng), rng)
        return Defect(entry.field.page, entry.field.name, "date.impossible")

    return spoil


def _moved(form: Filled, entry: Entry, check: str, shift: Callable[[], timedelta], rng: np.random.Generator) -> Plant:
    def move() -> Defect:
        day = form.on + shift()
        _write(form, entry.field, day.day, day.month, day.year, rng)
        form.put(entry.field.name, day=day)
        return Defect(entry.field.page, entry.field.name, check)

    return move


def _future(form: Filled, entry: Entry, rng: np.random.Generator) -> Plant:
    return _moved(form, entry, "date.future", lambda: timedelta(int(rng.integers(LEAST_DAYS, MOST_DAYS))), rng)


def _stale(form: Filled, entry: Entry, rng: np.random.Generator) -> Plant:
    age = days.most_age(entry.field) or 0
    return _moved(form, entry, "date.stale", lambda: -timedelta(age + int(rng.integers(LEAST_DAYS, MOST_DAYS))), rng)


def _order(form: Filled, entry: Entry, rng: np.random.Generator) -> Plant:
    def shift() -> timedelta:
        before = form.entries[days.after(entry.field) or ""].day or form.on
        # Not so far back that the day is too old besides.
        age = days.most_age(entry.field)
        oldest = MOST_DAYS if age is None else max(1, age - (form.on - before).days - 1)
        return before - form.on - timedelta(int(rng.integers(1, min(40, oldest) + 1)))

    return _moved(form, entry, "date.order", shift, rng)


def _unauthorised(form: Filled, entry: Entry, desk: Register, rng: np.random.Generator) -> Plant:
    def forge() -> Defect:
        stranger = desk.impostor(form.doctype.name, rng)
        day = entry.text.split("\n")[-1] if entry.text else ""
        form.put(entry.field.name, text="\n".join([*stamp_lines(entry.field, stranger, form.on)[:-1], day]))
        return Defect(entry.field.page, entry.field.name, "endorsement.unauthorised")

    return forge


def _invalid(form: Filled, entry: Entry, rng: np.random.Generator) -> Plant:
    def spoil() -> Defect:
        form.put(entry.field.name, text=spoiled(entry.field.identifier, entry.text or "", rng))
        return Defect(entry.field.page, entry.field.name, "identifier.invalid")

    return spoil


def spoiled(identifier: Identifier | None, text: str, rng: np.random.Generator) -> str:
    """The identifier with one thing wrong that its check finds."""
    if identifier is None:
        raise ValueError("a field without identifier has nothing to check")
    while True:
        place = int(rng.integers(len(text)))
        letter = text[place]
        match identifier:
            case Identifier.BO_ID | Identifier.PIN_CODE:
                wrong = text[:place] + text[place + 1 :]
            case Identifier.ISIN if letter.isdigit():
                wrong = text[:place] + str((int(letter) + int(rng.integers(1, 10))) % 10) + text[place + 1 :]
            case _:
                other = people.letters(rng, 1) if letter.isdigit() else people.digits(rng, 1)
                if alike(letter, other):
                    continue
                wrong = text[:place] + other + text[place + 1 :]
        if identifiers.check(identifier, wrong) is not None:
            return wrong


def _mark(page: int, mark: str) -> Plant:
    return lambda: Defect(page, None, "ink.unexpected", mark)


def _page(page: int) -> Plant:
    return lambda: Defect(page, None, "page.missing")
