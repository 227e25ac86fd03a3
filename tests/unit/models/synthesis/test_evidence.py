"""Evidence: the same seed the same bytes, right answers, right labels, ink that can be seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from models.nanovlm.tokens import CHARACTERS, EOS, ID, VOCABULARY
from models.synthesis import degrade, wording
from models.synthesis.evidence import KINDS, STATES, make
from models.synthesis.faces import plain
from models.synthesis.fields import Field
from pipeline import dates, identifiers
from pipeline.reading import STRINGS, Pixels

TRAIN, TEST = plain("train"), plain("test")


def spelled(labels: Pixels) -> str:
    """What column labels spell: each run of one character once."""
    runs = [one for place, one in enumerate(labels) if place == 0 or labels[place - 1] != one]
    return "".join(CHARACTERS[one - 1] for one in runs if one)


def test_the_same_seed_gives_the_same_bytes() -> None:
    for seed in range(12):
        first, second = make(seed, "train", using=TRAIN), make(seed, "train", using=TRAIN)
        assert first.image.tobytes() == second.image.tobytes() and first.labels.tobytes() == second.labels.tobytes()
        assert (first.kind, first.answer) == (second.kind, second.answer)
    assert make(0, "train", using=TRAIN).image.tobytes() != make(1, "train", using=TRAIN).image.tobytes()


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind, states in STATES.items() for state in states])
def test_every_case_can_be_drawn(kind: str, state: str) -> None:
    one = make(3, "test", kind, state=state, using=TEST)
    assert one.image.shape == (48, 384) and one.image.dtype == np.uint8
    assert one.labels.shape == (48,) and one.kind == kind
    tokens = one.sequence()
    assert tokens[0] == ID[f"<q:{kind}>"] and tokens[-1] == ID[EOS]
    assert "".join(VOCABULARY[token] for token in tokens[1:-1]) == "".join(one.answer)
    if state == "ok":
        assert set("".join(one.answer)) <= set(CHARACTERS) and one.labels.any()
    else:
        assert one.answer == (f"<{state}>",) and not one.labels.any()


@pytest.mark.parametrize("kind", ["identifier", "amount"], ids=["most in boxes", "on lines, from near"])
def test_columns_are_labelled_with_what_stands_there(kind: str) -> None:
    right = 0
    for seed in range(60):
        one = make(seed, "train", kind, "print", "ok", using=TRAIN)
        text = "".join(one.answer)
        # Of letters that touch, two of a kind look like one.
        doubled = any(first == second for first, second in itertools.pairwise(text))
        right += doubled or spelled(one.labels) == text
    assert right >= 55


def test_kinds_come_as_often_as_they_should() -> None:
    drawn = [make(seed, "train", using=TRAIN).kind for seed in range(150)]
    assert abs(drawn.count("date") / 150 - KINDS["date"]) < 0.12
    assert len(set(drawn)) >= 6


def test_ink_stands_out() -> None:
    """Of forty dates of every kind of pen, none is too faint: the picture without ink is lighter where the ink was."""
    for seed in range(40):
        image = make(seed, "train", "date", state="ok", using=TRAIN).image
        assert int(np.percentile(image, 90)) - int(image.min()) >= degrade.LEAST_CONTRAST


def test_strings_on_lines_are_shown_from_near_as_the_pipeline_does() -> None:
    drawn = [make(seed, "train", "date", state="ok", using=TRAIN) for seed in range(60)]
    whole = [make(seed, "train", "date", state="ok", using=TRAIN, near=False) for seed in range(60)]
    assert all((one.whole is None) == (one.used == other.used) for one, other in zip(drawn, whole, strict=True))
    assert all(other.whole is None for other in whole)
    near = [(one, other) for one, other in zip(drawn, whole, strict=True) if one.whole is not None]
    assert len(near) > 15 and not any(one.cells for one, _ in near)
    # What can't be seen from one of the two is drawn again, as something else.
    alike = [(one, other) for one, other in near if one.answer == other.answer]
    assert len(alike) >= len(near) - 2
    for one, other in alike:
        assert one.whole is not None and (one.whole == other.cut).all(), "the cut that is looked at next"
    # What fills less of its field stands larger: its letters have more columns.
    assert sum((one.labels > 0).sum() for one, _ in near) > 1.2 * sum((other.labels > 0).sum() for _, other in near)


def test_invisible_ink_is_drawn_again() -> None:
    field = Field(np.random.default_rng(0), 40, 8, TRAIN)
    field.own[field.y0 + 5 : field.y1 - 5, field.x0 + 20 : field.x0 + 60] = 0.02
    assert degrade.cut(field) is None


def test_unknown_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="no evidence of kind 'stamp'"):
        make(0, "train", "stamp", using=TRAIN)
    with pytest.raises(ValueError, match="a date is never 'signature'"):
        make(0, "train", "date", state="signature", using=TRAIN)


def test_dates_are_mostly_possible_and_sometimes_not() -> None:
    rng = np.random.default_rng(0)
    written = [dates.parse(wording.date(rng, cells), "DDMMYYYY" if cells else None) for cells in (8,) * 200]
    possible = sum(one.day is not None for one in written)
    assert 150 < possible < 195


def test_what_kind_is_drawn_does_not_tell_how_it_is_drawn() -> None:
    stock = plain("train")
    drawn = [make(seed, "train", using=stock) for seed in range(300)]
    said = {
        kind: ["".join(one.answer) for one in drawn if one.kind == kind and not one.answer[0].startswith("<")]
        for kind in STRINGS
    }
    figures = [text.isdigit() for text in said["date"]]
    assert 0.25 < sum(figures) / len(figures) < 0.65, "the others stand on lines"
    assert min(sum(text[:1].isdigit() == is_digit for text in said["identifier"]) for is_digit in (True, False)) > 10
    assert len({len(text) for text in said["identifier"]}) > 5
    rupees = [len(text.partition(".")[0].strip("/-").replace(",", "")) for text in said["amount"]]
    assert min(rupees) < 4 and max(rupees) > 5


def test_the_shape_of_an_identifier_does_not_tell_what_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    right = "ABCPK1234F"
    wrong = [wording.spoiled(rng, right) for _ in range(300)]
    assert {len(text) for text in wrong} == {9, 10, 11}
    swapped = [text for text in wrong if len(text) == 10]
    for kind in (str.isdigit, str.isalpha):
        assert {place for text in swapped for place, one in enumerate(text) if kind(one)} == set(range(10))
    pairs = {(one, other) for text in swapped for one, other in zip(right, text, strict=True) if one != other}
    assert pairs and not any(wording.alike(*pair) for pair in pairs)
    assert wording.shaped(right) and not any(map(wording.shaped, swapped))
    usual = [wording.shaped(wording.identifier(rng)) for _ in range(400)]
    assert 0.65 < sum(usual) / 400 < 0.85
    monkeypatch.setattr(wording, "SPOILED", 0.0)
    assert all(wording.shaped(wording.identifier(rng)) for _ in range(400))


def test_strings_are_within_the_model_s_alphabet() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        for text in (wording.date(rng, 0), wording.identifier(rng), wording.amount(rng)):
            assert set(text) <= set(CHARACTERS)
        assert set(wording.identifier(rng)) <= set(identifiers.LETTERS + identifiers.DIGITS)
    assert set(STRINGS) < set(KINDS)
