"""When a training is due: the moments that a schedule names in a time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import crontab

#: How far back is looked: the 29th of February comes every eight years at the latest.
MOST_DAYS = 366 * 8


def last_due(schedule: str, timezone: str, now: datetime) -> datetime | None:
    """The last moment up to `now` that a schedule names, in its time zone; None where it named none for years."""
    cron: Any = crontab.from_string(schedule)
    here = now.astimezone(ZoneInfo(timezone))
    times = sorted(((hour, minute) for hour in cron.hour for minute in cron.minute), reverse=True)
    for days in range(MOST_DAYS):
        day = here - timedelta(days=days)
        if day.month not in cron.month_of_year or day.day not in cron.day_of_month:
            continue
        if day.isoweekday() % 7 not in cron.day_of_week:
            continue
        for hour, minute in times:
            due = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
            if due <= here:
                return due
    return None
