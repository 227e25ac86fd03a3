"""The pages of model versions: who sees them, what stands there, who may ask for a training."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import FastAPI
from sqlalchemy.orm import Session, sessionmaker

from records import model_trials, model_versions, readings, trainings
from records.learning_tables import BoundReading, Evaluation
from tests.integration.web.conftest import Visit
from web.access import Role
from web.context import Context
from web.promises import Promise, Promises


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


def test_a_version_on_trial_says_what_it_waits_for(sessions: sessionmaker[Session], visit: Visit) -> None:
    waits = ["3 of 500 documents judged."]
    with sessions.begin() as session:
        model_versions.install(session, "first")
        model_versions.register(session, "second", key="models/second.tar", by="trainer")
        model_versions.stage(session, "second", "canary", by="mira")
        model_trials.write(session, "second", "canary", baseline="first", classes={}, passed=None, reasons=waits)
    shown = " ".join(visit(Role.REVIEWER).get("/models/second").text.split())
    assert "so far" in shown and waits[0] in shown
    with sessions.begin() as session:
        model_versions.roll_back(session, by="mira")
    assert "so far" not in visit(Role.REVIEWER).get("/models/second").text, "it waits no more"


def test_a_version_shows_its_own_bound(sessions: sessionmaker[Session], visit: Visit, app: FastAPI) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "proved")
        model_versions.register(session, "other", key="models/other.tar", by="trainer")
    promise = Promise(0.01, 0.95, 300, 0, made_up=True, data="300 slips", date="2026-11-25")
    own = Promises("proved", "rules", frozenset(), {"signature.missing": promise})
    context: Context = app.state.context
    app.state.context = replace(context, config=replace(context.config, promises={"proved": own}.get))
    reviewer = visit(Role.REVIEWER)
    shown = reviewer.get("/models/proved").text
    assert "Its own bound" in shown and "At most 1.0 % of such defects end as clear, with 95 %" in shown
    assert "Its own bound" not in reviewer.get("/models/other").text


def test_only_a_model_admin_is_shown_the_moves_and_only_those_there_are(
    sessions: sessionmaker[Session], visit: Visit
) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "first")
        for one in ("second", "third"):
            model_versions.register(session, one, key=f"models/{one}.tar", by="trainer")
    admin, reviewer = visit(Role.MODEL_ADMIN), visit(Role.REVIEWER)

    def moves(version: str) -> list[str]:
        return re.findall('data-move="([a-z]+)"', admin.get(f"/models/{version}").text)

    assert (moves("first"), moves("second")) == ([], ["shadow", "canary", "production"])
    assert "data-move" not in reviewer.get("/models/second").text
    admin.post("/api/v1/models/second/stage", json={"stage": "shadow"})
    assert moves("second") == ["canary", "production", "back"]
    assert moves("third") == ["production"], "one is on trial at most"
    admin.post("/api/v1/models/second/stage", json={"stage": "production"})
    assert (moves("first"), moves("second")) == (["production"], ["back"]), "what was installed has no archive to try"


def test_only_the_version_that_was_looked_at_is_taken_back(sessions: sessionmaker[Session], visit: Visit) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "first")
        model_versions.register(session, "second", key="models/second.tar", by="trainer")
        model_versions.stage(session, "second", "canary", by="mira")
    admin = visit(Role.MODEL_ADMIN)
    refused = admin.post("/api/v1/models/rollback", json={"version": "first"})
    assert refused.status_code == 409 and "second would be taken back" in refused.json()["detail"]
    with sessions.begin() as session:
        assert model_versions.get(session, "second").stage == "canary", "nothing has happened"
    assert admin.post("/api/v1/models/rollback", json={"version": "second"}).json()["version"] == "second"


def test_the_report_is_there_for_a_version_and_a_training(sessions: sessionmaker[Session], visit: Visit) -> None:
    with sessions.begin() as session:
        model_versions.install(session, "first")
        number = trainings.ask(session, by="mira")
        trainings.cancel(session, number, by="mira")
    admin, reviewer = visit(Role.MODEL_ADMIN), visit(Role.REVIEWER)
    assert f"/trainings/{number}/report" in admin.get("/models").text
    assert f"/trainings/{number}/report" not in reviewer.get("/models").text
    told = admin.get(f"/trainings/{number}/report")
    assert f"training {number}" in told.text
    style = hashlib.sha256(re.findall("<style>(.*?)</style>", told.text, re.DOTALL)[0].encode()).digest()
    assert f"style-src 'sha256-{base64.b64encode(style).decode()}'" in told.headers["content-security-policy"]
    assert "first" in admin.get("/models/first/report").text
    assert [admin.get(path).status_code for path in ("/models/none/report", "/trainings/99/report")] == [404, 404]
    assert reviewer.get("/models/first/report").status_code == 403, "it tells whose labels are not trusted"


def test_of_a_day_the_last_reading_counts(sessions: sessionmaker[Session]) -> None:
    # In Kolkata the second and the third are of one day, in London the first two.
    hours = (
        datetime(2026, 3, 1, 10, tzinfo=UTC),
        datetime(2026, 3, 1, 20, tzinfo=UTC),
        datetime(2026, 3, 2, 2, tzinfo=UTC),
    )
    with sessions.begin() as session:
        model_versions.install(session, "first")
        session.flush()
        for number, at in enumerate(hours):
            session.add(BoundReading(version="first", check="date.future", labels=number, missed=0, upper=0.5, at=at))
        session.flush()

        def read(zone: str) -> list[float]:
            return [one.labels for one in readings.daily_bounds(session, "first", zone)["date.future"]]

        assert (read("Asia/Kolkata"), read("Europe/London")) == ([0, 2], [1, 2])
