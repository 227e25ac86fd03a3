"""Reading regions: what is cut out for the model, and where a field is looked for. The reader is scripted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.doctypes.schema import FieldKind
from pipeline.evidence import between_margins
from pipeline.geometry import Box
from pipeline.locate import Atlas
from pipeline.marks import Mark, Scales
from pipeline.pages import Limits, render
from pipeline.patches import HANDWRITING, PATCH, SIGNATURE, Chances
from pipeline.pictures import lean
from pipeline.printed import dates_in
from pipeline.reading import Answer, AnswerState, Pixels, Question, QuestionKind
from pipeline.region import RegionReading, Regions
from tests.unit.pipeline.paper import filled, make_type, scan

#: A page of A4 at 150 dpi.
WIDTH, HEIGHT = 1240, 1754
EMPTY = Answer(AnswerState.EMPTY, None, 0.97, 0.02, "nothing")
NO_PRINT = Answer(AnswerState.ILLEGIBLE, None, 0.5, 0.5)

Script = Callable[[Question], Answer]


class Scripted:
    """A reader that answers as told, and keeps what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Question] = []

    @property
    def version(self) -> str:
        return "scripted"

    def read(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += questions
        return [self.script(one) for one in questions]


def says(value: str, confidence: float = 0.95) -> Script:
    answer = Answer(AnswerState.PRESENT, value, confidence, 0.99)
    return lambda question: NO_PRINT if question.kind is QuestionKind.PRINT else answer


def by_ink(kind: QuestionKind, label: str, share: float = 0.01) -> Script:
    """Sees a mark where there is ink enough in the picture."""

    def script(question: Question) -> Answer:
        if (question.image < 128).mean() < share or question.kind not in (kind, QuestionKind.MARK):
            return EMPTY
        return Answer(AnswerState.PRESENT, None, 0.95, 0.98, label)

    return script


def paper() -> Pixels:
    return np.full((HEIGHT, WIDTH), 245, np.uint8)


def comb(page: Pixels, x: int, y: int, cells: int, side: int = 40, text: str = "", gap: int = 0) -> Box:
    """A comb with digits in it; `gap` pixels after the second and fourth cell."""
    left = x
    for cell in range(cells):
        cv2.rectangle(page, (left, y), (left + side, y + side + 6), 60, 2)
        if cell < len(text):
            cv2.putText(page, text[cell], (left + 9, y + 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 3, cv2.LINE_AA)
        left += side + (gap if cell in (1, 3) else 0)
    return fractions(x, y, left, y + side + 6)


def fractions(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0 / WIDTH, y0 / HEIGHT, x1 / WIDTH, y1 / HEIGHT)


def saved(folder: Path, page: Pixels) -> Path:
    path = folder / "page.png"
    cv2.imwrite(str(path), page)
    return path


def scribble(page: Pixels, x: int, y: int, wide: int = 260, high: int = 70) -> Box:
    rng = np.random.default_rng(4)
    points = np.column_stack([np.linspace(x, x + wide, 40), y + high / 2 + rng.uniform(-0.5, 0.5, 40) * high])
    cv2.polylines(page, [points.astype(np.int32)], False, 30, 4, cv2.LINE_AA)
    return fractions(x, y, x + wide, y + high)


def regions(reader: Scripted, words: Sequence[tuple[str, Box]] = ()) -> Regions:
    return Regions(reader, Atlas([]), Limits(), lambda: lambda _image: words)


def read(
    folder: Path, page: Pixels, kind: FieldKind, box: Box | None, script: Script, words: Sequence[tuple[str, Box]] = ()
) -> tuple[RegionReading, list[Question]]:
    reader = Scripted(script)
    return regions(reader, words).read(saved(folder, page), kind, box), reader.asked


@pytest.mark.parametrize("widened", [(0.0, 0.0), (0.25, 0.6), (-0.03, -0.1)], ids=["exact", "wide", "tight"])
def test_a_comb_decides_alphabet_and_cut(tmp_path: Path, widened: tuple[float, float]) -> None:
    page = paper()
    box = comb(page, 300, 400, 8, text="15032016")
    cv2.putText(page, "Date", (180, 440), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2)
    found, asked = read(tmp_path, page, FieldKind.DATE, box.widened(*widened), says("15032016"))
    assert (found.value, found.normalised, found.present) == ("15032016", "2016-03-15", True)
    (question,) = asked
    assert question.alphabet == "0123456789" and question.max_length == 8
    height, width = question.image.shape
    assert width / height == pytest.approx(8 * 40 * 1.05 / (46 * 1.3), rel=0.08), "tight around the comb"
    assert question.alternate is not None and question.alternate.shape[0] < height
    assert question.row == between_margins(8)
    inked = [part.min() < 40 for part in np.array_split(question.image[12:-12, round(0.024 * width) :], 8, axis=1)]
    assert all(inked), "a digit stands in each box of the row"


@pytest.mark.parametrize("widened", [(0.0, 0.0), (0.06, 0.25)], ids=["exact", "loose"])
@pytest.mark.parametrize("upper", [True, False])
def test_of_rows_one_below_the_other_the_one_that_is_meant_is_read(
    tmp_path: Path, widened: tuple[float, float], *, upper: bool
) -> None:
    page = paper()
    first, second = (comb(page, 300, y, 8, text=text) for y, text in ((400, "C9170051"), (446, "12531103")))
    box = first if upper else second
    _, asked = read(tmp_path, page, FieldKind.IDENTIFIER, box.widened(*widened), says("C9170051"))
    (question,) = asked
    assert question.row is not None and question.row.cells == question.max_length == 8
    height, width = question.image.shape
    assert width / height == pytest.approx(8 * 40 * 1.05 / (46 * 1.3), rel=0.12), "one row and its margins"


def test_a_comb_in_groups_is_a_comb(tmp_path: Path) -> None:
    page = paper()
    box = comb(page, 300, 400, 8, text="15032016", gap=25)
    _, asked = read(tmp_path, page, FieldKind.DATE, box, says("15032016"))
    assert asked[0].alphabet == "0123456789" and asked[0].max_length == 8
    row, width = asked[0].row, asked[0].image.shape[1]
    assert row is not None and row.step * width == pytest.approx(40, abs=2)
    gaps = [row.middle(place + 1) - row.middle(place) for place in range(7)]
    assert [round(gap * width / 5) * 5 for gap in gaps] == [40, 50, 40, 50, 40, 40, 40], (
        "side by side, but for a little"
    )


def test_boxes_for_separators_are_left_out_of_a_date(tmp_path: Path) -> None:
    page = paper()
    box = comb(page, 300, 400, 10, text="15/03/2016")
    _, asked = read(tmp_path, page, FieldKind.DATE, box, says("15032016"))
    row, width = asked[0].row, asked[0].image.shape[1]
    assert asked[0].max_length == 8 and row is not None
    boxes = [(row.middle(place) - row.middle(0)) * width / 40 for place in range(8)]
    assert [round(one) for one in boxes] == list(range(8)), "what stood in them is not seen"


def test_a_date_among_more_boxes_is_in_no_row(tmp_path: Path) -> None:
    page = paper()
    box = comb(page, 300, 400, 12, text="x15032016")
    _, asked = read(tmp_path, page, FieldKind.DATE, box, says("15032016"))
    assert asked[0].max_length == 8 and asked[0].row is None


@pytest.mark.parametrize("unseen", [(0,), (7,), (0, 7)], ids=["first", "last", "both"])
def test_boxes_that_are_written_in_but_not_seen_belong_to_a_comb(tmp_path: Path, unseen: tuple[int, ...]) -> None:
    page = paper()
    box = comb(page, 300, 400, 8)
    for place in unseen:
        page[395:455, 300 + 40 * place + (3 if place > 3 else -3) : 340 + 40 * place + (3 if place > 3 else -3)] = 245
    for place, digit in enumerate("15032016"):
        cv2.putText(page, digit, (309 + 40 * place, 436), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 3, cv2.LINE_AA)
    _, asked = read(tmp_path, page, FieldKind.DATE, box.widened(0.02, 0.1), says("15032016"))
    assert asked[0].max_length == 8 and asked[0].alphabet == "0123456789"
    width = asked[0].image.shape[1]
    assert width / 1.05 == pytest.approx(8 * 40, abs=12), "no digit is cut off"


@pytest.mark.parametrize("text", ["11/11/2011", "1 1 1 1 1 1 1 1"])
def test_upright_strokes_on_a_line_are_no_comb(tmp_path: Path, text: str) -> None:
    page = paper()
    cv2.line(page, (300, 450), (700, 450), 60, 2)
    cv2.putText(page, text, (310, 444), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 20, 3, cv2.LINE_AA)
    found, asked = read(tmp_path, page, FieldKind.DATE, fractions(300, 400, 700, 455), says("11/11/2011"))
    assert "/" in (asked[0].alphabet or "")
    assert (found.value, found.normalised) == ("11/11/2011", "2011-11-11")


def test_a_wide_box_is_trimmed_to_its_ink(tmp_path: Path) -> None:
    page = paper()
    cv2.putText(page, "15/03/2016", (500, 444), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 3, cv2.LINE_AA)
    _, asked = read(tmp_path, page, FieldKind.DATE, fractions(300, 300, 1100, 600), says("15/03/2016"))
    dark = np.flatnonzero((asked[0].image < 128).any(axis=1))
    assert np.ptp(dark) > 0.5 * len(asked[0].image), "the ink fills the picture"
    assert asked[0].alternate is not None and asked[0].alternate.shape[0] > 250, "and the box as given is the other"


def test_a_skewed_page_is_turned(tmp_path: Path) -> None:
    page = paper()
    for row in range(30):
        cv2.line(page, (150, 600 + 30 * row), (1100, 600 + 30 * row), 80, 2)
    comb(page, 300, 400, 8, text="15032016")
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -3.0, 1.0)
    skewed = np.asarray(cv2.warpAffine(page, turn, (WIDTH, HEIGHT), borderValue=245), np.uint8)
    corners = np.array([[300, 400, 1], [620, 446, 1]]) @ turn.T
    _, asked = read(tmp_path, skewed, FieldKind.DATE, fractions(*corners.ravel()).widened(0, 0.1), says("15032016"))
    assert asked[0].max_length == 8 and asked[0].alphabet == "0123456789"
    rows = np.sort((asked[0].image < 128).mean(axis=1))
    assert rows[-3] > 0.5, "the comb's sides lie level in the cut"


@pytest.mark.parametrize("degrees", [0.0, -3.0, 1.25])
def test_how_text_without_rules_leans_is_told(tmp_path: Path, degrees: float) -> None:
    page = paper()
    for row in range(16):
        text = "the parties hereby state that all of it is theirs"
        cv2.putText(page, text, (150, 300 + 70 * row), cv2.FONT_HERSHEY_COMPLEX, 1.0, 40, 2, cv2.LINE_AA)
    # A signature has strokes in all directions, and says nothing about lines.
    scribble(page, 600, 1480, 400, 160)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -degrees, 1.0)
    saved(tmp_path, np.asarray(cv2.warpAffine(page, turn, (WIDTH, HEIGHT), borderValue=245), np.uint8))
    (leaning,) = (lean(one) for one in render(tmp_path / "page.png", Limits()))
    assert leaning == pytest.approx(degrees, abs=0.26)


