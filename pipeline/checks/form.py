"""What checks look at, and how they say what they found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.checks.weighed import Instead
from pipeline.doctypes.schema import Check, DocumentType, FieldKind, FormField
from pipeline.endorsers import Endorser
from pipeline.findings import Finding, Outcome
from pipeline.questions import Reading
from pipeline.reading import AnswerState
from pipeline.sentences import say
from pipeline.verdict import Thresholds

#: Confidence of what follows from the pages themselves: which are there, how they look. No model was asked.
STRUCTURAL = 0.99

#: Confidence where nothing speaks for either outcome.
NO_IDEA = 0.5


@dataclass(frozen=True, slots=True)
class Context:
    """What a form is judged by besides itself: the day it arrived, who may endorse, how sure is sure, and whether pages
    without ink are passed over."""

    on: date
    endorsers: Sequence[Endorser]
    thresholds: Thresholds
    skip_blank: bool = False


@dataclass(frozen=True, slots=True)
class FormSheet:
    """A page of the file (`number`, from 1) as a page of a form (`form_page`, from 1; None where it is no form's)."""

    number: int
    form_page: int | None
    quality_faults: tuple[str, ...] = ()
    location_why: str = ""
    sure: bool = True
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One filled form: its type, its pages in the file and what was read on them."""

    doctype: DocumentType
    pages: tuple[FormSheet, ...]
    readings: tuple[Reading, ...]

    def of(self, name: str) -> list[Reading]:
        """The readings of a field: one, unless its page is there twice or not at all."""
        return [one for one in self.readings if one.field is not None and one.field.name == name]

    def beside(self, name: str, page: int) -> Reading | None:
        """The reading of another field, on the same page of the file if it is there."""
        found = sorted(self.of(name), key=lambda one: abs(one.evidence.page - page))
        return found[0] if found else None

    def needed(self, field: FormField, page: int) -> float:
        """The probability that a field must be filled: whether the field it hangs on is."""
        if field.required:
            return 1.0
        other = self.beside(field.required_if, page) if field.required_if is not None else None
        return 0.0 if other is None or other.state is AnswerState.STRUCK or self._unused(other) else other.present

    def _unused(self, reading: Reading) -> bool:
        """Whether what is illegible in a field is the stroke through an unused line: then no figures stand beside it.

        Unused lines are struck through, as they should be, and a stroke through comb boxes is no string.
        """
        if reading.field is None or reading.field.required or reading.state is not AnswerState.ILLEGIBLE:
            return False
        line = [one for one in self.doctype.fields if one.required_if == reading.field.name]
        figures = [
            one
            for field in line
            if field.kind in (FieldKind.AMOUNT, FieldKind.DATE, FieldKind.IDENTIFIER)
            for one in self.of(field.name)
        ]
        return bool(figures) and all(one.state is not AnswerState.PRESENT for one in figures)

    def unused(self, reading: Reading) -> bool:
        """Whether a field is to be passed over: nothing stands there, or an unused line's stroke does."""
        return reading.state is AnswerState.EMPTY or self._unused(reading)


def declared(form: Form, field: FormField | None, name: str, on: date) -> Iterator[Check]:
    """The checks of that name which the type makes on a field (or, for None, on its pages) and whose rule is in force
    on a day; those without a rule always are."""
    rules = {rule.id: rule for rule in form.doctype.rules}
    for check in (*(field.checks if field is not None else ()), *form.doctype.checks):
        rule = rules.get(check.rule or "")
        in_force = rule is None or (
            (rule.valid_from is None or rule.valid_from <= on) and (rule.valid_to is None or on <= rule.valid_to)
        )
        if check.check == name and in_force:
            yield check


def rule(form: Form, field: FormField | None, name: str, on: date) -> str | None:
    """The id of the rule that a check enforces, None where the type names none that is in force."""
    return next((check.rule for check in declared(form, field, name, on) if check.rule is not None), None)


@dataclass(frozen=True, slots=True)
class Notes:
    """Writes findings about one reading."""

    form: Form
    reading: Reading
    on: date

    @property
    def label(self) -> str:
        return self.reading.field.label if self.reading.field is not None else "mark"

    def say(self, key: str, **values: object) -> str:
        """A sentence about the field (`pipeline.sentences`)."""
        return say(key, label=self.label, **values)

    def instead(self, other: Reading, chance: float) -> Instead:
        """Another reading of the same field in place of this one."""
        return Instead(chance, self.say("field.misread", text=self.reading.value, other=other.value))

    def passed(self, check: str, confidence: float, message: str) -> Finding:
        return self._finding(check, Outcome.PASS, confidence, message)

    def anomaly(self, check: str, confidence: float, message: str) -> Finding:
        return self._finding(check, Outcome.ANOMALY, confidence, message)

    def uncertain(self, check: str, message: str, confidence: float = NO_IDEA) -> Finding:
        return self._finding(check, Outcome.UNCERTAIN, confidence, message)

    def _finding(self, check: str, outcome: Outcome, confidence: float, message: str) -> Finding:
        evidence = self.reading.evidence
        return Finding(
            check=check,
            outcome=outcome,
            confidence=min(1.0, max(0.0, confidence)),
            message=message,
            page=evidence.page,
            field=evidence.field,
            ordinal=evidence.ordinal,
            value=self.reading.value,
            box=evidence.box,
            rule=rule(self.form, self.reading.field, check, self.on),
        )
