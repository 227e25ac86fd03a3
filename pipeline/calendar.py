"""Working time: when a number of working hours is over, with weekends, holidays and office hours left out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _exists(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as wrong:
        raise ValueError(f"there is no timezone {name!r}; names look like Asia/Kolkata") from wrong
    return name


#: The name of a timezone that exists.
Timezone = Annotated[str, AfterValidator(_exists)]


class WorkingCalendar(BaseModel):
    """Which hours count. Without `opens` and `closes` a working day has all its hours, from midnight to midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: Timezone = "Asia/Kolkata"
    weekend: frozenset[Weekday] = frozenset({"saturday", "sunday"})
    holidays: frozenset[date] = frozenset()
    opens: time | None = None
    closes: time | None = None

    @model_validator(mode="after")
    def _has_working_time(self) -> Self:
        if len(self.weekend) == len(WEEKDAYS):
            raise ValueError("all seven days are weekend; leave at least one to work on")
        if (self.opens is None) != (self.closes is None):
            raise ValueError("`opens` and `closes` belong together: set both or neither")
        if self.opens is not None and self.closes is not None and self.opens >= self.closes:
            raise ValueError(f"the office opens at {self.opens} and closes at {self.closes}; it must close later")
        return self

    def works_on(self, day: date) -> bool:
        """Whether anybody works on that day."""
        return WEEKDAYS[day.weekday()] not in self.weekend and day not in self.holidays

    def after(self, start: datetime, hours: float) -> datetime:
        """When `hours` of working time have passed since `start`, an aware time; in UTC."""
        left = timedelta(hours=hours)
        now = start.astimezone(UTC)
        day = start.astimezone(ZoneInfo(self.timezone)).date()
        while True:
            opens, closes = self._window(day)
            begin = max(now, opens)
            if self.works_on(day) and begin < closes:
                if left <= closes - begin:
                    return begin + left
                left -= closes - begin
            day += timedelta(days=1)

    def _window(self, day: date) -> tuple[datetime, datetime]:
        # Lengths are taken in UTC, so that a day on which the clocks change has the hours it has.
        zone = ZoneInfo(self.timezone)
        opens = datetime.combine(day, self.opens or time.min, zone)
        closes = datetime.combine(day, self.closes or time.min, zone)
        if self.closes is None:
            closes = datetime.combine(day + timedelta(days=1), time.min, zone)
        return opens.astimezone(UTC), closes.astimezone(UTC)


class Deadline(BaseModel):
    """Working hours within which a document must be decided: of a type, of a source, or of any where not named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: A document type's name without its version, and a source as it is given to `docvigil watch`.
    type: str | None = None
    source: str | None = None
    hours: Annotated[float, Field(gt=0, le=24 * 366)]

    def applies(self, types: frozenset[str], source: str) -> bool:
        return self.type in (None, *types) and self.source in (None, source)