def test_a_comb_in_a_box_with_much_room_is_found_by_its_writing(tmp_path: Path) -> None:
    page = paper()
    for place in range(8):
        left = 300 + 40 * place
        cv2.rectangle(page, (left, 400), (left + 40, 446), 222, 1)
        cv2.putText(page, "15032016"[place], (left + 9, 436), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 3, cv2.LINE_AA)
    _, asked = read(tmp_path, page, FieldKind.DATE, fractions(280, 396, 900, 452), says("15032016"))
    assert asked[0].alphabet == "0123456789" and asked[0].row == between_margins(8)


@pytest.mark.parametrize("read_as", ["", "1503 2016", "Date15032016"], ids=["nothing", "figures", "one word"])
def test_what_ocr_makes_of_handwriting_hides_no_date(tmp_path: Path, read_as: str) -> None:
    page = paper()
    cv2.putText(page, "Date", (150, 436), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2, cv2.LINE_AA)
    comb(page, 260, 400, 8, text="15032016")
    words = [("the parties hereby state", fractions(150, 200, 620, 234))]
    match read_as:
        case "Date15032016":
            words.append((read_as, fractions(148, 400, 575, 446)))
        case _:
            words.append(("Date", fractions(148, 408, 228, 440)))
            words += [(read_as, fractions(262, 402, 570, 446))] * bool(read_as)
    found, asked = read(tmp_path, page, FieldKind.DATE, None, says("15032016"), words)
    assert (found.value, found.present) == ("15032016", True)
    assert asked[0].alphabet == "0123456789" and asked[0].row is not None, "all of the comb is in the cut, and no label"


