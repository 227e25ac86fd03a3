"""What every training of a small network does at each step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.training.learner import WARM_UP, Learner


def stepped(learner: Learner, done: float) -> float:
    """How far the weights move in one step towards a target."""
    before = learner.net[0].weight.detach().clone()
    learner.learn(((learner.net(torch.ones(4, 3)) - 2) ** 2).mean(), done)
    return float((learner.net[0].weight.detach() - before).abs().max())


def test_the_rate_rises_at_first_and_falls_to_the_end() -> None:
    torch.manual_seed(0)
    learner = Learner(nn.Sequential(nn.Linear(3, 1)), 0.01, decay=0.0, kept=0.9)
    first = stepped(learner, 0.0)
    for _ in range(WARM_UP):
        middle = stepped(learner, 0.3)
    last = stepped(learner, 1.0)
    assert first == pytest.approx(0.01 / WARM_UP, rel=0.1)
    assert middle > 10 * first and last < 0.1 * middle


def test_the_mean_follows_the_weights_and_the_loss_is_told_smoothly() -> None:
    torch.manual_seed(0)
    learner = Learner(nn.Sequential(nn.Linear(3, 1)), 0.05, decay=0.0, kept=0.9)
    start = float(((learner.net(torch.ones(4, 3)) - 2) ** 2).mean().detach())
    for _ in range(300):
        stepped(learner, 0.5)
    now = float(((learner.net(torch.ones(4, 3)) - 2) ** 2).mean().detach())
    assert learner.steps == 300 and now < learner.loss < start
    assert torch.allclose(learner.mean[0].weight, learner.net[0].weight, atol=0.05)
