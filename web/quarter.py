"""The quarter's report as one HTML file that needs nothing else: what `docvigil models report` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from pipeline.bounds import interval
from pipeline.gate import MARGIN
from pipeline.shadowing import Share
from records.learning_tables import BoundReading
from records.quarter import Quarter
from web.charts import Line, lines
from web.pages.checks import called
from web.rendering import standalone

#: Digits of a version that are shown.
SHOWN = 12


def page(quarter: Quarter, timezone: str) -> str:
    """The report, times in the given zone."""
    zone = ZoneInfo(timezone)

    def when(time: datetime | None) -> str:
        return "" if time is None else time.astimezone(zone).strftime("%d %b %Y %H:%M")

    return standalone(
        "quarter.html",
        quarter=quarter,
        curve=_curve(quarter),
        bounds=[bound_chart(called(check), "missed at most", each, zone) for check, each in quarter.bounds.items()],
        when=when,
        called=called,
        percent=_percent,
        errors=_errors,
        share=_share,
        shown=SHOWN,
        margin=MARGIN,
        sides=(("golden", "On the golden set"), ("fresh", "On fresh reviews")),
    )


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _errors(errors: int, examples: int) -> str:
    """Errors with their share and its 95 % interval."""
    low, high = interval(errors, examples)
    return f"{errors} of {examples}, {_percent(low)} to {_percent(high)}"


def _share(one: Share) -> str:
    return f"{one.count} of {one.of} ({_percent(one.low)} to {_percent(one.high)})"


def _curve(quarter: Quarter) -> Markup | None:
    points: Sequence[Mapping[str, Any]] = quarter.training.progress.get("curve", ()) if quarter.training else ()
    every = [
        Line(told, [(one["step"], one[name]) for one in points if name in one])
        for name, told in (("loss", "learned from"), ("evaluation", "held out"))
    ]
    steps = [one["step"] for one in points]
    if not steps:
        return None
    marks = {float(step): f"step {step:,}" for step in (min(steps), max(steps))}
    return lines("Loss", [one for one in every if one.points], x_marks=marks)


def bound_chart(title: str, name: str, readings: Sequence[BoundReading], zone: ZoneInfo) -> Markup:
    """What a class misses at most as a line over time; `name` is the line's."""
    points = [(one.at.timestamp(), one.upper) for one in readings]
    marks = {one.at.timestamp(): one.at.astimezone(zone).strftime("%d %b %Y") for one in (readings[0], readings[-1])}
    return lines(title, [Line(name, points, steps=True)], x_marks=marks, percent=True)