@pytest.mark.parametrize("read_as", ["A8CDE1234F", "ABCDEI234F", ""])
def test_an_identifier_by_hand_is_found_beside_its_label(tmp_path: Path, read_as: str) -> None:
    page = paper()
    cv2.putText(page, "PAN", (150, 436), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2, cv2.LINE_AA)
    comb(page, 260, 400, 10, text="ABCDE1234F")
    words = [("PAN", fractions(148, 408, 228, 440)), *[(read_as, fractions(262, 402, 655, 446))] * bool(read_as)]
    found, asked = read(tmp_path, page, FieldKind.IDENTIFIER, None, says("ABCDE1234F"), words)
    assert (found.value, found.present) == ("ABCDE1234F", True)
    assert asked[0].max_length == 10 and asked[0].row == between_margins(10)


def test_a_date_beside_its_label_is_told_however_unsure(tmp_path: Path) -> None:
    page = paper()
    cv2.putText(page, "Date", (150, 436), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2, cv2.LINE_AA)
    comb(page, 260, 400, 8, text="15032016")
    words = [("Date", fractions(148, 408, 228, 440))]
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("15032016", 0.3), words)
    assert (found.present, found.value) == (True, "15032016") and found.confidence < 0.5


@pytest.mark.parametrize(
    "word",
    [
        # Letters narrower than most of the page's, with figures behind them, at its right edge.
        ("Driving Licence Expiry Date 0809", fractions(1050, 408, 1150, 440)),
        # At the top of the page, where nothing is above.
        ("Date", fractions(148, 0, 228, 30)),
    ],
)
def test_a_label_at_the_edge_of_a_page_is_no_trouble(tmp_path: Path, word: tuple[str, Box]) -> None:
    page = paper()
    wide = [("Central", fractions(150, 100 * row, 550, 100 * row + 40)) for row in (2, 6, 7)]
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("15032016", 0.3), [word, *wide])
    assert found.value is None or found.confidence < 0.5


