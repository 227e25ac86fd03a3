"""Every sentence that a finding can be told in: a key, and the English that values are put into.

Checks tell their findings by `say`. What is kept of a finding is the English sentence; `heard` gives the key and the
values back, exactly, so that it can be told in another language: what no key here says is left as it is.

A slot of `CLAUSES` holds a sentence or part of one with a key of its own; every other slot holds a value, as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter

#: Whole sentences.
SENTENCES: Mapping[str, str] = {
    # A field, whatever its kind.
    "field.filled": "{label} is filled in.",
    "field.signed": "{label} is signed.",
    "field.initialled": "{label} bears initials.",
    "field.unneeded": "{label} is not needed.",
    "field.empty": "{label} is empty.",
    "field.struck": "{label} is struck out.",
    "field.empty_beside": "{label} is empty, though “{other}” is filled in.",
    "field.unread": "{label} can't be read.",
    "field.misread": "{label} reads {text}, but {other} is likelier to stand there.",
    "field.uncut": "{label} can't be judged: there is no picture of it.",
    "field.untrusted": "{label} can't be judged: {why}.",
    # Dates.
    "date.read": "{label} reads {text}.",
    "date.written": "{label} is written as a date.",
    "date.miswritten": "{label} is not a date as it should be written: {why}.",
    "date.exists": "{label} is a day that exists.",
    "date.impossible": "{label} is no day that exists: {why}.",
    "date.future": "{label}, {day}, is after the day the document arrived, {on}.",
    "date.not_future": "{label} is not in the future.",
    "date.stale": "{label}, {day}, is more than {days} days before {on}.",
    "date.recent": "{label} is recent enough.",
    "date.before": "{label}, {day}, is before “{other}”, {on}.",
    "date.not_before": "{label} is not before “{other}”.",
    # Endorsements.
    "stamp.writing": "{label}: there is writing, but no stamp.",
    "stamp.judged": "{label}: {why}.",
    # Ink that no field explains.
    "ink.nothing": "A mark that is nothing anybody wrote.",
    "ink.signature": "There is a signature where none belongs.",
    "ink.stamp": "There is a stamp where none belongs.",
    "ink.handwriting": "There is writing where none belongs.",
    "ink.some": "There is ink where none belongs.",
    # Identifiers.
    "identifier.right": "{label} is well formed.",
    "identifier.wrong": "{label}: {why}",
    "bo_id.length": "A BO ID has sixteen digits (or IN and fourteen digits); {characters} stand here.",
    "ifsc.shape": "An IFSC has four letters, a zero, and six letters or digits; this one has not.",
    "pin_code.shape": "A PIN code has six digits and does not begin with 0; {characters} stand here.",
    "serial.shape": "A serial number has digits; there are none here.",
    "pan.shape": "A PAN has five letters, four digits and a letter; this one has not.",
    "pan.zero": "The digits of a PAN begin at 0001; these are 0000.",
    "pan.kind": "The fourth letter of a PAN tells the holder's kind; {letter} is none.",
    "isin.shape": "An ISIN has a country's two letters, nine letters or digits, and a check digit; this one has not.",
    "isin.check": "The check digit of this ISIN does not fit the rest.",
    "aadhaar.length": "The last four digits of the Aadhaar number belong here; {characters} stand here.",
    "aadhaar.four": "{label} shows no more than four digits.",
    "aadhaar.more": "{label} shows more of the number than its last four digits.",
    "aadhaar.more_right": "{label} shows more of the number than its last four digits. Its check digit is right.",
    "aadhaar.more_wrong": "{label} shows more of the number than its last four digits. Its check digit is wrong.",
    # Amounts.
    "amount.same": "{label} is the same in figures and in words.",
    "amount.differs": "{label} is {figures} in figures but {words} in words.",
    # Pages.
    "page.fit": "The page is fit to be read.",
    "page.passed_over": "The page is blank; it was passed over, as DOCVIGIL_BLANK_PAGES says.",
    "page.coarse": "The page has only {dpi} dots an inch. Scan it at 200 to 300.",
    "page.coarse_and": "The page has only {dpi} dots an inch. Scan it at 200 to 300. {why}",
    "page.black": "The page is black. Scan it again with the lid closed and the right side down.",
    "page.faint": "The page is blank, or its ink is too faint to see. Check which side was scanned.",
    "page.pale": "Ink hardly stands out from the paper. Scan the page again with more contrast.",
    "page.blank": "The page is blank. Check which side was scanned.",
    "page.dark": "Most of the page is black. Scan it again with less contrast.",
    "page.blurred": "The page is too blurred to read. Scan it again, flat and in focus.",
    "page.known": "The page is page {number} of: {title}.",
    "page.unknown": "The page is no form that is known here.",
    "page.doubted": "The page may be page {number} of: {title}. {why} Its fields were not judged.",
    "page.all": "All pages of the form are there.",
    "page.only": "The form has one page, and it is there.",
    "page.missing": "Page {number} of {total} of the form is missing.",
    "page.again": "Page {number} of the form is there {times} times, on pages {listed}.",
    # Which form a page is, and where it lies.
    "place.alien": "The page is like none of the known forms.",
    "place.elsewhere": "The page resembles a known form, but its print is not where that form has it.",
    "place.either": "The page can't be told apart between {first} and {second}.",
    "place.twins": "The print of this page is the same in {listed}.",
    "place.little": "Only {share} of the form's print was found on the page: another edition, or a poor scan.",
    "place.crooked": "The form's print lies {mm} mm from where it should: the paper is creased or the scan torn.",
    "place.folded": "The form would lie folded over on the page.",
    "place.mirrored": "The form would lie mirrored on the page.",
    "place.scaled": "The form would be scaled by {times}; the page is another size of paper.",
    "place.stretched": "The form would be stretched or tilted more than a scan or photograph of it can be.",
    "place.slanted": "The form would be slanted more than a scan or photograph of it can be.",
    "place.cropped": "Only {share} of the form lies on the page: it was cropped.",
    # A pass below its threshold; `passed` is its sentence without the full stop.
    "doubt": "{passed}, but this is not certain enough.",
}

#: Parts of sentences.
PARTS: Mapping[str, str] = {
    "picture.off_page": "part of it lies outside the scan",
    "picture.registration": "the print around it is not where it should be, so the picture may show the wrong place",
    "picture.resolution": "the scan is too coarse there",
    "picture.several": "{why} and {also}",
    "written.no_month": "{month} is no month",
    "written.otherwise": "{text} is not written as {wanted}",
    "written.digits": "{count} digits ({layout})",
    "written.day": "day, month and year",
    "calendar.year": "the year {year} can't be meant",
    "calendar.month": "there is no month {month}",
    "calendar.day": "{month_name} {year} has no day {day}",
    **{
        f"month.{name.lower()}": name
        for name in (
            *("January", "February", "March", "April", "May", "June", "July"),
            *("August", "September", "October", "November", "December"),
        )
    },
    "characters.one": "1 character",
    "characters.many": "{count} characters",
    "endorser.unread": "nothing could be read on the stamp",
    "endorser.alike": "the name on the stamp resembles one of the register but is not surely it",
    "endorser.little": "too little of the stamp could be read to tell whose it is",
    "endorser.nobody": "nobody in the register has this stamp",
    "endorser.codes": "the stamp could bear the employee codes of several endorsers",
    "endorser.contradicted": "employee code and name on the stamp belong to different people",
    "endorser.number": "the number {code} is an employee code, but the name can't be read",
    "endorser.strange_code": "the name is known, but the employee code {code} is not theirs",
    "endorser.unsure_code": "the employee code {code} is not surely that of {name}",
    "endorser.several": "several endorsers could have this stamp",
    "endorser.known": "the stamp is that of {name}",
    "endorser.early": "{name} was authorised only from {day}, after {on}",
    "endorser.late": "the authority of {name} ended on {day}, before {on}",
    "endorser.other_kind": "{name} is not authorised for this kind of document",
}

#: Slots that hold what has a key itself.
CLAUSES = ("why", "also", "passed", "wanted", "characters", "month_name")

#: Nothing that is longer was made here; to look for it would take time.
LONGEST = 500

_ALL = {**SENTENCES, **PARTS}
#: Stands for a label that is known, which may itself look like part of a sentence.
_LABEL = "\x00"


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence by its key and the values in it."""

    key: str
    values: Mapping[str, str | Heard]


