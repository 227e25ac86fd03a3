"""What every command needs: the opened instance, the two consoles, JSON lines, a stop signal."""

from __future__ import annotations

import dataclasses
import getpass
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from docvigil import logging, wiring
from docvigil.desk import Desk, open_desk
from docvigil.instance import Children
from docvigil.settings import Settings, settings
from pipeline.geometry import Box
from pipeline.reading import Reader
from records.objects import StoreUnavailable
from records.words import Refused

#: The address of all interfaces.
EVERYWHERE = "0.0.0.0"  # noqa: S104

#: Signs of a document's id that are shown: enough to name it to `docvigil show`.
ID_SIGNS = 12

screen = Console()
errors = Console(stderr=True)


class Refusal(Exception):
    """A command can't do what was asked; the message says what, where and what to do. Exit code 2."""


@contextmanager
def opened(processes: Children | None = None) -> Iterator[Desk]:
    """The instance at `DOCVIGIL_HOME` (or at the configured URLs), started for this command where none runs."""
    # Whoever asks wants the answer: the log says what goes wrong, and nothing else.
    logging.set_up(settings(), least="warning")
    with open_desk(settings(), processes) as desk:
        yield desk


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGINT and a closed terminal set, for loops that end in order."""
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def heard(*_: object) -> None:
        # The main thread, which runs this, may hold the event's lock at this very moment.
        threading.Thread(target=stop.set).start()

    before = {number: signal.signal(number, heard) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def the_reader(chosen: Settings) -> Reader:
    """The model of the settings. Raises Refusal where its folder holds none that can be used."""
    try:
        return wiring.reader(chosen)
    except (OSError, ValueError) as wrong:
        told = f"{wrong.filename}: {wrong.strerror}" if isinstance(wrong, OSError) and wrong.errno else wrong
        raise Refusal(f"the model can't be loaded: {told}") from wrong


def offer_metrics(port: int, host: str = EVERYWHERE, folder: Path | None = None) -> None:
    """Offers metrics to Prometheus (`workers.observe.serve`). Raises Refusal where the port can't be had."""
    from workers import observe

    try:
        observe.serve(port, host, folder)
    except OSError as wrong:
        raise Refusal(
            f"metrics can't be offered at port {port}: {wrong.strerror}; give another with DOCVIGIL_METRICS_PORT"
        ) from wrong


def day_of(text: str, timezone: str) -> datetime:
    """A day, or a point in time, as a person writes it: YYYY-MM-DD. Raises BadParameter."""
    try:
        day = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise typer.BadParameter(f"{text!r} is no day; YYYY-MM-DD is needed") from wrong
    return day if day.tzinfo is not None else day.replace(tzinfo=ZoneInfo(timezone))


def actor() -> str:
    """Who runs this command, for the audit trail: the user of the operating system."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid-{os.getuid()}"


@contextmanager
def refusing() -> Iterator[None]:
    """What the records say no to, as a refusal of the command."""
    try:
        yield
    except (LookupError, Refused, StoreUnavailable) as wrong:
        told = str(wrong.args[0]) if wrong.args else str(wrong)
        raise Refusal(told[:1].upper() + told[1:]) from wrong


def as_json(value: Any) -> None:
    """Prints one JSON object on one line of standard output."""
    text = json.dumps(value, default=_plain, ensure_ascii=False) + "\n"
    # Half of a character may stand in a value; JSON writes it as an escape, UTF-8 not at all.
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, Box):
        return value.as_list()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")
