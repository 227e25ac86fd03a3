"""The bundled checkpoint reads; random weights in its place do not; what it may say is limited by the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.answers import UNSURE
from models.calibration import Calibration, Curve
from models.reader import ModelReader, bundled, digest, load_reader
from models.synthesis.evidence import Drawn, make
from models.synthesis.faces import plain
from models.training.evaluate import answered, question, right
from pipeline.reading import Answer, AnswerState, Question, QuestionKind

#: Letters that every machine has: stroke fonts and the print of Pillow, none of them ever trained on.
TEST = plain("test")

SIGNATURES = [make(seed, "test", "signature", using=TEST) for seed in range(120)]
DATES = [make(seed, "test", "date", None, "ok", using=TEST) for seed in range(120)]
IDENTIFIERS = [make(seed, "test", "identifier", None, "ok", using=TEST) for seed in range(120)]


@pytest.fixture(scope="module")
def model() -> ModelReader:
    return load_reader()


@pytest.fixture(scope="module")
def floor() -> ModelReader:
    return ModelReader.random()


def share_right(drawn: Sequence[Drawn], answers: Sequence[Answer]) -> float:
    return float(np.mean([right(one, answer) for one, answer in zip(drawn, answers, strict=True)]))


def presence(drawn: Sequence[Drawn], answers: Sequence[Answer]) -> float:
    pairs = zip(drawn, answers, strict=True)
    return float(np.mean([(one.answer != ("<empty>",)) == (a.state is not AnswerState.EMPTY) for one, a in pairs]))


def test_the_bundled_model_sees_whether_something_was_signed(model: ModelReader) -> None:
    assert presence(SIGNATURES, answered(model, SIGNATURES)) >= 0.95


def test_rounded_convolutions_change_no_answer_and_no_doubt() -> None:
    """What is unsure is computed once more as it always was; only how sure the others are may move."""
    asked = [replace(question(one), alternate=None) for one in IDENTIFIERS]
    exact, rounded = (
        ModelReader.from_folder(bundled(), bf16=bf16).uncalibrated().read(asked) for bf16 in (False, True)
    )
    assert [(one.state, one.value) for one in rounded] == [(one.state, one.value) for one in exact]
    moved = [abs(one.confidence - other.confidence) for one, other in zip(exact, rounded, strict=True)]
    unsure = [one.confidence < UNSURE - 0.02 for one in exact]
    assert 10 < sum(unsure) < len(unsure) - 10
    assert max(move for move, doubt in zip(moved, unsure, strict=True) if doubt) < 1e-4
    assert 1e-4 < max(moved) < 0.02


def test_the_bundled_model_reads_dates(model: ModelReader) -> None:
    assert share_right(DATES, answered(model, DATES)) >= 0.5


def test_with_random_weights_both_fall_to_chance(floor: ModelReader) -> None:
    empty = float(np.mean([one.answer == ("<empty>",) for one in SIGNATURES]))
    assert presence(SIGNATURES, answered(floor, SIGNATURES)) <= max(empty, 1 - empty) + 0.1
    assert share_right(DATES, answered(floor, DATES)) <= 0.02


def test_confidence_tells_right_from_wrong(model: ModelReader) -> None:
    answers = answered(model, DATES)
    hits = [right(one, answer) for one, answer in zip(DATES, answers, strict=True)]
    sure = np.array([answer.confidence for answer in answers])
    assert all(0 <= one <= 1 for one in sure)
    assert sure[np.array(hits)].mean() > sure[~np.array(hits)].mean() + 0.1


def test_only_the_alphabet_of_the_question_is_said(floor: ModelReader) -> None:
    for drawn in DATES[:20]:
        (answer,) = floor.read([replace(question(drawn), alphabet="12", max_length=3)])
        assert answer.value is None or (set(answer.value) <= set("12") and len(answer.value) <= 3)


def test_a_question_is_answered_alone_as_in_company(model: ModelReader) -> None:
    asked = [question(one) for one in [*DATES[:12], *SIGNATURES[:12]]]
    together = model.read(asked)
    for one, answer in zip(asked, together, strict=True):
        (alone,) = model.read([one])
        assert (alone.state, alone.value, alone.label) == (answer.state, answer.value, answer.label)
        assert alone.confidence == pytest.approx(answer.confidence, abs=1e-3)


def test_in_steps_the_same_is_read_with_others_in_between(model: ModelReader) -> None:
    documents, person = [question(one) for one in DATES[:24]], [question(DATES[30])]
    alone = model.read(person)
    steps, counts = model.steps(documents, lambda: 5), []
    while True:
        try:
            counts.append(next(steps))
        except StopIteration as end:
            answers = end.value
            break
        assert [one.value for one in model.read(person)] == [one.value for one in alone]
    assert max(counts) == 5 and sum(counts) > len(documents), "further looks are parted too"
    for one, other in zip(answers, model.read(documents), strict=True):
        assert one.value == other.value and one.confidence == pytest.approx(other.confidence, abs=0.02)


def test_an_unsure_answer_looks_at_other_cuts(model: ModelReader) -> None:
    drawn = [*DATES, *IDENTIFIERS]
    asked = [question(one) for one in drawn]
    once = [replace(one, alternate=None) for one in asked]
    first, looked = model.uncalibrated().read(once), model.uncalibrated().read(asked)
    unsure = [i for i, one in enumerate(first) if one.confidence < UNSURE]
    assert 0 < len(unsure) < len(drawn)
    for number, (one, other) in enumerate(zip(first, looked, strict=True)):
        changed = (one.value, one.confidence) != (other.value, pytest.approx(other.confidence, abs=1e-3))
        assert not changed or number in unsure, "what was read with certainty is not looked at again"
    assert share_right(drawn, looked) > share_right(drawn, first), "several looks read more"


def test_what_was_misread_is_often_among_the_other_readings(model: ModelReader) -> None:
    drawn = [*DATES, *IDENTIFIERS]
    answers = answered(model, drawn)
    wrong = [(one, answer) for one, answer in zip(drawn, answers, strict=True) if not right(one, answer)]
    named = ["".join(one.answer) in {value for value, _ in answer.alternatives} for one, answer in wrong]
    assert len(wrong) > 10 and np.mean(named) > 0.4


def test_blank_paper_is_empty(model: ModelReader) -> None:
    paper = np.full((60, 400), 245, np.uint8)
    kinds = (QuestionKind.SIGNATURE, QuestionKind.DATE, QuestionKind.ENDORSEMENT, QuestionKind.TEXT)
    for answer in model.read([Question(kind, paper) for kind in kinds]):
        assert answer.state is AnswerState.EMPTY and answer.value is None and answer.present < 0.5


def test_calibration_changes_confidence_and_version(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((bundled() / name).read_bytes())
    before = digest(tmp_path)
    Calibration({"date": Curve(1.0, -3.0)}).save(tmp_path)
    assert digest(tmp_path) != before
    asked = [question(DATES[0])]
    (bent,) = ModelReader.from_folder(tmp_path).read(asked)
    (plain_,) = ModelReader.from_folder(tmp_path).uncalibrated().read(asked)
    assert bent.value == plain_.value and bent.confidence < plain_.confidence


def test_a_folder_without_a_checkpoint_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        load_reader(tmp_path)