def test_eight_boxes_on_a_page_are_its_date_without_a_label(tmp_path: Path) -> None:
    page = paper()
    row = comb(page, 760, 200, 8, text="15032016")
    comb(page, 150, 600, 5, text="00028")
    words = [("payable at par at all branches", fractions(150, 300, 620, 334))]
    found, asked = read(tmp_path, page, FieldKind.DATE, None, says("15032016"), words)
    assert (found.value, found.normalised) == ("15032016", "2016-03-15") and found.box is not None
    assert found.box.overlap(row) > 0.8
    assert all(one.row is not None for one in asked if one.kind is QuestionKind.DATE), "five boxes are no date"
    # Eight boxes that say no date are something else.
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("95732016"), words)
    assert not found.present


@pytest.mark.parametrize("label", ["valid for three months from the date of issue", "D D M M Y Y Y Y", "DDMMYYYY"])
def test_what_stands_over_or_under_boxes_labels_them(tmp_path: Path, label: str) -> None:
    page = paper()
    row = comb(page, 760, 200, 8, text="15032016")
    at = fractions(700, 174, 1090, 190) if "date" in label else fractions(762, 254, 1070, 270)
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("15032016", 0.3), [(label, at)])
    assert found.present and found.box is not None and found.box.overlap(row) > 0.8
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("15032016", 0.3), [("pay", at)])
    assert not found.present, "so unsure nobody takes unlabelled boxes for a date"


