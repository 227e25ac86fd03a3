"""The pages of model versions: who sees them, what stands there, who may ask for a training."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from records import model_versions, trainings
from records.learning_tables import BoundReading, Evaluation
from tests.integration.web.conftest import Visit
from web.access import Role


def test_a_version_says_what_it_was_measured_at(sessions: sessionmaker[Session], visit: Visit) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "a" * 64)
        session.flush()
        session.add(Evaluation(version="a" * 64, set="fresh", classes={}, passed=False, reasons=["Too few dates."]))
        session.add(BoundReading(version="a" * 64, check="date.presence", labels=60, missed=1, upper=0.123))
    admin, reviewer = visit(Role.MODEL_ADMIN), visit(Role.REVIEWER)
    listed = reviewer.get("/models").text
    assert "a" * 12 in listed and "Train now" not in listed
    shown = reviewer.get("/models/" + "a" * 64).text
    assert "Too few dates." in shown and "12.3 %" in shown
    assert reviewer.get("/models/none").status_code == 404
    assert reviewer.post("/models/train").status_code == 403
    assert "Train now" in admin.get("/models").text
    assert admin.post("/models/train", follow_redirects=False).status_code == 303
    with sessions.begin() as session:
        assert [one.stage for one in trainings.latest(session)] == ["waiting"]
