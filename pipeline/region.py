"""Reading one region of a picture: `docvigil read`.

A box somebody gives is drawn by hand or comes from another program: it may be a little askew, too tight or too wide.
The cut is turned upright as the page's lines are, laid on the comb that is found in it, and trimmed where most of it
is bare, since the model reads best what is cut tight around the field. Without a box the field is looked for: on a
known form by its type, elsewhere at labels and where there is ink that is no print (`pipeline/spots.py`). A small
picture may be a field that was cut out, and is read as a whole then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline import identifiers, marks, printed, spots
from pipeline.cutting import CHOICES, cut_out
from pipeline.doctypes.propose import PrintedWords, Words
from pipeline.doctypes.schema import FieldKind, FormField
from pipeline.evidence import cut
from pipeline.geometry import Box
from pipeline.locate import Atlas, Location
from pipeline.marks import Detector
from pipeline.pages import Limits, Page, render
from pipeline.pictures import is_part, lean, maybe_part
from pipeline.questions import Reading, questions, reading
from pipeline.reading import Answer, AnswerState, Evidence, Pixels, Question, QuestionKind, Reader
from pipeline.sheet import resized
from pipeline.spots import Spot

#: Below this confidence in a date OCR is asked for a second opinion, since the date may be printed.
UNSURE_DATE = 0.9

#: What OCR reads with less confidence than this is no print.
LEAST_PRINT = 0.8

#: How sure one is of an identifier and of an amount that OCR read on the page.
PRINTED_IDENTIFIER, PRINTED_AMOUNT = 0.93, 0.75

#: Digits of a whole date.
FULL_DATE = 8

#: How likely it is that handwriting without a label that reads as a date is the page's date.
UNLABELLED = 0.75

#: Print near a mark on a page with fewer dots an inch than this is read from a picture of so many.
COARSE_DPI, FINE_DPI = 120.0, 180.0

#: From what chance on further marks are told on a page that bears a signature: who signs there seldom signs alone.
FURTHER = 0.3

#: All of a picture.
WHOLE = Box(0.0, 0.0, 1.0, 1.0)

#: How sure one is that a field isn't there where nothing looks like one.
NOTHING = 0.7


@dataclass(frozen=True, slots=True)
class RegionReading:
    """What stands in a region. `box` is where, on the page as it arrived, None where no such field was found; `value`
    is as written, `normalised` the ISO date, the cleaned identifier or the amount as a plain number, both None where
    absent or illegible. `confidence` is the probability that the value, or of what has none the presence, is right.
    `others` are further places on the page where the same kind was found, the surest first. Of an Aadhaar number only
    the last four digits are ever here."""

    box: Box | None
    present: bool
    value: str | None
    normalised: str | None
    confidence: float
    others: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found, and how surely."""

    box: Box
    confidence: float