def test_what_reads_as_a_date_goes_before_what_a_label_says(tmp_path: Path) -> None:
    page = paper()
    row = comb(page, 760, 200, 8, text="15032016")
    cv2.putText(page, "00028", (420, 1004), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 3, cv2.LINE_AA)
    words = [("Dt :", fractions(300, 975, 400, 1005))]

    def script(question: Question) -> Answer:
        return says("15032016", 0.9)(question) if question.row is not None else says("00028", 0.99)(question)

    found, _ = read(tmp_path, page, FieldKind.DATE, None, script, words)
    assert found.value == "15032016" and found.box is not None and found.box.overlap(row) > 0.8


def test_an_impossible_date_by_hand_goes_before_a_less_sure_one_in_print(tmp_path: Path) -> None:
    page = paper()
    row = comb(page, 260, 400, 8, text="31022016")
    words = [("Date", fractions(148, 408, 228, 440)), ("edition of 01/04/2015", fractions(150, 1600, 420, 1625))]
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("31022016", 0.999), words)
    assert (found.value, found.normalised) == ("31022016", None), "and as it is written"
    assert found.box is not None and found.box.overlap(row) > 0.8


def test_words_behind_a_label_are_no_date(tmp_path: Path) -> None:
    page = paper()
    words = [("Date of the meeting", fractions(148, 408, 528, 440)), ("Date", fractions(148, 808, 228, 840))]
    words.append(("Place", fractions(240, 808, 320, 840)))
    _, asked = read(tmp_path, page, FieldKind.DATE, None, lambda _question: EMPTY, words)
    assert len(asked) == 2, "only the space above each is looked at"


def test_an_empty_or_illegible_field_has_no_value(tmp_path: Path) -> None:
    page = paper()
    box = comb(page, 300, 400, 8)
    found, _ = read(tmp_path, page, FieldKind.DATE, box, lambda _question: EMPTY)
    assert (found.present, found.value, found.normalised, found.confidence) == (False, None, None, 0.97)
    smeared = Answer(AnswerState.ILLEGIBLE, None, 0.9, 0.99)
    found, _ = read(tmp_path, page, FieldKind.DATE, box, lambda _question: smeared)
    assert (found.present, found.value, found.normalised) == (True, None, None)


def test_an_impossible_date_is_read_as_it_stands(tmp_path: Path) -> None:
    page = paper()
    found, _ = read(tmp_path, page, FieldKind.DATE, comb(page, 300, 400, 8, text="31022016"), says("31022016"))
    assert (found.present, found.value, found.normalised) == (True, "31022016", None)


@pytest.mark.parametrize("number", ["234567890124", "134567890124", "2345 6789 0124"])
def test_no_aadhaar_number_leaves_whole(tmp_path: Path, number: str) -> None:
    page = paper()
    box = comb(page, 300, 400, 12, text="234567890124")
    for kind in (FieldKind.IDENTIFIER, FieldKind.TEXT, FieldKind.AMOUNT):
        answer = Answer(AnswerState.PRESENT, number, 0.97, 0.99, "filled")
        if kind is not FieldKind.IDENTIFIER and number.startswith("1"):
            continue
        found, _ = read(tmp_path, page, kind, box, lambda _question, answer=answer: answer)  # type: ignore[misc]
        assert found.present and found.value is not None
        for text in (found.value, found.normalised or ""):
            assert "7890" not in text.replace(" ", "") and text.replace(" ", "").count("X") in (0, 8)
        assert found.value.endswith("0124")


def test_presence_is_told_by_its_own_probability(tmp_path: Path) -> None:
    page = paper()
    box = scribble(page, 300, 800)
    initials = Answer(AnswerState.PRESENT, None, 0.6, 0.99, "initials")
    found, _ = read(tmp_path, page, FieldKind.SIGNATURE, box, lambda _question: initials)
    assert found.present and found.confidence == 0.99 and found.value is None
    struck = Answer(AnswerState.STRUCK, None, 0.8, 0.99, "struck")
    assert not read(tmp_path, page, FieldKind.SIGNATURE, box, lambda _question: struck)[0].present
    written = Answer(AnswerState.PRESENT, None, 0.8, 0.99, "handwriting")
    script: Script = lambda question: NO_PRINT if question.kind is QuestionKind.PRINT else written  # noqa: E731
    assert not read(tmp_path, page, FieldKind.ENDORSEMENT, box, script)[0].present, "no stamp, no endorsement"


