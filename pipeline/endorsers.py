"""Who may endorse, and whether a stamp is theirs.

A stamp is matched by what is printed on it: first by employee code, then by name. Print is read by OCR, so both are
tolerant, within stated thresholds; what lies between "the same" and "another" is unreadable, and never authorised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rapidfuzz import fuzz

from pipeline.sentences import say

#: A name of which this share (percent, `rapidfuzz.fuzz.partial_ratio` on letters only) stands in the print is it.
SAME_NAME = 87.0

#: Below this share it is another name; between the two it can't be told.
OTHER_NAME = 72.0

#: Shorter names and stamp texts (letters and digits) must stand there exactly, as words.
SHORTEST_TOLERANT = 6

#: Shorter employee codes prove nothing, since they stand in dates and addresses too.
SHORTEST_CODE = 3

#: A code of digits only that is shorter than this could be part of a date: it counts beside the name only.
SHORTEST_NUMBER = 6

#: Print with fewer letters than this says too little to call it somebody else's.
LEAST_LETTERS = 8

#: Print read with less confidence than this can prove nobody a stranger.
LEAST_PRINT = 0.6

_CONFUSED = str.maketrans("OIL", "011")
_LABEL = re.compile(r"(?:EMP|EMPLOYEE|STAFF|CODE|NO|ID|EC)+")


@dataclass(frozen=True, slots=True)
class Endorser:
    """Somebody allowed to endorse documents of some types (none named: all) from one day to another, both included.

    `stamp_text` is what the stamp says, where it does not bear the name.
    """

    name: str
    designation: str | None = None
    employee_code: str | None = None
    participant: str | None = None
    stamp_text: str | None = None
    document_types: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    id: int | None = None

    def refusal(self, on: date, document_type: str) -> str | None:
        """Why this endorser may not endorse a document of that type on that day; None where he may."""
        if self.valid_from is not None and on < self.valid_from:
            return say("endorser.early", name=self.name, day=_day(self.valid_from), on=_day(on))
        if self.valid_to is not None and on > self.valid_to:
            return say("endorser.late", name=self.name, day=_day(self.valid_to), on=_day(on))
        if self.document_types and document_type not in self.document_types:
            return say("endorser.other_kind", name=self.name)
        return None


class Standing(StrEnum):
    AUTHORISED = "authorised"
    UNAUTHORISED = "unauthorised"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Match:
    """Whose stamp it is and whether it counts. `score` (0 to 1) is how well the print fits that endorser; `why` is a
    clause for a sentence."""

    standing: Standing
    why: str
    endorser: Endorser | None = None
    score: float = 0.0


def match(text: str | None, endorsers: Sequence[Endorser], on: date, document_type: str, printed: float = 1.0) -> Match:
    """Judge the print of a stamp as of the day it was set.

    `printed` is the confidence with which the print was read. Nobody is called a stranger for print that is too short
    or too poor to tell, nor for a name that is nearly right.
    """
    words = _words(text or "")
    if not words:
        return Match(Standing.UNREADABLE, say("endorser.unread"))
    lines = [_compact(line) for line in (text or "").splitlines()]
    places = [*lines, "".join(lines)]
    scored = sorted(((_likeness(one, words, places), one) for one in endorsers), key=lambda pair: -pair[0])
    by_code = _by_code(words, endorsers)
    if by_code:
        return _coded(by_code, scored, on, document_type)
    best = scored[0][0] if scored else 0.0
    if best >= SAME_NAME:
        named = [one for score, one in scored if score >= SAME_NAME and score >= best - 3.0]
        return _named(named, best / 100, words, endorsers, on, document_type)
    if best >= OTHER_NAME:
        return Match(Standing.UNREADABLE, say("endorser.alike"))
    if printed < LEAST_PRINT or sum(map(len, words)) < LEAST_LETTERS:
        return Match(Standing.UNREADABLE, say("endorser.little"))
    return Match(Standing.UNAUTHORISED, say("endorser.nobody"), None, 1.0 - best / 100)


def _coded(coded: Sequence[Endorser], scored: Sequence[tuple[float, Endorser]], on: date, document_type: str) -> Match:
    """The stamp bears an employee code of the register; a name that is surely another's contradicts it."""
    codes = {_compact(one.employee_code or "") for one in coded}
    if len(codes) > 1:
        return Match(Standing.UNREADABLE, say("endorser.codes"))
    own = max(score for score, one in scored if one in coded)
    others = [(score, one) for score, one in scored if one not in coded and score >= SAME_NAME]
    if own < OTHER_NAME and others:
        return Match(Standing.UNREADABLE, say("endorser.contradicted"))
    code = codes.pop()
    if own < OTHER_NAME and code.isdigit() and len(code) < SHORTEST_NUMBER:
        return Match(Standing.UNREADABLE, say("endorser.number", code=code))
    return _standing(coded, 0.99 if own >= OTHER_NAME else 0.9, on, document_type)


