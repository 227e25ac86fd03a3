"""What the model read and what single boxes say are weighed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models import boxes
from models.answers import SURE
from models.boxes import weighed
from models.calibration import Calibration, Curve
from models.cells import CLASSES, CellReader, Chances
from models.crosscheck import CheckedReader, CrossCheck, checked
from models.ocr import LineReader
from models.turns import USUAL, Urgency
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind, Row

PAPER = np.full((48, 384), 240, np.uint8)
ROW = Row(10, 0.025, 0.975)
PAN = Question(QuestionKind.IDENTIFIER, PAPER, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 10, row=ROW)
READ = Answer(AnswerState.PRESENT, "ABCPD1234E", 0.7, 0.99, alternatives=(("ABCPO1234E", 0.2), ("ABCPD12345E", 0.05)))


def seen(*letters: str | dict[str, float], sure: float = 0.97) -> Chances:
    """What the boxes say: a letter that is `sure`, or the chance of each."""
    rows = []
    for one in letters:
        said = {one: sure} if isinstance(one, str) else one
        rest = (1 - sum(said.values())) / (len(CLASSES) - len(said))
        rows.append([said.get(name, rest) for name in CLASSES])
    return np.log(np.array(rows, np.float32))


def after(chances: Chances, answer: Answer = READ, question: Question = PAN) -> Answer:
    found = weighed(question, answer, chances)
    assert found is not None
    return found


def test_boxes_that_say_the_same_make_it_surer() -> None:
    found = after(seen(*"ABCPD1234E"))
    assert found.value == "ABCPD1234E" and found.confidence > 0.95
    assert replace(found, confidence=0.7, alternatives=READ.alternatives) == READ, "nothing else changes"


def test_what_the_model_held_possible_wins_where_the_boxes_see_it() -> None:
    found = after(seen(*"ABCPO1234E"))
    assert found.value == "ABCPO1234E" and found.confidence > 0.6
    assert found.alternatives[0][0] == "ABCPD1234E"
    assert found.confidence + sum(chance for _, chance in found.alternatives) <= 1 + 1e-6


def test_what_only_the_boxes_see_needs_more_than_a_doubt() -> None:
    doubtful = replace(READ, confidence=0.4, alternatives=())
    assert after(seen(*"ABHPD1234E", sure=0.995), doubtful).value == "ABHPD1234E"
    sure = replace(READ, confidence=0.99, alternatives=())
    told = after(seen(*"ABHPD1234E", sure=0.9), sure)
    assert told.value == "ABCPD1234E" and told.confidence < after(seen(*"ABCPD1234E", sure=0.9), sure).confidence
    assert "ABHPD1234E" in dict(told.alternatives)


def test_letters_that_boxes_cant_tell_are_the_models() -> None:
    alike = seen(*"ABCP", {"O": 0.52, "0": 0.47}, *"1234E")
    assert after(alike, replace(READ, value="ABCP01234E", confidence=0.8, alternatives=())).value == "ABCP01234E"


def test_a_bare_box_between_letters_is_no_string() -> None:
    chances = seen(*"ABCP", "", *"1234E", sure=0.999)
    found = after(chances, replace(READ, confidence=0.3, alternatives=()))
    assert all(len(value) == 10 for value in (found.value or "", *dict(found.alternatives)))


def test_boxes_behind_the_last_letter_are_bare() -> None:
    short = replace(READ, value="ABCPD1234", alternatives=(("ABCPD1234E", 0.2),))
    assert after(seen(*"ABCPD1234", "", sure=0.99), short).value == "ABCPD1234"
    assert after(seen(*"ABCPD1234E", sure=0.99), short).value == "ABCPD1234E"


def test_an_alphabet_limits_what_boxes_may_say() -> None:
    date = Question(QuestionKind.DATE, PAPER, "0123456789", 8, row=Row(8, 0, 1))
    answer = Answer(AnswerState.PRESENT, "01022016", 0.4, 0.99)
    chances = seen(*"010220", {"I": 0.9, "7": 0.09}, "6", sure=0.99)
    values = {value for value, _ in after(chances, answer, date).alternatives} | {after(chances, answer, date).value}
    assert values == {"01022016", "01022076"}


@pytest.mark.parametrize(
    ("answer", "chances"),
    [
        (READ, seen(*"XYZWQ1234E")),  # another row than the model saw
        (READ, seen(*"ABCPD")),  # fewer boxes than letters
        (replace(READ, value="AB.PD1234E"), seen(*"ABCPD1234E")),
        (replace(READ, value=None, state=AnswerState.ILLEGIBLE), seen(*"ABCPD1234E")),
    ],
)
def test_what_can_t_be_compared_is_left_alone(answer: Answer, chances: Chances) -> None:
    assert weighed(PAN, answer, chances) is None


class Boxes(CellReader):
    """A reader of boxes that always sees the same."""

    def __init__(self, chances: Chances) -> None:
        self._chances, self.asked = chances, 0

    def chances(self, image: Pixels, row: Row) -> Chances:
        self.asked += 1
        return self._chances


class Says(LineReader):
    def __init__(self) -> None:
        self.asked = 0

    def text(self, image: Pixels, urgency: Urgency = USUAL) -> str:
        self.asked += 1
        return "ABCPD1234E"


class Answers:
    version = "known-1"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        return [READ for _ in questions]


def read(chances: Chances, curves: Calibration, question: Question = PAN) -> tuple[Answer, int, int]:
    """The answer, and how often boxes and the recogniser of print were asked."""
    cells, says = Boxes(chances), Says()
    (found,) = CheckedReader(Answers(), curves, CrossCheck(says), cells).read([question])
    return found, cells.asked, says.asked


BOTH = Calibration({"identifier.boxes": Curve(), "identifier.agreed": Curve(1, 2), "identifier.other": Curve(1, -2)})


def test_a_string_that_its_boxes_make_sure_is_not_read_as_print() -> None:
    assert read(seen(*"ABCPD1234E", sure=0.995), BOTH)[1:] == (1, 0)


def test_what_is_in_doubt_after_its_boxes_is_read_as_print_too() -> None:
    plain = after(seen(*"ABCPO1234E"))
    found, asked, printed = read(seen(*"ABCPO1234E"), BOTH)
    assert (asked, printed) == (1, 1) and found.value == "ABCPO1234E"
    assert found.confidence == pytest.approx(Curve(1, -2)(plain.confidence)), "it says ABCPD1234E, which differs"
    halved = Calibration({"identifier.boxes": Curve(0.5, 0)})
    assert read(seen(*"ABCPO1234E"), halved)[0].confidence == pytest.approx(Curve(0.5, 0)(plain.confidence))


def test_where_the_row_can_t_be_the_right_one_the_models_word_stands() -> None:
    found, asked, printed = read(seen(*"XYZWQ9876X"), BOTH)
    assert (asked, printed) == (1, 1) and found.value == READ.value and found.confidence > READ.confidence


def test_what_is_sure_is_not_read_again() -> None:
    cells = Boxes(seen(*"ABCPO1234E"))
    assert boxes.read_again(cells, PAN, replace(READ, confidence=SURE)) is None
    assert boxes.read_again(cells, PAN, READ) is not None and cells.asked == 1


@pytest.mark.parametrize(
    ("curves", "question"),
    [
        (Calibration({"identifier.agreed": Curve(1, 2)}), PAN),  # what boxes are worth is not known
        (BOTH, replace(PAN, row=None)),
    ],
)
def test_boxes_are_not_asked_without_a_row_or_a_curve(curves: Calibration, question: Question) -> None:
    _found, asked, printed = read(seen(*"ABCPO1234E"), curves, question)
    assert (asked, printed) == (0, 1)


def test_a_curve_for_boxes_is_enough_to_check() -> None:
    assert isinstance(checked(Answers(), Calibration({boxes.curve(QuestionKind.DATE): Curve()})), CheckedReader)
