"""What somebody writes into each field of a form, so that nothing is wrong with it: any type, by its fields alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from models.synthesis import days, people, register
from models.synthesis.split import Split
from models.synthesis.split import signer as somebody
from pipeline.doctypes.schema import DocumentType, FieldKind, FormField, Identifier
from pipeline.endorsers import Endorser

#: How often a field that need not be filled is.
OPTIONAL = {
    FieldKind.SIGNATURE: 0.5,
    FieldKind.DATE: 0.5,
    FieldKind.ENDORSEMENT: 0.08,
    FieldKind.TEXT: 0.6,
    FieldKind.IDENTIFIER: 0.7,
    FieldKind.AMOUNT: 0.6,
}

#: How often a client fills a form on a computer and prints it.
TYPED = 0.1

#: How often "other, namely" is.
UNUSUAL = 0.06

#: Boxes that most people tick.
USUAL = ("new_application", "indian", "resident", "not_exposed")

HOLDERS = {"second": 2, "third": 3}

#: Boxes to tick stand in one group while no further apart than this share of the page.
ACROSS, DOWN = 0.18, 0.025

#: What fields are called that the participant's people fill.
OFFICE = ("official", "verif", "officer", "participant", "authoris", "received", "receipt", "entered by")


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a field. `text` as written (None: nothing), of a stamp its lines; `signer` who signs there; `day`
    what a date means; `typed` whether it is printed, not written."""

    field: FormField
    text: str | None = None
    signer: int | None = None
    day: date | None = None
    typed: bool = False

    @property
    def value(self) -> str | None:
        """The value as a label: never a complete Aadhaar number."""
        if self.text is not None and self.field.identifier is Identifier.AADHAAR:
            return f"XXXXXXXX{self.text[-4:]}"
        return self.text


@dataclass(slots=True)
class Filled:
    """One filled form before it is drawn."""

    doctype: DocumentType
    on: date
    official: Endorser
    holders: list[people.Person]
    entries: dict[str, Entry] = field(default_factory=dict)

    def put(self, name: str, **changed: str | int | date | None) -> None:
        """Writes something else into a field."""
        self.entries[name] = replace(self.entries[name], **changed)  # type: ignore[arg-type]