def _named(
    named: Sequence[Endorser],
    score: float,
    words: Sequence[str],
    endorsers: Iterable[Endorser],
    on: date,
    document_type: str,
) -> Match:
    """The stamp bears a name of the register and no code of it; a code that is surely another contradicts the name."""
    codes = {_compact(one.employee_code or "") for one in named} - {""}
    shapes = {_shape(_compact(one.employee_code)) for one in endorsers if one.employee_code}
    strange = [end for word in words for end in _ends(word) if _shape(end) in shapes and any(map(str.isdigit, end))]
    for word in strange:
        if codes and max(fuzz.ratio(word, code) for code in codes) < 100 * (1 - 1.5 / len(word)):
            return Match(Standing.UNAUTHORISED, say("endorser.strange_code", code=word), None, score)
        return Match(Standing.UNREADABLE, say("endorser.unsure_code", code=word, name=named[0].name))
    people = {(one.employee_code, one.name, one.participant) for one in named}
    if len(people) > 1:
        return Match(Standing.UNREADABLE, say("endorser.several"))
    return _standing(named, score, on, document_type)


def _standing(rows: Sequence[Endorser], score: float, on: date, document_type: str) -> Match:
    """The person of these rows (one for each time of authority) on that day."""
    refusals = [(one, one.refusal(on, document_type)) for one in rows]
    for one, refusal in refusals:
        if refusal is None:
            return Match(Standing.AUTHORISED, say("endorser.known", name=one.name), one, score)
    one, refusal = refusals[-1]
    return Match(Standing.UNAUTHORISED, refusal or "", one, score)


def _by_code(words: Sequence[str], endorsers: Iterable[Endorser]) -> list[Endorser]:
    """Endorsers whose code stands in the print: exactly; or, where no code does, with O for 0 or I for 1."""
    coded: dict[str, list[Endorser]] = {}
    for one in endorsers:
        code = _compact(one.employee_code or "")
        if len(code) >= SHORTEST_CODE and any(map(str.isdigit, code)):
            coded.setdefault(code, []).append(one)
    pieces = max((len(_words(one.employee_code or "")) for each in coded.values() for one in each), default=1)
    joined = {
        end
        for count in range(1, pieces + 1)
        for at in range(len(words) - count + 1)
        for end in _ends("".join(words[at : at + count]))
    }
    exact = [one for code, each in coded.items() if code in joined for one in each]
    if exact:
        return exact
    loose = {word.translate(_CONFUSED) for word in joined}
    return [one for code, each in coded.items() if code.translate(_CONFUSED) in loose for one in each]


def _likeness(endorser: Endorser, words: Sequence[str], places: Sequence[str]) -> float:
    """How much of the endorser's name, or of a stamp text without it, stands in the print, in percent."""
    wanted = endorser.name
    if endorser.stamp_text and _compact(endorser.name) not in _compact(endorser.stamp_text):
        wanted = endorser.stamp_text
    text = _compact(wanted)
    if len(text) < SHORTEST_TOLERANT:
        return 100.0 if text and set(_words(wanted)) <= set(words) else 0.0
    # `partial_ratio` looks for the shorter in the longer: print shorter than the name proves nothing.
    return max((fuzz.partial_ratio(text, place) for place in places if len(place) >= 0.85 * len(text)), default=0.0)


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Z0-9]+", text.upper())


def _compact(text: str) -> str:
    return "".join(_words(text))


def _ends(word: str) -> list[str]:
    """The word, and what follows a label that OCR ran into it: `EMPNOE1234` may be the code E1234."""
    return [word[at:] for at in range(len(word)) if at == 0 or _LABEL.fullmatch(word[:at])]


def _shape(code: str) -> str:
    """Letters as A, digits as 9: codes of one employer look alike."""
    return re.sub(r"\d", "9", re.sub(r"[A-Z]", "A", code))