def say(key: str, **values: object) -> str:
    """The English sentence, or part of one. Raises KeyError for a key that is not there and a value that is missing."""
    return _ALL[key].format(**values)


def heard(message: str, label: str | None = None) -> Heard | None:
    """Key and values of a sentence that `say` made, None where it says something else. `label` is what the form calls
    the field that it is about."""
    if len(message) > LONGEST:
        return None
    if label and message.startswith(label):
        message = _LABEL + message.removeprefix(label)
    return _heard(message, _ordered(whole=True), label)


def slots(template: str) -> list[str]:
    """The names of the values that a sentence holds."""
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


def _heard(message: str, keys: Iterable[str], label: str | None) -> Heard | None:
    for key in keys:
        if (found := _pattern(key).fullmatch(message)) is not None:
            values = {name: _value(name, text, label) for name, text in found.groupdict().items()}
            if None not in values.values():
                return Heard(key, {name: value for name, value in values.items() if value is not None})
    return None


def _value(name: str, text: str, label: str | None) -> str | Heard | None:
    if name == "passed":
        return _heard(text + ".", _ordered(whole=True), label)
    if name in CLAUSES:
        return _heard(text, _ordered(whole=False), label)
    return text.replace(_LABEL, label or "")


@cache
def _ordered(*, whole: bool) -> tuple[str, ...]:
    """Keys of whole sentences, or of all, what says most by itself first: the rest may be taken for a value."""
    return tuple(sorted(SENTENCES if whole else _ALL, key=lambda key: -len(re.sub(r"\{\w+\}", "", _ALL[key]))))


@cache
def _pattern(key: str) -> re.Pattern[str]:
    parts = []
    for literal, name, _, _ in Formatter().parse(_ALL[key]):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P<{name}>{_LABEL}|[^{_LABEL}]+?)" if name == "label" else f"(?P<{name}>.+?)")
    return re.compile("".join(parts), re.DOTALL)