def test_ocr_reads_a_printed_date_of_which_the_model_is_unsure(tmp_path: Path) -> None:
    page = paper()

    def script(question: Question) -> Answer:
        if question.kind is QuestionKind.PRINT:
            return Answer(AnswerState.PRESENT, "Date: 15 Mar 2016 12:40", 0.98, 1.0)
        return Answer(AnswerState.PRESENT, "15 Nov 2076", 0.2, 0.99)

    found, _ = read(tmp_path, page, FieldKind.DATE, fractions(300, 400, 700, 450), script)
    assert (found.value, found.normalised) == ("15 Mar 2016", "2016-03-15")
    assert 0.8 < found.confidence < 0.98


def test_ocr_that_differs_makes_a_date_less_sure(tmp_path: Path) -> None:
    def script(question: Question) -> Answer:
        if question.kind is QuestionKind.PRINT:
            return Answer(AnswerState.PRESENT, "15/08/2016", 0.95, 1.0)
        return Answer(AnswerState.PRESENT, "15/03/2016", 0.7, 0.99)

    found, _ = read(tmp_path, paper(), FieldKind.DATE, fractions(300, 400, 700, 450), script)
    assert found.value == "15/03/2016" and found.confidence < 0.6


# Without a box


def test_on_a_known_form_the_type_says_where(tmp_path: Path) -> None:
    doctype = make_type(tmp_path / "types", 5)
    page = scan(filled(doctype, 3, 1), 3, skew=1.5).page
    asked = Scripted(by_ink(QuestionKind.SIGNATURE, "signature", 0.001))
    found = Regions(asked, Atlas([doctype]), Limits()).read(saved(tmp_path, page.image), FieldKind.SIGNATURE)
    assert found.present and found.box is not None
    wanted = [one for one in doctype.fields if one.kind is FieldKind.SIGNATURE]
    assert len(asked.asked) == len(wanted)


def test_a_printed_date_is_found_on_any_page(tmp_path: Path) -> None:
    words = [
        ("RECEIPT No 12", fractions(100, 100, 400, 130)),
        ("Date: 15/03/2016 10:22", fractions(100, 200, 500, 230)),
    ]
    found, _ = read(tmp_path, paper(), FieldKind.DATE, None, lambda _question: EMPTY, words)
    assert (found.present, found.value, found.normalised) == (True, "15/03/2016", "2016-03-15")
    assert found.box is not None and found.box.x0 > 100 / WIDTH and found.box.x1 < 500 / WIDTH
    assert found.confidence > 0.9


@pytest.mark.parametrize(
    ("line", "written", "day"),
    [
        ("12/03/1816:40", "12/03/18", "2018-03-12"),
        ("Time 10:22 2018-03-23 A4", "2018-03-23", "2018-03-23"),
        ("dated 5th September, 2016.", "5th September, 2016", "2016-09-05"),
        ("paid on 31/02/2016", "31/02/2016", None),
        ("Tel 022-2345-6789", None, None),
        ("Version 1.2.3456 of the form", None, None),
    ],
)
def test_dates_in_print(line: str, written: str | None, day: str | None) -> None:
    found = [(one.written, one.day.isoformat() if one.day else None) for one in dates_in(line)]
    assert found == ([] if written is None else [(written, day)])


def test_a_date_is_looked_for_beside_its_label(tmp_path: Path) -> None:
    page = paper()
    cv2.putText(page, "15/03/2016", (420, 1004), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 3, cv2.LINE_AA)
    words = [
        ("Dated :", fractions(300, 975, 400, 1005)),
        ("a line of prose that is dated", fractions(100, 300, 900, 330)),
    ]

    def script(question: Question) -> Answer:
        return says("15/03/2016")(question) if (question.image < 128).mean() > 0.01 else EMPTY

    found, _ = read(tmp_path, page, FieldKind.DATE, None, script, words)
    assert found.value == "15/03/2016" and found.box is not None
    assert found.box.x0 * WIDTH < 425 and found.box.x1 * WIDTH > 600 and found.box.y0 * HEIGHT < 980
    bare, _ = read(tmp_path, paper(), FieldKind.DATE, None, script, words)
    assert not bare.present and bare.box is not None, "a label without a date says where it is missing"


