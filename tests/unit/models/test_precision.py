"""What a model computes in where nobody says."""

from __future__ import annotations

import pytest

from models import precision
from models.precision import Precision, Wanted, resolved


@pytest.mark.parametrize(
    ("wanted", "published", "fast", "taken"),
    [
        ("auto", False, True, "bf16"),
        ("auto", False, False, "fp32"),
        ("auto", True, True, "fp32"),
        ("fp32", False, True, "fp32"),
        ("bf16", True, False, "bf16"),
        ("int8", True, True, "int8"),
    ],
)
def test_only_the_bundled_kind_is_rounded_unasked_and_only_where_it_is_quicker(
    monkeypatch: pytest.MonkeyPatch, wanted: Wanted, published: bool, fast: bool, taken: Precision
) -> None:
    monkeypatch.setattr(precision, "bf16_is_fast", lambda: fast)
    assert resolved(wanted, published=published) == taken
