"""What counts as a stamp that was read."""

from __future__ import annotations

import pytest

from models.training.stamped import Impression, evaluate_stamps, score


def test_letters_and_digits_count_and_case_does_not() -> None:
    one = Impression(("ACME Ltd.", "Emp. Code: EMP1234"), ("Acme ltd", "Emp Code EMP1234"))
    assert one.edits == 0 and one.lines_read == 2
    torn = Impression(("ACME Ltd.", "Emp. Code: EMP1234"), ("ACME Ltd", "Emp. Code: EMP1284"))
    assert torn.edits == 1 and torn.lines_read == 1
    more = Impression(("PAID",), ("PAID", "x"))
    assert more.edits == 1 and more.lines_read == 1


def test_a_score_is_of_stamps_of_lines_and_of_letters() -> None:
    found = score([Impression(("AB", "CD"), ("AB", "CD")), Impression(("AB", "CD"), ("AB", "CE"))])
    assert (found.stamps, found.exact, found.lines) == (2, 0.5, 0.75)
    assert found.character_error == pytest.approx(1 / 8) and found.low < 0.5 < found.high
    with pytest.raises(ValueError, match="no stamp was drawn"):
        score([])


def test_stamps_are_drawn_cut_and_read() -> None:
    found = evaluate_stamps(3, 7_000_400)
    assert found.stamps >= 3 and found.character_error < 0.3
