"""Trainings over the API: who may ask and cancel, one at a time, and what is told."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session, sessionmaker

from records import trainings
from tests.integration.web.conftest import Visit
from web.access import Role


def test_an_admin_asks_watches_and_cancels(
    sessions: sessionmaker[Session], visit: Visit, events: Callable[[], list[str]]
) -> None:
    admin, reviewer = visit(Role.MODEL_ADMIN), visit(Role.REVIEWER)
    assert reviewer.post("/api/v1/trainings").status_code == 403
    asked = admin.post("/api/v1/trainings")
    assert asked.status_code == 201 and asked.json()["stage"] == "waiting"
    number = asked.json()["id"]
    again = admin.post("/api/v1/trainings")
    assert again.status_code == 409 and f"Training {number} is waiting" in again.json()["detail"]
    with sessions.begin() as session:
        lease = trainings.take(session, "worker", 60)
        assert lease is not None
        trainings.advance(session, lease, "training", progress={"step": 3, "steps": 9, "loss": 1.5})
    told = reviewer.get(f"/api/v1/trainings/{number}").json()
    assert (told["stage"], told["at_work"], told["progress"]["step"]) == ("training", True, 3)
    assert admin.delete(f"/api/v1/trainings/{number}").status_code == 204
    assert admin.delete(f"/api/v1/trainings/{number}").status_code == 409
    assert admin.get("/api/v1/trainings/99").status_code == 404
    assert [one["stage"] for one in admin.get("/api/v1/trainings").json()["items"]] == ["cancelled"]
    kinds = [kind for kind in events() if kind.startswith("training.")]
    assert kinds == ["training.asked", "training.taken", "training.advanced", "training.finished"]
