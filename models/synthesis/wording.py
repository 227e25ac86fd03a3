"""What is written in evidence that a model learns from: dates, identifiers, amounts, words; often right, not always."""

from __future__ import annotations

import re

import numpy as np

from models.synthesis import people
from models.synthesis.days import MONTHS, suffix

#: Words printed around fields.
PRINTED = people.listed(
    "Name Date Place Signature of the applicant holder First Second Third Sole Address Declaration Branch Stamp Code"
    " Verified by Authorised Signatory Email Mobile Client ID DP Quantity Security ISIN Bank Account Number PIN State"
    " India Reason Purpose Tick as applicable in block letters Designation Organisation Employee Place & Seal Yes No"
    " Male Female Nationality"
)

#: Letters of made-up words.
SOFT = "aeiourstnlmkhdpvjy"

#: What stands in identifier fields and how often.
IDENTIFIERS = {
    "pan": 0.30,
    "last4": 0.06,
    "bo": 0.17,
    "isin": 0.20,
    "ifsc": 0.09,
    "pin": 0.06,
    "serial": 0.06,
    "employee": 0.03,
    "participant": 0.03,
}

#: The shapes they have when nothing is wrong.
SHAPES = re.compile(
    r"[A-Z]{5}\d{4}[A-Z]|\d{4}|\d{16}|IN\d{14}|[A-Z]{3}\d{3}[A-Z]\d{5}|[A-Z]{4}0\d{6}|\d{6,10}|[A-Z]{1,3}\d{3,5}"
)

#: How often an identifier has something wrong: their shapes must not tell what stands there.
SPOILED = 0.3

#: Letters and digits that hands write alike: nobody could tell one in place of another.
ALIKE = ("0ODQ", "1ILJ7T", "2Z", "5S", "6G", "8B", "4A", "9GP", "UV", "3E")

#: How often a month on a line is a word: letters take longer to learn than figures.
WORDS = 0.5


def date(rng: np.random.Generator, cells: int) -> str:
    """A date as somebody writes it, in so many comb boxes or (0) on a line; one in ten is none on any calendar."""
    day, month, year = (int(rng.integers(*span)) for span in ((1, 32), (1, 13), (1930, 2036)))
    if rng.random() < 0.35:
        year = int(rng.integers(2010, 2030))
    if rng.random() < 0.10:
        day, month, year = _no_date(rng, day, month, year)
    if cells == 8:
        return f"{day:02d}{month:02d}{year:04d}"
    if cells == 6:
        return f"{day:02d}{month:02d}{year % 100:02d}"
    kind, separator = rng.random(), "//--.. "[rng.integers(7)]
    short = f"{year % 100:02d}" if rng.random() < 0.35 else f"{year:04d}"
    if kind >= WORDS:
        if rng.random() < 0.75:
            return f"{day:02d}{separator}{month:02d}{separator}{short}"
        return f"{day}{separator}{month}{separator}{short}"
    name = MONTHS[(month - 1) % 12]
    name = name[:3] if rng.random() < 0.6 else name
    if rng.random() < 0.3:
        name = name.upper()
    if rng.random() < 0.55:
        return f"{day}{'-' if rng.random() < 0.5 else ' '}{name}{'-' if rng.random() < 0.5 else ' '}{short}"
    return f"{day}{suffix(day)} {name} {short}" if rng.random() < 0.8 else f"{name} {day}, {short}"


def _no_date(rng: np.random.Generator, day: int, month: int, year: int) -> tuple[int, int, int]:
    kind = rng.integers(3)
    if kind == 0:
        return int(rng.integers(30, 100)), month, year
    if kind == 1:
        return day, int(rng.integers(13, 100)), year
    return 0 if rng.random() < 0.3 else day, int(rng.integers(0, 20)), int(rng.integers(0, 10000))


def identifier(rng: np.random.Generator) -> str:
    """Something of the shape of an identifier, or nearly so; check digits are as they come, since a model must not
    correct them."""
    text = _identifier(rng)
    return spoiled(rng, text) if rng.random() < SPOILED else text


def spoiled(rng: np.random.Generator, text: str) -> str:
    """The text with a letter in place of a digit or the other way round, a character less, or one twice."""
    place = int(rng.integers(len(text)))
    before, one, after = text[:place], text[place], text[place + 1 :]
    kind = rng.random()
    if kind < 0.25:
        return before + after
    if kind < 0.4:
        return before + one + one + after
    while alike(one, other := (people.letters if one.isdigit() else people.digits)(rng, 1)):
        pass
    return before + other + after


def shaped(text: str) -> bool:
    """Whether an identifier has one of the usual shapes."""
    return SHAPES.fullmatch(text) is not None


def alike(one: str, other: str) -> bool:
    """Whether hands write two characters alike."""
    return any(one in group and other in group for group in ALIKE)


def _identifier(rng: np.random.Generator) -> str:
    letters, digits = people.letters, people.digits
    match str(rng.choice(list(IDENTIFIERS), p=list(IDENTIFIERS.values()))):
        case "pan":
            kind = "P" if rng.random() < 0.7 else letters(rng, 1)
            return letters(rng, 3) + kind + letters(rng, 1) + digits(rng, 4) + letters(rng, 1)
        case "last4":
            return digits(rng, 4)
        case "bo":
            return digits(rng, 16) if rng.random() < 0.8 else f"IN{digits(rng, 14)}"
        case "isin":
            start = "INE" if rng.random() < 0.8 else letters(rng, 3)
            return start + digits(rng, 3) + letters(rng, 1) + digits(rng, 5)
        case "ifsc":
            return f"{letters(rng, 4)}0{digits(rng, 6)}"
        case "pin":
            return digits(rng, 6)
        case "serial":
            return digits(rng, int(rng.integers(6, 11)))
        case "employee":
            return letters(rng, int(rng.integers(1, 4))) + digits(rng, int(rng.integers(3, 6)))
        case _:
            return digits(rng, 8)


def round_amount(rng: np.random.Generator) -> str:
    """An amount of one or two figures and zeros, as most are that people write."""
    return _amount(rng, int(rng.integers(1, 100)) * 10 ** int(rng.integers(1, 6)))


def amount(rng: np.random.Generator) -> str:
    """Any amount, about as often with few figures as with many."""
    return _amount(rng, int(10 ** rng.uniform(0, 7)))


def _amount(rng: np.random.Generator, number: int) -> str:
    text = people.grouped(number) if rng.random() < 0.5 and number > 999 else str(number)
    if rng.random() < 0.15:
        text += f".{people.digits(rng, 2)}"
    return text + ("/-" if rng.random() < 0.15 else "")


def printed(rng: np.random.Generator, count: int | None = None) -> str:
    """Words as they stand around fields."""
    return " ".join(PRINTED[place] for place in rng.integers(0, len(PRINTED), count or int(rng.integers(1, 6))))


def written(rng: np.random.Generator) -> str:
    """Words as somebody writes them into a field."""
    words = [
        "".join(SOFT[place] for place in rng.integers(0, len(SOFT), int(rng.integers(2, 8)))).title()
        for _ in range(int(rng.integers(1, 5)))
    ]
    text = " ".join(words)
    return text.upper() if rng.random() < 0.4 else text


def stamped(rng: np.random.Generator) -> list[str]:
    """What a stamp says, one to four lines."""
    name = f"{people.letters(rng, 1)}. {people.pick(rng, people.SURNAMES)}".upper()
    every = [printed(rng, 2).upper(), name, f"EMP{people.digits(rng, 4)}", date(rng, 0)]
    return every[: int(rng.integers(1, 5))]
