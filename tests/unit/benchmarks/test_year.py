"""The simulated year says beforehand what is too small for it, and begins with what was kept."""

from __future__ import annotations

from pathlib import Path

from benchmarks.branch import Truth
from benchmarks.season import Year
from benchmarks.year import LEAST, LEAST_GOLDEN, checked
from models.synthesis.faces import PLAIN


def test_sizes_that_are_too_small_are_told_beforehand() -> None:
    assert checked(["learn", "poisoned", "bad"], LEAST_GOLDEN, LEAST["poisoned"]) is None
    assert checked(["bad"], 0, 0) is None
    told = checked(["poisoned"], LEAST_GOLDEN, LEAST["learn"])
    assert told is not None and "fewer than 100 examples is refused" in told and "set aside" in told
    golden = checked(["learn"], 100, LEAST["learn"])
    assert golden is not None and "--golden" in golden


def test_a_year_begins_with_what_was_kept(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    year = Year(first, PLAIN, 3)
    assert Year.kept(first, PLAIN) is None
    year.truths["a.jpg"] = Truth("a.jpg", named=True, signed=False, stamped=True)
    year.batches = 2
    (year.home / "postgres").mkdir()
    (year.home / "postgres" / "data").write_text("rows")
    year.keep(golden=7)
    found = Year.kept(first, PLAIN)
    assert found is not None and found[1] == {"golden": 7}
    again = found[0].copied(second)
    assert (again.seed, again.batches, again.truths) == (3, 2, year.truths)
    assert (again.home / "postgres" / "data").read_text() == "rows"
    again.truths.clear()
    assert found[0].truths