class Regions:
    """Reads regions of files. `printed` reads the print of a page, `detector` finds signatures on one; both are made
    when first needed."""

    def __init__(
        self,
        reader: Reader,
        atlas: Atlas,
        limits: Limits,
        printed: Callable[[], PrintedWords] | None = None,
        detector: Callable[[], Detector] | None = None,
    ) -> None:
        self._reader, self._atlas, self._limits = reader, atlas, limits
        self._make_printed, self._make_detector = printed, detector
        self._printed: PrintedWords | None = None
        self._detector: Detector | None = None
        self._last: tuple[tuple[Path, int], Page, float] | None = None

    def read(self, path: Path, kind: FieldKind, box: Box | None = None, page: int = 1) -> RegionReading:
        """Reads the field of that kind in `box`, or without a box wherever it stands on the page; a picture that is a
        field itself, cut out of a page, is read as a whole.

        Raises BadFile or OSError where the file can't be read, LookupError where it has no such page, and ValueError
        for a box that is off the page.
        """
        picture, skew = self._page(path, page)
        if box is None and is_part(picture):
            box = WHOLE
        if box is not None:
            return self._in_box(picture, kind, _on_page(box), skew)
        location = self._atlas.locate(picture)
        if location.doctype is not None:
            found = self._on_form(picture, kind, location)
            if found is not None:
                return found
        found = self._anywhere(picture, kind, skew)
        if found.present or not maybe_part(picture):
            return found
        whole = self._in_box(picture, kind, WHOLE, skew)
        return whole if whole.present else found

    def forget(self) -> None:
        """Lets go of the page that was read last: the next one may be another under its name."""
        self._last = None

    def _page(self, path: Path, number: int) -> tuple[Page, float]:
        """A page and how its lines lean (degrees). Lists of regions go through a file page by page."""
        if self._last is not None and self._last[0] == (path, number):
            return self._last[1:]
        for page in render(path, self._limits):
            if page.number == number:
                self._last = ((path, number), page, lean(page))
                return self._last[1:]
        raise LookupError(f"{path} has no page {number}")

    def _in_box(self, page: Page, kind: FieldKind, box: Box, skew: float) -> RegionReading:
        (found,) = self._ask([cut_out(page, kind, box, skew)])
        if kind is FieldKind.DATE and found.confidence < UNSURE_DATE:
            return _told(self._second_opinion(found), box)
        if kind is FieldKind.TEXT and found.filled:
            return self._with_text(found, box)
        return _told(found, box)

    def _on_form(self, page: Page, kind: FieldKind, location: Location) -> RegionReading | None:
        """The first field of that kind with ink, else the first of that kind; None where the form has none there."""
        assert location.doctype is not None  # noqa: S101 the caller has looked
        named = [(one, location.doctype.field(one.field)) for one in cut(page, location)]
        wanted = [(one, field) for one, field in named if field.kind is kind]
        if not wanted:
            return None
        readings = self._ask([one for one, _ in wanted], [field for _, field in wanted])
        return _told(next((one for one in readings if one.filled), readings[0]))

    def _anywhere(self, page: Page, kind: FieldKind, skew: float) -> RegionReading:
        """The field on a page that is no known form."""
        if kind is FieldKind.SIGNATURE and self._make_detector is not None:
            return self._signature(page, skew, self._found_by())
        words = self._words(page)
        machine = list(_printed(words, kind))
        looked = spots.spots(page, kind, words)
        if kind is FieldKind.DATE and self._make_detector is not None:
            looked += [Spot(box, False) for box in marks.written(page, self._found_by())]
        if not looked:
            return max(machine, key=_confidence, default=RegionReading(None, False, None, None, NOTHING))
        readings = self._ask([cut_out(page, kind, one.box, skew) for one in looked])
        weights = self._likeness(page, looked, kind, skew)
        found = [
            replace(told, confidence=told.confidence * weight)
            for one, weight, spot in zip(readings, weights, looked, strict=True)
            if (told := _told(one, spot.box)).present
            and (_speaks(spot, kind) or told.normalised is not None)
            and (told.value is not None or kind in CHOICES)
            and not any(other.box is not None and _holds(spot.box, other.box) for other in machine)
        ]
        # A label says that a field is near; what reads as one is it.
        best = max([*machine, *found], key=lambda one: (_reads_as_one(one), one.confidence), default=None)
        labelled = {spot.box for spot in looked if spot.labelled}
        # Where a label says that it is the field it is there, however unsure its reading.
        if best is not None and (best.confidence >= 0.5 or best.box in labelled):
            return best
        # What is labelled and empty is where the field is missing.
        empty = next((s.box for s, r in zip(looked, readings, strict=True) if s.labelled and not r.filled), None)
        # Handwriting that is no date says nothing about one.
        told_of = [one for one in zip(readings, weights, looked, strict=True) if _speaks(one[2], kind)]
        there = max((r.present * w for r, w, _spot in told_of), default=0.0)
        return RegionReading(empty, False, None, None, max(0.5, min(1 - there, 0.9 if empty else NOTHING)))

    def _found_by(self) -> Detector:
        if self._detector is None:
            assert self._make_detector is not None  # noqa: S101 the caller has looked
            self._detector = self._make_detector()
        return self._detector

    def _words(self, page: Page, part: Box | None = None) -> Words:
        """The print of a page, or of a part of it, in fractions of the page."""
        if self._printed is None and self._make_printed is not None:
            self._printed = self._make_printed()
        if self._printed is None:
            return ()
        if part is None:
            return self._printed(page.image)
        height, width = page.image.shape
        x0, y0, x1, y1 = part.pixels(width, height)
        near = page.image[y0:y1, x0:x1]
        if page.dpi < COARSE_DPI:
            # Letters of eight pixels are misread as often as not.
            more = FINE_DPI / page.dpi
            near = resized(near, round((x1 - x0) * more), round((y1 - y0) * more))

        def whole(box: Box) -> Box:
            across, down = (x1 - x0) / width, (y1 - y0) / height
            left, top = x0 / width, y0 / height
            return Box(left + box.x0 * across, top + box.y0 * down, left + box.x1 * across, top + box.y1 * down)

        return [(text, whole(box)) for text, box in self._printed(near)]

    def _signature(self, page: Page, skew: float, detector: Detector) -> RegionReading:
        """The likeliest signature or initials, and further ones."""

        def picture(box: Box) -> Pixels:
            return cut_out(page, FieldKind.SIGNATURE, box, skew).image

        found = marks.marks(page, detector, self._reader, partial(self._words, page), picture)
        signed = detector.scales.page([one.log_odds for one in found])
        if not found or signed < 0.5:
            # What is labelled and empty is where the signature is missing.
            looked = spots.spots(page, FieldKind.SIGNATURE, self._words(page))
            labelled = (one.box for one in looked if one.labelled)
            return RegionReading(next(labelled, None), False, None, None, 1 - signed)
        others = tuple(Place(one.box, one.confidence) for one in found[1:] if one.confidence >= FURTHER)
        return RegionReading(found[0].box, True, None, None, signed, others)

    def _likeness(self, page: Page, looked: Sequence[Spot], kind: FieldKind, skew: float) -> list[float]:
        """How likely each spot is of that kind at all: what a label says is; of mere ink the model is asked."""
        if kind is FieldKind.DATE:
            return [1.0 if one.labelled else UNLABELLED for one in looked]
        wanted = {FieldKind.SIGNATURE: ("signature",), FieldKind.ENDORSEMENT: ("stamp",)}.get(kind)
        if wanted is None:
            return [1.0] * len(looked)
        asked = [
            Question(QuestionKind.MARK, cut_out(page, kind, one.box, skew).image, interactive=True)
            for one in looked
            if not one.labelled
        ]
        answers = iter(self._reader.read(asked) if asked else ())
        return [1.0 if one.labelled else _chance(next(answers), wanted) for one in looked]

    def _ask(self, cuts: Sequence[Evidence], fields: Sequence[FormField | None] = ()) -> list[Reading]:
        named = list(fields) or [None] * len(cuts)
        asked = [questions(one, field) for one, field in zip(cuts, named, strict=True)]
        answers = iter(self._reader.read([replace(one, interactive=True) for each in asked for one in each]))
        return [
            reading(one, field, [next(answers) for _ in each])
            for one, field, each in zip(cuts, named, asked, strict=True)
        ]

    def _second_opinion(self, found: Reading) -> Reading:
        """A date of which the model is unsure, after OCR has looked: if the two agree it is surer, if not less sure.
        A printed date that only OCR can read counts."""
        (answer,) = self._reader.read([Question(QuestionKind.PRINT, found.evidence.image, interactive=True)])
        if answer.state is not AnswerState.PRESENT or answer.value is None or answer.confidence < LEAST_PRINT:
            return found
        dates = printed.dates_in(answer.value)
        if not dates:
            return found
        written, day = dates[0].written, dates[0].day
        normalised = day.isoformat() if day else None
        if found.value is not None and normalised is not None and found.normalised == normalised:
            return replace(found, confidence=1 - (1 - found.confidence) * (1 - answer.confidence) / 2)
        if found.value is None or answer.confidence > 2 * found.confidence:
            sure = answer.confidence * (1 - found.confidence / 2)
            return replace(
                found, state=AnswerState.PRESENT, value=written, normalised=normalised, confidence=sure, present=1.0
            )
        return replace(found, confidence=found.confidence * 0.7)

    def _with_text(self, found: Reading, box: Box) -> RegionReading:
        """Words where OCR can read them; of others only that they are there."""
        (answer,) = self._reader.read([Question(QuestionKind.PRINT, found.evidence.image, interactive=True)])
        told = _told(found, box)
        if answer.state is not AnswerState.PRESENT or answer.value is None or answer.confidence < LEAST_PRINT:
            return told
        value = identifiers.without_aadhaar(" ".join(answer.value.split()))
        return replace(told, value=value, confidence=told.confidence * answer.confidence)