def test_a_signature_is_found_by_its_ink(tmp_path: Path) -> None:
    page = paper()
    where = scribble(page, 700, 1400)
    words = []
    for row in range(12):
        cv2.putText(page, "the parties hereby state that", (150, 300 + 60 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2)
        words.append(("the parties hereby state that", fractions(148, 272 + 60 * row, 640, 310 + 60 * row)))
    found, asked = read(tmp_path, page, FieldKind.SIGNATURE, None, by_ink(QuestionKind.SIGNATURE, "signature"), words)
    assert found.present and found.box is not None and found.box.overlap(where) > 0.6
    assert len(asked) <= 4, "print is not asked about"


@pytest.mark.parametrize("scale", [1, 4], ids=["small", "fine"])
def test_a_field_that_was_cut_out_is_read_as_a_whole(tmp_path: Path, scale: int) -> None:
    page = paper()
    comb(page, 300, 400, 8, text="15032016")
    cut = cv2.resize(page[385:460, 290:640], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found, asked = read(tmp_path, cut, FieldKind.DATE, None, says("15032016"))
    assert (found.value, found.present, found.box) == ("15032016", True, Box(0, 0, 1, 1))
    assert asked[0].alphabet == "0123456789" and asked[0].row is not None, "its comb is seen"


def test_an_empty_field_that_was_cut_out_is_empty(tmp_path: Path) -> None:
    page = paper()
    comb(page, 300, 400, 8)
    found, _ = read(tmp_path, page[385:460, 290:640], FieldKind.DATE, None, lambda _question: EMPTY)
    assert (found.present, found.value, found.box) == (False, None, Box(0, 0, 1, 1))


def test_a_small_picture_is_a_page_first_and_else_a_field(tmp_path: Path) -> None:
    page = np.full((430, 600), 245, np.uint8)
    scribble(page, 120, 150, 400, 160)
    seen = by_ink(QuestionKind.SIGNATURE, "signature", 0.0)
    found, _ = read(tmp_path, page, FieldKind.SIGNATURE, None, seen)
    assert found.present
    words = [("Date: 15/03/2016", Box(0.2, 0.1, 0.6, 0.16))]
    found, _ = read(tmp_path, page, FieldKind.DATE, None, says("99/99/9999"), words)
    assert found.normalised == "2016-03-15", "what is printed on it counts"


def test_no_page_is_taken_for_a_field(tmp_path: Path) -> None:
    for shape in ((1100, 800), (1000, 463), (600, 900)):
        asked: list[Question] = []
        page = np.full(shape, 245, np.uint8)
        reader = Scripted(lambda question, kept=asked: kept.append(question) or EMPTY)  # type: ignore[misc]
        found = regions(reader).read(saved(tmp_path, page), FieldKind.DATE)
        assert found.box is None and not asked


def test_where_nothing_is_nothing_is_found(tmp_path: Path) -> None:
    for kind in FieldKind:
        found, _ = read(tmp_path, paper(), kind, None, lambda _question: EMPTY)
        assert (found.box, found.present, found.value, found.normalised) == (None, False, None, None)
        assert 0.5 <= found.confidence < 1


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    asked = regions(Scripted(says("x")))
    with pytest.raises(LookupError, match="no page 2"):
        asked.read(saved(tmp_path, paper()), FieldKind.DATE, Box(0, 0, 1, 1), 2)
    with pytest.raises(ValueError, match="off the page"):
        asked.read(saved(tmp_path, paper()), FieldKind.DATE, Box(1.2, 0, 1.4, 1))
    with pytest.raises(FileNotFoundError):
        asked.read(tmp_path / "missing.png", FieldKind.DATE)


class Seeing:
    """A detector that sees marks of one kind in the given boxes."""

    def __init__(self, kind: int, *boxes: Box) -> None:
        self.kind, self.boxes, self.scales = kind, boxes, Scales()

    def patches(self, ink: Pixels) -> Chances:
        rows, columns = -(-ink.shape[0] // PATCH), -(-ink.shape[1] // PATCH)
        chances = np.zeros((rows, columns, 4), np.float32)
        for box in self.boxes:
            x0, y0, x1, y1 = box.pixels(columns, rows)
            chances[y0 : y1 + 1, x0 : x1 + 1, self.kind] = 0.95
        return chances


def seen(
    folder: Path, page: Pixels, kind: FieldKind, seeing: Seeing, script: Script, words: Sequence[tuple[str, Box]] = ()
) -> RegionReading:
    asked = Regions(Scripted(script), Atlas([]), Limits(), lambda: lambda _image: words, lambda: seeing)
    return asked.read(saved(folder, page), kind)


def test_all_signatures_of_a_page_are_told_the_likeliest_first(tmp_path: Path) -> None:
    page = paper()
    one, other = scribble(page, 700, 1400), scribble(page, 200, 1400, 120, 60)
    script = by_ink(QuestionKind.SIGNATURE, "signature")
    found = seen(tmp_path, page, FieldKind.SIGNATURE, Seeing(SIGNATURE, one, other), script)
    assert found.present and found.box is not None and len(found.others) == 1
    told = [found.box, found.others[0].box]
    assert all(max(box.overlap(mark) for box in told) > 0.6 for mark in (one, other))
    assert found.confidence > 0.8


@pytest.mark.parametrize(("dpi", "larger"), [(85.0, 180 / 85), (150.0, 1.0)])
def test_print_near_a_mark_of_a_coarse_page_is_read_enlarged(tmp_path: Path, dpi: float, larger: float) -> None:
    page = cv2.resize(paper(), None, fx=dpi / 150, fy=dpi / 150)
    height, width = page.shape
    cv2.line(page, (width // 3, height // 2), (width // 2, height // 2 + 30), 20, 3)
    shapes = []

    def reads(image: Pixels) -> Sequence[tuple[str, Box]]:
        shapes.append(image.shape)
        return []

    asked = Regions(
        Scripted(by_ink(QuestionKind.SIGNATURE, "signature")),
        Atlas([]),
        Limits(),
        lambda: reads,
        lambda: Seeing(SIGNATURE, Box(0.3, 0.49, 0.52, 0.53)),
    )
    path = tmp_path / "page.png"
    Image.fromarray(page).save(path, dpi=(dpi, dpi))
    asked.read(path, FieldKind.SIGNATURE)
    # A mark and what is near it: 22 mm around, 40 to its left.
    wide = width / 6 + (22 + 40) / 25.4 * dpi
    assert shapes[0][1] == pytest.approx(wide * larger, rel=0.1)


def test_an_unsigned_page_says_where_the_signature_is_missing(tmp_path: Path) -> None:
    words = [("Signature", fractions(300, 1500, 460, 1530))]
    found = seen(tmp_path, paper(), FieldKind.SIGNATURE, Seeing(SIGNATURE), lambda _question: EMPTY, words)
    assert not found.present and found.others == () and found.confidence > 0.8
    assert found.box is not None and found.box.y0 < 1520 / HEIGHT < found.box.y1 + 0.05


def test_a_date_by_hand_is_found_without_a_label(tmp_path: Path) -> None:
    page = paper()
    where = scribble(page, 300, 900, 300, 50)
    seeing = Seeing(HANDWRITING, where)
    found = seen(tmp_path, page, FieldKind.DATE, seeing, says("11/04/2017"))
    assert found.normalised == "2017-04-11" and found.box is not None and found.box.overlap(where) > 0.5
    assert found.confidence < 0.95, "nothing says that it is the page's date"
    nothing = seen(tmp_path, page, FieldKind.DATE, seeing, says("11411"))
    assert not nothing.present


def test_a_page_that_is_signed_once_is_likelier_to_be_signed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weighed(*chances: float) -> RegionReading:
        boxes = [fractions(200 * number, 1400, 200 * number + 150, 1450) for number in range(1, len(chances) + 1)]
        found = [Mark(box, math.log(chance / (1 - chance))) for box, chance in zip(boxes, chances, strict=True)]
        monkeypatch.setattr("pipeline.region.marks.marks", lambda *_: found)
        return seen(tmp_path, paper(), FieldKind.SIGNATURE, Seeing(SIGNATURE), lambda _question: EMPTY)

    assert [round(one.confidence, 2) for one in weighed(0.9, 0.4, 0.2).others] == [0.4]
    assert not weighed(0.4, 0.35).present, "alone it is more likely none"