class _Clerk:
    """Fills one form."""

    def __init__(
        self, doctype: DocumentType, on: date, split: Split, desk: register.Register, rng: np.random.Generator
    ) -> None:
        self.doctype, self.on, self.rng, self.split = doctype, on, rng, split
        first = people.person(rng, on, split)
        others = [people.person(rng, on, split, first.surname) for _ in range(int(rng.choice(3, p=(0.55, 0.33, 0.12))))]
        self.holders = [first, *others]
        self.father = f"{people.pick(rng, people.MEN)} {first.surname}"
        self.home, self.other_home = people.address(rng), people.address(rng)
        self.official = desk.official(doctype.name, rng)
        self.official_signer = somebody(rng, split)
        self.days = days.plan(doctype, on, first.born, rng)
        self.rows = int(rng.integers(1, 4))
        self.moved = bool(rng.random() < 0.3)
        self.numbers = {name: int(10 ** rng.uniform(0.5, 4.5)) for name in self._words()}
        self.account = people.bo_id(rng)
        self.typed = bool(rng.random() < TYPED)

    def _words(self) -> dict[str, str]:
        """Each amount with the field that says it in words."""
        return {one.name: check.words for one in self.doctype.fields for check in one.checks if check.words is not None}

    def filled(self) -> Filled:
        form = Filled(self.doctype, self.on, self.official, self.holders)
        ticked = self._ticked()
        there: dict[str, bool] = {}
        for one in self.doctype.fields:
            there[one.name] = one.name in ticked if one.kind is FieldKind.CHECKBOX else self._wanted(one)
        # A field that hangs on another follows it, in a chain too.
        for _ in self.doctype.fields:
            for one in self.doctype.fields:
                if one.required_if is not None and not one.required:
                    there[one.name] = there[one.required_if]
        for one in self.doctype.fields:
            entry = self._entry(one) if there[one.name] else Entry(one)
            form.entries[one.name] = replace(entry, typed=entry.typed or (self.typed and not is_office(one)))
        return form

    def _wanted(self, one: FormField) -> bool:
        if one.required:
            return True
        if self._holder(one) > len(self.holders) or row(self.doctype, one) > self.rows:
            return False
        if self._holder(one) > 1 or row(self.doctype, one) > 1:
            return True
        if "permanent" in one.name:
            return self.moved
        if one.kind is FieldKind.TEXT and _about(one, "other"):
            return bool(self.rng.random() < UNUSUAL)
        return bool(self.rng.random() < OPTIONAL.get(one.kind, 0.5))

    def _ticked(self) -> set[str]:
        """One box of each group of boxes."""
        groups: list[list[FormField]] = []
        for one in (each for each in self.doctype.fields if each.kind is FieldKind.CHECKBOX):
            last = groups[-1][-1] if groups else None
            if last is not None and last.page == one.page and _near(last, one):
                groups[-1].append(one)
            else:
                groups.append([one])
        ticked = {one.name for group in groups for one in group if one.required}
        for group in groups:
            if not any(one.required for one in group) and self.rng.random() < (0.9 if len(group) > 1 else 0.5):
                usual = [one for one in group if one.name in USUAL or one.name == self._sex()]
                choices = usual if usual and self.rng.random() < 0.9 else group
                ticked.add(choices[int(self.rng.integers(len(choices)))].name)
        ticked -= {name for name in ticked if name.startswith("same_") and self.moved}
        return ticked

    def _sex(self) -> str:
        return "female" if self.holders[0].woman else "male"

    def _holder(self, one: FormField) -> int:
        return next((number for word, number in HOLDERS.items() if word in one.name.split("_")), 1)

    def _entry(self, one: FormField) -> Entry:
        match one.kind:
            case FieldKind.SIGNATURE:
                return Entry(one, "signature", signer=self._signer(one))
            case FieldKind.CHECKBOX:
                return Entry(one, "ticked")
            case FieldKind.DATE:
                day = self.days[one.name]
                layout = one.format or ("DDMMYYYY" if one.cells == 8 else "DDMMYY" if one.cells == 6 else None)
                return Entry(one, days.written(day.day, day.month, day.year, layout, self.rng), day=day)
            case FieldKind.ENDORSEMENT:
                return Entry(one, "\n".join(stamp_lines(one, self.official, self._stamped(one))))
            case FieldKind.IDENTIFIER:
                return self._identifier(one)
            case FieldKind.AMOUNT:
                return Entry(one, self._amount(one))
            case FieldKind.TEXT:
                text = self._text(one)
                return Entry(one, text.upper()[: one.cells].rstrip() if one.cells else text)

    def _signer(self, one: FormField) -> int:
        if is_office(one):
            return self.official_signer
        holder = self._holder(one)
        return self.holders[holder - 1].signer if holder <= len(self.holders) else somebody(self.rng, self.split)

    def _stamped(self, one: FormField) -> date:
        """The day of a stamp: that of the date in its block, or else the latest day on the form."""
        block = one.name.partition("_")[0]
        beside = [day for name, day in self.days.items() if name.partition("_")[0] == block]
        late = [day for day in self.days.values() if day <= self.on]
        return max(beside or late or [self.on])

    def _identifier(self, one: FormField) -> Entry:
        rng = self.rng
        holder = self.holders[min(self._holder(one), len(self.holders)) - 1]
        makers: dict[Identifier | None, Callable[[], str]] = {
            Identifier.PAN: lambda: people.pan(rng, holder.surname),
            Identifier.AADHAAR: lambda: people.aadhaar(rng),
            Identifier.AADHAAR_LAST4: lambda: people.digits(rng, 4),
            Identifier.BO_ID: lambda: people.bo_id(rng) if _about(one, "target", "credit", "counter") else self.account,
            Identifier.ISIN: lambda: people.isin(rng),
            Identifier.IFSC: lambda: people.ifsc(rng),
            Identifier.PIN_CODE: lambda: (self.other_home if "permanent" in one.name else self.home).pin,
        }
        make = makers.get(one.identifier)
        if make is None:
            return Entry(one, people.digits(rng, min(one.cells or 8, 10)), typed=not one.cells)
        return Entry(one, make())

    def _amount(self, one: FormField) -> str:
        if one.name in self.numbers:
            return people.grouped(self.numbers[one.name])
        if _about(one, "number of lines", "lines used"):
            return str(self.rows)
        text = people.grouped(int(10 ** self.rng.uniform(2, 6.5)))
        return text + ("/-" if self.rng.random() < 0.2 else "")

    def _text(self, one: FormField) -> str:
        for amount, words in self._words().items():
            if words == one.name:
                return people.worded(self.numbers[amount])
        home = self.other_home if "permanent" in one.name else self.home
        official, rng = self.official, self.rng
        verifier = _about(one, "verif", "official", "officer")
        holder = self.holders[min(self._holder(one), len(self.holders)) - 1]
        known: tuple[tuple[tuple[str, ...], Callable[[], str]], ...] = (
            (("designation",), lambda: official.designation or "Officer"),
            (("employee", "code"), lambda: official.employee_code or people.digits(rng, 5)),
            (("organi", "branch of", "participant"), lambda: official.participant or ""),
            (("initials", "entered by", "verified by"), lambda: people.letters(rng, 2)),
            (("received by",), lambda: official.name),
            (("father", "spouse", "husband"), lambda: self.father),
            (("mother",), lambda: f"{people.pick(rng, people.WOMEN)} {holder.surname}"),
            (("security", "securities", "scrip", "company"), lambda: people.pick(rng, people.COMPANIES)),
            (("clearing",), lambda: people.pick(rng, people.PARTICIPANTS)),
            (("account number", "settlement", "kyc number", "mobile", "phone"), lambda: _number(one, rng)),
            (("bank",), lambda: f"{people.pick(rng, people.BANKS)}, {home.city}"),
            (("e-mail", "email"), lambda: f"{holder.given}.{holder.surname}@example.in".lower()),
            (("target", "credited", "counterpart"), lambda: people.person(rng, self.on, self.split).name),
            (("name", "received from"), lambda: official.name if verifier else holder.name),
            (("line 2", "address_2"), lambda: home.second),
            (("address",), lambda: home.first),
            (("district",), lambda: home.district),
            (("state",), lambda: home.state),
            (("country", "nationality"), lambda: "India"),
            (("city", "town", "place"), lambda: home.city),
            (("time",), lambda: f"{rng.integers(10, 18)}.{rng.integers(0, 60):02d}"),
            (("paid", "payment", "mode"), lambda: people.pick(rng, ("Cheque", "NEFT", "RTGS", "UPI"))),
            (("number",), lambda: people.letters(rng, 1) + people.digits(rng, 7)),
        )
        make = next((make for words, make in known if _about(one, *words)), None)
        return make() if make is not None else people.pick(rng, people.STREETS)