def _on_page(box: Box) -> Box:
    if box.x0 >= 1 or box.y0 >= 1 or box.x1 <= 0 or box.y1 <= 0:
        raise ValueError(f"the box {box.as_list()} is off the page; boxes are fractions of it, from 0 to 1")
    return box.clipped()


def _told(found: Reading, box: Box | None = None) -> RegionReading:
    """A reading as `docvigil read` tells it."""
    kind = FieldKind(found.evidence.kind.value)
    present = found.filled and not (kind is FieldKind.ENDORSEMENT and found.label not in (None, "stamp"))
    value, normalised = (found.value, found.normalised) if present else (None, None)
    if kind is FieldKind.IDENTIFIER and found.field is None and value is not None:
        value, normalised = _without_aadhaar(value)
    elif value is not None and "XXXX" in value and normalised is not None:
        # What was crossed out of the value must not stand in full beside it.
        normalised = None
    sure = found.confidence
    if kind in CHOICES and found.state in (AnswerState.PRESENT, AnswerState.EMPTY) and found.filled == present:
        sure = found.present if present else 1 - found.present
    return RegionReading(box or found.evidence.box, present, value, normalised, sure)


def _reads_as_one(one: RegionReading) -> bool:
    """Whether a value is of its kind; a date of all its digits is one though no calendar has it."""
    return one.normalised is not None or sum(letter.isdigit() for letter in one.value or "") == FULL_DATE


