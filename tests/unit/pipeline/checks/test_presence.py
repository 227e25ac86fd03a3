"""What must be there is there: signatures, tick boxes and text, required by themselves or by another field."""

from __future__ import annotations

import pytest

from pipeline.findings import Outcome
from pipeline.reading import Answer
from tests.unit.pipeline.filled import EMPTY, STRUCK, chosen, flags, form, judged, only


@pytest.mark.parametrize(
    ("answer", "flagged"),
    [
        (chosen("signature"), None),
        (chosen("initials"), None),
        (EMPTY, "anomaly"),
        (STRUCK, "anomaly"),
        (chosen("signature", present=0.4), "uncertain"),
    ],
)
def test_signature(answer: Answer, flagged: str | None) -> None:
    expected = [("signature.missing", "holder_signature", flagged)] if flagged else []
    assert flags(judged(form(holder_signature=answer))) == expected


def test_confidence_is_that_of_presence() -> None:
    found = only(judged(form(holder_signature=EMPTY)), "signature.missing", "holder_signature")
    assert found.outcome is Outcome.ANOMALY and found.confidence == pytest.approx(0.98)
    found = only(judged(form(holder_signature=chosen("signature", 0.6, 0.9))), "signature.missing", "holder_signature")
    assert (found.outcome, found.confidence) == (Outcome.PASS, 0.9)


@pytest.mark.parametrize(
    ("holder", "signature", "flagged"),
    [
        (EMPTY, EMPTY, []),
        (EMPTY, STRUCK, []),
        (EMPTY, chosen("signature"), []),
        (STRUCK, EMPTY, []),
        (chosen("filled"), chosen("signature"), []),
        (chosen("filled"), EMPTY, [("signature.missing", "second_signature", "anomaly")]),
        (chosen("filled"), STRUCK, [("signature.missing", "second_signature", "anomaly")]),
    ],
)
def test_a_second_holder_who_is_named_signs(
    holder: Answer, signature: Answer, flagged: list[tuple[str, str, str]]
) -> None:
    assert flags(judged(form(second_holder=holder, second_signature=signature))) == flagged


def test_a_doubtful_second_holder_is_a_doubt_about_the_signature() -> None:
    doubtful = Answer(EMPTY.state, None, 0.6, 0.4, "nothing")
    found = judged(form(second_holder=doubtful))
    assert only(found, "signature.missing", "second_signature").confidence == pytest.approx(1 - 0.4 * 0.98)
    assert flags(found) == []
    strict = judged(form(second_holder=doubtful), signature_missing=0.9)
    assert ("signature.missing", "second_signature", "uncertain") in flags(strict)


def test_the_message_names_the_field_that_asks_for_it() -> None:
    found = judged(form(second_holder=chosen("filled")))
    assert only(found, "signature.missing", "second_signature").message == (
        "Second signature is empty, though “Second holder” is filled in."
    )


@pytest.mark.parametrize("name", ["agreed", "words_1", "pan", "quantity_1"])
def test_other_fields_that_are_missing(name: str) -> None:
    wrong = [EMPTY, EMPTY] if name == "words_1" else [EMPTY]
    assert flags(judged(form(**{name: wrong}))) == [("field.missing", name, "anomaly")]
