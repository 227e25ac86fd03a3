"""When a training is due, in the time zone of the settings."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from celery.schedules import crontab

from docvigil.settings import Settings
from workers import app as celery_app
from workers.config import WorkerConfig
from workers.quarters import last_due
from workers.schedule import Calendar

QUARTERLY = Settings.model_fields["retrain_at"].default
CONFIG = WorkerConfig("postgresql://db", "redis://localhost:1/0", "/objects", "a.b:c", retrain_at=QUARTERLY)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # In Kolkata it is 02:00 on the first at 20:30 UTC the day before.
        (datetime(2026, 12, 31, 20, 29, tzinfo=UTC), "2026-10-01T02:00:00+05:30"),
        (datetime(2026, 12, 31, 20, 30, tzinfo=UTC), "2027-01-01T02:00:00+05:30"),
        (datetime(2027, 3, 31, 12, 0, tzinfo=UTC), "2027-01-01T02:00:00+05:30"),
        (datetime(2027, 7, 9, 0, 0, tzinfo=UTC), "2027-07-01T02:00:00+05:30"),
    ],
)
def test_the_first_of_each_quarter_at_two(now: datetime, due: str) -> None:
    found = last_due(QUARTERLY, "Asia/Kolkata", now)
    assert found is not None and found.isoformat() == due


def test_other_schedules() -> None:
    now = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
    sunday = last_due("30 3,22 * * sun", "UTC", now)
    assert sunday == datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    assert last_due("0 0 29 2 *", "UTC", now) == datetime(2024, 2, 29, tzinfo=UTC)


def test_the_calendar_rings_on_the_first_of_a_quarter_in_its_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery's own reckoning: not due a minute before, due at the minute, not due again until the next quarter."""
    app = celery_app.create(CONFIG)
    entry = Calendar(app, threading.Event()).schedule["learn from reviewers"]
    assert entry.task == "docvigil.retrain"
    schedule = entry.schedule
    assert isinstance(schedule, crontab)
    last = datetime(2026, 10, 1, 2, 0, tzinfo=app.timezone)

    def due(now: datetime) -> tuple[bool, float]:
        schedule.nowfun = lambda: now.astimezone(app.timezone)
        return tuple(schedule.is_due(last))

    before = due(datetime(2026, 12, 31, 20, 29, tzinfo=UTC))
    assert before[0] is False and before[1] == pytest.approx(60, abs=1)
    assert due(datetime(2026, 12, 31, 20, 30, tzinfo=UTC))[0] is True
    last = datetime(2027, 1, 1, 2, 0, tzinfo=app.timezone)
    assert due(datetime(2027, 3, 31, 20, 29, tzinfo=UTC))[0] is False


def test_a_schedule_that_is_none_is_refused_and_never_is_one() -> None:
    with pytest.raises(ValueError, match="no time as cron writes it"):
        Settings(retrain_at="each quarter")
    assert Settings(retrain_at="never").retrain_at == "never"
    assert "learn from reviewers" not in celery_app.calendar(WorkerConfig("a", "b", "c", "d:e"))
