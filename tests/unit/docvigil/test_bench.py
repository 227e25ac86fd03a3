"""The engine's measurement: the ways it compares give the same answers, and its numbers hang together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from docvigil.bench.engine import measured
from docvigil.bench.stand import ASKED, bundled_stand, evidences, published_stand
from models.precision import Precision
from pipeline.reading import Question

TINY: dict[str, Any] = {
    "vit_hidden_dim": 96,
    "vit_inter_dim": 192,
    "vit_img_size": 64,
    "vit_n_heads": 3,
    "vit_n_blocks": 2,
    "lm_hidden_dim": 72,
    "lm_inter_dim": 160,
    "lm_vocab_size": 400,
    "lm_n_heads": 9,
    "lm_n_kv_heads": 3,
    "lm_n_blocks": 2,
}


@pytest.mark.parametrize(
    "stand", [lambda: bundled_stand("fp32"), lambda: published_stand(**TINY)], ids=["bundled", "published"]
)
def test_the_engine_gives_the_plain_answers(stand) -> None:  # type: ignore[no-untyped-def]
    result = measured(stand(), evidences(3), rounds=1, singles=3 * len(ASKED))
    assert (result.agreement, result.answers) == (1.0, 12)
    assert result.peak_fraction > 0 and result.gflop_per_evidence > 0
    assert result.engine_over_single == pytest.approx(result.engine_per_s / result.single_per_s)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_the_published_model_is_measured_in_other_numbers_too(precision: Precision) -> None:
    result = measured(published_stand(precision, **TINY), evidences(2), rounds=1, singles=4)
    assert (result.precision, result.answers) == (precision, 4) and result.vision_peak_fraction > 0
    exact = measured(published_stand(**TINY), evidences(2), rounds=1, singles=4)
    assert result.gflop_per_evidence == pytest.approx(exact.gflop_per_evidence, rel=0.1), "all products are counted"


def test_another_answer_is_counted() -> None:
    stand = bundled_stand("fp32")

    class Wrong:
        version = "wrong"

        def read(self, questions):  # type: ignore[no-untyped-def]
            return [replace(one, label="wrong", value="wrong") for one in stand.fast.read(questions)]

    result = measured(replace(stand, fast=Wrong()), evidences(1), rounds=1, singles=4)
    assert result.agreement == 0.0


def test_questions_about_one_evidence_share_its_picture() -> None:
    from docvigil.bench.stand import about

    asked: list[Question] = about(evidences(1)[0])
    assert len({id(one.image) for one in asked}) == 1 and len({one.kind for one in asked}) == len(ASKED)
