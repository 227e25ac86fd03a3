"""Boxes in groups are put side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.doctypes.schema import FormField
from pipeline.evidence import row_of
from pipeline.gaps import APART, closed
from pipeline.geometry import Box
from pipeline.questions import questions
from pipeline.reading import Evidence, QuestionKind, Row

DATE: dict[str, Any] = {"name": "born", "label": "Born", "kind": "date", "box": [0.1, 0.1, 0.5, 0.2], "cells": 8}


def grouped(gap: float = 1.0, **more: Any) -> Row:
    row = row_of(FormField(**{**DATE, "groups": [2, 2, 4], "gap": gap, **more}))
    assert row is not None
    return row


def picture(row: Row, width: int = 1050) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Dark marks in the middle of each box, and dashes between the groups."""
    image = np.full((60, width), 255, np.uint8)
    for middle in row.middles:
        image[20:40, round(middle * width) - 2 : round(middle * width) + 2] = 0
    return image


def test_middles_of_grouped_boxes() -> None:
    row = grouped()
    even = row_of(FormField(**{**DATE, "cells": 10}))
    assert even is not None and not even.middles
    known = [even.middle(place) for place in (0, 1, 3, 4, 6, 7, 8, 9)]
    assert row.middles == pytest.approx(known), "a gap as wide as a box is a box that is left out"
    assert grouped(0.0).middles == pytest.approx([grouped(0.0).middle(place) for place in range(8)])
    assert row_of(FormField(**DATE)) == replace(grouped(0.0), middles=())


def test_what_is_between_groups_is_cut_out() -> None:
    row = grouped()
    image = picture(row)
    wide = row.step * 1050
    for after in (1, 3):
        gap = (row.middles[after] + row.middles[after + 1]) / 2 * 1050
        image[28:32, round(gap - 0.3 * wide) : round(gap + 0.3 * wide)] = 0
    seen, there = closed(image, row)
    dark = np.flatnonzero((seen < 128).any(axis=0))
    assert len(np.flatnonzero(np.diff(dark) > 1)) == 7, "eight marks and no dash"
    for middle in there.middles:
        assert (seen[30, round(middle * seen.shape[1]) - 1 : round(middle * seen.shape[1]) + 1] == 0).all()
    steps = np.diff(there.middles) * seen.shape[1]
    assert steps.max() / steps.min() < 1 + APART and seen.shape[1] < 1050 - 1.2 * wide


def test_groups_that_nearly_touch_stay() -> None:
    row = grouped(0.2)
    image = picture(row)
    seen, there = closed(image, row)
    assert seen is image and there is row


def test_groups_are_read_side_by_side() -> None:
    row = grouped()
    evidence = Evidence(
        "born", QuestionKind.DATE, 1, Box(0, 0, 1, 1), picture(row), alternate=picture(row), cells=8, row=row
    )
    (asked,) = questions(evidence, FormField(**{**DATE, "groups": [2, 2, 4]}))
    assert asked.image.shape[1] < 1000 and asked.row is not None and asked.max_length == 8
    assert asked.alternate is not None and asked.alternate.shape[1] < asked.image.shape[1]


def test_groups_hold_all_boxes() -> None:
    with pytest.raises(ValueError, match=r"field born: the groups \[2, 2\] hold 4 boxes, but `cells` says 8"):
        FormField(**{**DATE, "groups": [2, 2]})
    masked = row_of(FormField(**{**DATE, "groups": [2, 2, 4], "masked": True}))
    assert masked is not None and masked.cells == 4 and not masked.middles
