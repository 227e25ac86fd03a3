"""Weights of marks: a logistic regression that finds what tells, and which boxes count as right."""

from __future__ import annotations

import numpy as np

from models.training.weighing import COPIES, fitted, held, is_right, unsure
from pipeline.geometry import Box
from pipeline.marks import FEATURES


def test_what_tells_gets_the_weight() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (500, 3))
    truth = (features[:, 1] + rng.normal(0, 0.5, 500) > 0.5).astype(np.float64)
    weights, bias = fitted(features, truth)
    assert weights[1] > 1.5 and bias < 0
    assert np.abs(weights[[0, 2]]).max() < 0.4


def test_a_box_is_right_on_a_signature_or_in_one() -> None:
    signature = (Box(0.4, 0.6, 0.8, 0.8),)
    assert is_right(Box(0.42, 0.62, 0.8, 0.82), signature)
    assert is_right(Box(0.5, 0.65, 0.6, 0.7), signature), "a part of it"
    assert not is_right(Box(0.1, 0.6, 0.3, 0.8), signature)
    assert not is_right(Box(0.0, 0.0, 1.0, 1.0), signature), "the whole page"


def test_what_would_speak_the_wrong_way_is_left_out() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(0, 1, (600, len(FEATURES)))
    right, wrong = FEATURES.index("mean"), FEATURES.index("handwriting")
    truth = (features[:, right] + features[:, wrong] + rng.normal(0, 0.5, 600) > 0).astype(np.float64)
    assert fitted(features, truth)[0][wrong] > 0.5
    weights, _bias = held(features, truth)
    assert weights[wrong] == 0 and weights[right] > 0.5


def test_where_a_mark_stands_counts_beside_a_network_that_knows_drawn_pages() -> None:
    rng = np.random.default_rng(2)
    truth = (rng.random(400) < 0.5).astype(np.float64)
    features = np.zeros((400, len(FEATURES)))
    network, place = FEATURES.index("mean"), FEATURES.index("closing")
    features[:, network] = 2 * truth - 1 + rng.normal(0, 0.3, 400)
    features[:, place] = np.where(rng.random(400) < 0.85, truth, 1 - truth)
    copies, same = unsure(features, truth, rng)
    assert copies.shape == (400 * COPIES, len(FEATURES)) and (same == np.tile(truth, COPIES)).all()
    assert (copies[:, place] == np.tile(features[:, place], COPIES)).all()
    before, after = held(features, truth)[0], held(copies, same)[0]
    assert after[place] / after[network] > 2 * before[place] / before[network] > 0