def _speaks(spot: Spot, kind: FieldKind) -> bool:
    """Whether ink in a spot says that the field is there."""
    return spot.labelled or kind is not FieldKind.DATE


def _holds(box: Box, other: Box) -> bool:
    """Whether the middle of another box lies in this one."""
    return box.x0 < (other.x0 + other.x1) / 2 < box.x1 and box.y0 < (other.y0 + other.y1) / 2 < box.y1


def _without_aadhaar(value: str) -> tuple[str, str]:
    """An identifier of unknown kind and its plain form; twelve digits are taken for an Aadhaar number, also misread."""
    plain = identifiers.cleaned(value)
    if len(plain) == 12 and plain.isdigit():
        return f"XXXXXXXX{plain[-4:]}", f"XXXXXXXX{plain[-4:]}"
    return value, identifiers.numbered(identifiers.without_aadhaar(value))


def _printed(words: Sequence[tuple[str, Box]], kind: FieldKind) -> Iterator[RegionReading]:
    """What of that kind is printed on the page, as OCR read it."""
    if kind is FieldKind.DATE:
        for one in printed.printed_dates(words):
            yield RegionReading(one.box, True, one.written, one.day.isoformat() if one.day else None, one.confidence)
    elif kind is FieldKind.IDENTIFIER:
        for text, box in spots.printed_identifiers(words):
            value, normalised = _without_aadhaar(text)
            yield RegionReading(box, True, value, normalised, PRINTED_IDENTIFIER)
    elif kind is FieldKind.AMOUNT:
        for text, number, box in spots.printed_amounts(words):
            yield RegionReading(box, True, text, None if number is None else str(number), PRINTED_AMOUNT)


def _chance(answer: Answer, wanted: Sequence[str]) -> float:
    """The probability that a mark is one of those, from the one label that was given."""
    return answer.confidence if answer.label in wanted else 1 - answer.confidence


def _confidence(one: RegionReading) -> float:
    return one.confidence
