"""`docvigil retrain` and `docvigil trainings` as a person uses them."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session, sessionmaker

from records import trainings
from tests.integration.docvigil.cli.conftest import Run


def test_a_training_is_asked_for_shown_and_cancelled(run: Run, sessions: sessionmaker[Session]) -> None:
    assert "Training 1 is asked for" in run("retrain").out
    again = run("retrain")
    assert again.code == 2 and "Training 1 is waiting already" in again.err
    with sessions.begin() as session:
        lease = trainings.take(session, "worker", 60)
        assert lease is not None
        told = {"examples": {"train": 90, "golden": 30}, "step": 40, "steps": 400, "loss": 0.25, "remaining": 7260}
        trainings.advance(session, lease, "training", progress=told)
    shown = run("trainings", "show", "1").out
    for words in ("asked, by", "training, in a worker's hands", "train 90, golden 30", "step 40 of 400", "2 h 01 min"):
        assert words in shown
    assert run("trainings", "cancel", "1").code == 0
    assert "has ended already" in run("trainings", "cancel", "1").err
    assert "there is no training 7" in run("trainings", "show", "7").err.lower()
    (row,) = [json.loads(line) for line in run("trainings", "list", "--json").out.splitlines()]
    assert (row["id"], row["stage"], row["at_work"], row["progress"]["step"]) == (1, "cancelled", False, 40)
    assert "cancelled" in run("trainings", "list").out
