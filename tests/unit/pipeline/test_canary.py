"""A canary judges its share, and always the same documents."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.canary import judged_by_canary

DOCUMENTS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4000)]


@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
def test_it_judges_its_share(share: float) -> None:
    judged = sum(judged_by_canary(one, "v2", share) for one in DOCUMENTS) / len(DOCUMENTS)
    assert judged == pytest.approx(share, abs=0.03)


def test_a_greater_share_takes_more_and_leaves_none_out() -> None:
    few, many = ({one for one in DOCUMENTS if judged_by_canary(one, "v2", share)} for share in (0.1, 0.3))
    assert few < many


def test_another_version_judges_others() -> None:
    first, second = ({one for one in DOCUMENTS if judged_by_canary(one, version, 0.2)} for version in ("v2", "v3"))
    assert len(first & second) < 0.4 * len(first)
