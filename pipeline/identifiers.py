"""Identifiers on depository forms: their alphabets, lengths and check digits.

PAN, ISIN and Aadhaar are checked by `python-stdnum`. The rules for the others are those of their issuers as written
on forms: a BO ID has sixteen digits (at the other depository `IN` and fourteen digits), an IFSC four letters, a zero
and six letters or digits, a PIN code six digits of which the first is not 0. A slip's serial number has no check
digit: letters and digits, at least one digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import isin
from stdnum.exceptions import ValidationError
from stdnum.in_ import aadhaar as stdnum_aadhaar
from stdnum.in_ import pan

from pipeline.doctypes.schema import Identifier
from pipeline.sentences import say

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: Identifiers of which no more than four digits are kept.
AADHAARS = (Identifier.AADHAAR, Identifier.AADHAAR_LAST4)

#: Longest string asked for where nothing is known about an identifier.
LONGEST = 22

_ALPHABETS = {
    Identifier.PAN: LETTERS + DIGITS,
    Identifier.AADHAAR: DIGITS,
    Identifier.AADHAAR_LAST4: DIGITS,
    Identifier.BO_ID: DIGITS + "IN",
    Identifier.ISIN: LETTERS + DIGITS,
    Identifier.IFSC: LETTERS + DIGITS,
    Identifier.PIN_CODE: DIGITS,
    Identifier.SERIAL: LETTERS + DIGITS,
}

# On a line a hand may write more than belongs there; a whole Aadhaar in place of four digits must be seen.
_LENGTHS = {
    Identifier.PAN: 12,
    Identifier.AADHAAR: 12,
    Identifier.AADHAAR_LAST4: 12,
    Identifier.BO_ID: 18,
    Identifier.ISIN: 14,
    Identifier.IFSC: 13,
    Identifier.PIN_CODE: 8,
    Identifier.SERIAL: 16,
}

#: The chance that a misreading hides a wrong identifier. A check digit lets one wrong string in ten through; the
#: number of digits changes in few misreadings; letters and digits are taken for each other more often.
HIDDEN = {Identifier.ISIN: 0.1, Identifier.PAN: 0.3, Identifier.IFSC: 0.3}
HIDDEN_BY_COUNT = 0.1

#: Digits that letters look like, and the shares of digits from which on such letters are taken for them.
LOOKS = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}
MOSTLY, NEARLY = 0.5, 0.85

_TWELVE = re.compile(r"(?<![0-9])[2-9][0-9]{3}([ -]?)[0-9]{4}([ -]?)([0-9]{4})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Aadhaar:
    """What may be known of an Aadhaar number: its last digits, four at most; whether more than those stood there;
    whether the check digit was right, None unless all twelve stood there."""

    last_four: str
    whole: bool
    valid: bool | None


def alphabet(identifier: Identifier | None) -> str:
    """The characters an identifier may be written with; letters and digits where it is not known which it is."""
    return LETTERS + DIGITS if identifier is None else _ALPHABETS[identifier]


def length(identifier: Identifier | None) -> int:
    """How many characters to read at most on a free line: a little more than belong there."""
    return LONGEST if identifier is None else _LENGTHS[identifier]


def cleaned(text: str) -> str:
    """Letters and digits only, upper case."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def numbered(text: str) -> str:
    """A number without a shape of its own, cleaned. Where most of it is digits, an O or an I with no other letter
    beside it is one too, which it is written like; where nearly all of it is, so are other letters between two digits
    that look like one."""
    plain = cleaned(text)
    digits = sum(letter.isdigit() for letter in plain) / max(1, len(plain))
    if digits >= MOSTLY:
        plain = re.sub(r"(?<![A-HJ-NP-Z])[OI](?![A-HJ-NP-Z])", lambda one: LOOKS[one[0]], plain)
    if digits >= NEARLY:
        plain = re.sub(r"(?<=\d)[A-Z](?=\d)", lambda one: LOOKS.get(one[0], one[0]), plain)
    return plain


def check(identifier: Identifier, text: str) -> str | None:
    """What is wrong with an identifier, as a sentence, or None. Never repeats digits of an Aadhaar number."""
    text = cleaned(text)
    match identifier:
        case Identifier.PAN:
            return None if _holds(pan.validate, text) else _pan_problem(text)
        case Identifier.ISIN:
            return None if _holds(isin.validate, text) else _isin_problem(text)
        case Identifier.AADHAAR | Identifier.AADHAAR_LAST4:
            return _aadhaar_problem(text)
        case Identifier.BO_ID:
            if re.fullmatch(r"\d{16}|IN\d{14}", text):
                return None
            return say("bo_id.length", characters=_characters(text))
        case Identifier.IFSC:
            if re.fullmatch(r"[A-Z]{4}0[A-Z0-9]{6}", text):
                return None
            return say("ifsc.shape")
        case Identifier.PIN_CODE:
            if re.fullmatch(r"[1-9]\d{5}", text):
                return None
            return say("pin_code.shape", characters=_characters(text))
        case Identifier.SERIAL:
            return None if re.search(r"\d", text) else say("serial.shape")


def certainty(identifier: Identifier, confidence: float) -> float:
    """How sure it is that an identifier is right whose reading passed the check: it is wrong only if it was misread
    (`1 - confidence`) and the misreading hid that. A lower bound which supposes nothing about how many are right."""
    return 1.0 - (1.0 - confidence) * HIDDEN.get(identifier, HIDDEN_BY_COUNT)


def aadhaar(text: str) -> Aadhaar:
    """All that may leave of a string read where an Aadhaar number stands."""
    digits = re.sub(r"\D", "", text)
    valid = _holds(stdnum_aadhaar.validate, digits) if len(digits) == 12 else None
    return Aadhaar(digits[-4:], len(digits) > 4, valid)


def without_aadhaar(text: str) -> str:
    """The text with all but the last four digits crossed out of what may be an Aadhaar number."""
    while (again := _TWELVE.sub(r"XXXX\1XXXX\2\3", text)) != text:
        text = again
    return text


def _holds(validate: Callable[[str], str], text: str) -> bool:
    try:
        validate(text)
    except ValidationError:
        return False
    return True


def _characters(text: str) -> str:
    return say("characters.one") if len(text) == 1 else say("characters.many", count=len(text))


def _pan_problem(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{5}\d{4}[A-Z]", text):
        return say("pan.shape")
    if text[5:9] == "0000":
        return say("pan.zero")
    return say("pan.kind", letter=text[3])


def _isin_problem(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{9}\d", text):
        return say("isin.shape")
    return say("isin.check")


def _aadhaar_problem(digits: str) -> str | None:
    if re.fullmatch(r"\d{4}", digits):
        return None
    return say("aadhaar.length", characters=_characters(digits))
