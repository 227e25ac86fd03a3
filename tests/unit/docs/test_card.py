"""The card of the model is written between its markers, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import card
from pipeline.missed import Trial, chosen
from tests.unit.pipeline.test_missed import ABOUT


def test_a_part_is_written_between_its_markers() -> None:
    before = "# Card\n<!-- forms -->\nold\n<!-- /forms -->\nkept\n<!-- bound -->\n<!-- /bound -->\n"
    after = card.put(card.put(before, "forms", "| new \\1 |"), "bound", "none")
    assert (
        after == "# Card\n<!-- forms -->\n| new \\1 |\n<!-- /forms -->\nkept\n<!-- bound -->\nnone\n<!-- /bound -->\n"
    )
    assert card.put(after, "bound", "none") == after
    with pytest.raises(ValueError, match="no markers <!-- drawn -->"):
        card.put(before, "drawn", "")


def test_the_card_has_a_place_for_every_part() -> None:
    text = card.CARD.read_text(encoding="utf-8")
    for name in card.PARTS:
        assert card.put(text, name, "x") != text


def test_only_what_is_asked_for_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "README.md"
    path.write_text("<!-- forms -->\n\n<!-- /forms -->\n<!-- drawn -->\n\n<!-- /drawn -->\n")
    monkeypatch.setitem(card.PARTS, "forms", lambda sizes: f"{sizes.forms} forms")
    card.main(["--parts", "forms", "--forms", "7", "--card", str(path)])
    assert path.read_text() == "<!-- forms -->\n7 forms\n<!-- /forms -->\n<!-- drawn -->\n\n<!-- /drawn -->\n"


def test_a_bound_says_what_it_rests_on() -> None:
    seen = frozenset(["date.future"])
    told = card.bound_table(chosen([Trial("", seen, seen, {})] * 300, **ABOUT))
    assert "| date.future | 300 | 0 | 0.5 | at most 1 % |" in told
    assert "made-up documents; 2026-11-25" in told and "of the 299 needed: signature.missing" in told