def fill(doctype: DocumentType, on: date, split: Split, desk: register.Register, rng: np.random.Generator) -> Filled:
    """A form of that type filled rightly as of that day, endorsed by somebody of the register."""
    return _Clerk(doctype, on, split, desk, rng).filled()


def row(doctype: DocumentType, one: FormField) -> int:
    """The line of a table that a field belongs to, from names such as `isin_3`; 1 for others."""
    found = re.fullmatch(r"[a-z_]+_(\d)", one.name)
    if found is None:
        return 1
    kinds = {each.kind for each in doctype.fields if each.name.endswith(f"_{found[1]}")}
    return int(found[1]) if FieldKind.IDENTIFIER in kinds or FieldKind.AMOUNT in kinds else 1


def is_office(one: FormField) -> bool:
    """Whether an official fills a field, not the client."""
    return _about(one, *OFFICE)


def stamp_lines(one: FormField, official: Endorser, day: date) -> list[str]:
    """What a stamp in a field says: its title, whose it is and the day."""
    titles = ((("original",), "ORIGINALS VERIFIED"), (("late",), "RECEIVED LATE"), (("receipt", "receiv"), "RECEIVED"))
    title = next((title for words, title in titles if _about(one, *words)), None)
    return [*([title] if title else []), *register.lines(official), f"{day:%d/%m/%Y}"]


def _number(one: FormField, rng: np.random.Generator) -> str:
    count = min(one.cells or 10, 14 if "account" in one.name else 16)
    return str(rng.integers(6, 10)) + people.digits(rng, count - 1)


def _about(one: FormField, *words: str) -> bool:
    told = f"{one.name} {one.label}".lower()
    return any(word in told for word in words)


def _near(one: FormField, other: FormField) -> bool:
    first, second = one.where, other.where
    level = abs(first.y0 - second.y0) < 0.005 and second.x0 - first.x0 < ACROSS
    return level or (abs(first.x0 - second.x0) < 0.005 and second.y0 - first.y0 < DOWN)
