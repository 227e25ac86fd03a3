"""`docvigil up`: everything in one terminal, and the verdicts as they come."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import structlog
import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text
from sqlalchemy.orm import Session, sessionmaker

from docvigil import logging
from docvigil.cli.common import ID_SIGNS, Refusal, offer_metrics, screen, stopping
from docvigil.cli.users import first_link
from docvigil.desk import Desk, desk
from docvigil.instance import owned
from docvigil.processes import everything
from docvigil.settings import Settings, settings
from records import audit, listing, verdicts
from records.intake import readable
from records.outages import outage
from records.verdicts import Glance

log = structlog.get_logger(__name__)

#: Seconds between two looks at what is new.
LOOK_SECONDS = 0.5

#: Counting a large database takes time: it is done for at most this share of it.
COUNTING_SHARE = 0.05

#: Flagged documents that waited before the start and are shown at it, at most.
SHOWN_AT_START = 10

COLOURS = {"clear": "green", "flagged": "yellow", "quarantined": "red"}


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Running it")(up)


def up(
    drop: Annotated[
        list[Path] | None, typer.Option(help="Folder to watch; may be given several times. $DOCVIGIL_HOME/drop if not.")
    ] = None,
    samples: Annotated[bool, typer.Option("--samples", help="Put synthesised scans into the drop folder.")] = False,
) -> None:
    """Run everything here: Postgres and Redis (unless their URLs are set), watchers and workers. Ctrl-C stops it."""
    chosen = _with_free_port(settings())
    logs = chosen.home / "logs"
    folders = [_made(folder) for folder in drop or [chosen.home / "drop"]]
    logs.mkdir(parents=True, exist_ok=True)
    logging.set_up(chosen.model_copy(update={"log_file": chosen.log_file or logs / "up.log"}))
    with stopping() as stop:
        screen.print("Starting docvigil…")
        with owned(chosen, processes=True) as (instance, supervisor), desk(chosen, instance) as opened:
            view = View(opened.sessions, screen, ZoneInfo(chosen.timezone), supervisor.troubled)
            view.begin()
            metrics = _metrics(chosen)
            supervisor.start(everything(chosen, instance, [str(folder) for folder in folders], metrics))
            _tell(chosen, folders, first_link(opened))
            with _samples(opened, folders[0], stop) if samples else _nothing():
                view.run(stop)
            screen.print("Stopping…")
    screen.print(f"Stopped. Everything is kept in {chosen.home}", highlight=False, markup=False, soft_wrap=True)


def _made(folder: Path) -> Path:
    folder = folder.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise Refusal(f"the drop folder {folder} can't be made: {wrong.strerror}; give another with --drop") from wrong
    return folder


def _with_free_port(chosen: Settings) -> Settings:
    """Another instance on this machine may have the usual port; one that was set is taken as it is."""
    if "web_port" in chosen.model_fields_set:
        return chosen
    family = socket.AF_INET6 if ":" in chosen.web_host else socket.AF_INET
    for port in (chosen.web_port, 0):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((chosen.web_host, port))
            except OSError as busy:
                log.info("web.port_taken", port=port, error=busy.strerror)
                continue
            return chosen.model_copy(update={"web_port": probe.getsockname()[1]})
    return chosen


def _tell(chosen: Settings, folders: list[Path], first: str | None) -> None:
    """Where to look. `first` is the link of the first user."""
    rows = [("Drop scans into", str(folder)) for folder in folders]
    rows += [("The flagged queue", "docvigil queue"), ("In a browser", chosen.web_url)]
    if first is not None:
        rows.append(("First sign-in, once", first))
    rows.append(("Logs", str(chosen.home / "logs")))
    if chosen.metrics_port:
        rows.append(("Metrics", f"http://127.0.0.1:{chosen.metrics_port}/metrics"))
    if "home" in chosen.model_fields_set and not chosen.external:
        rows.append(("Other terminals need", f"DOCVIGIL_HOME={chosen.home}"))
    screen.print("docvigil runs. Ctrl-C stops it.")
    for what, where in rows:
        screen.print(f"  {what:<21} {where}", highlight=False, markup=False, soft_wrap=True)


def _metrics(chosen: Settings) -> Path | None:
    """Offers what all processes count, where that is wanted; the folder into which they write it."""
    if not chosen.metrics_port:
        return None
    folder = chosen.home / "metrics"
    # A start begins at nought, as Prometheus expects of counters.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    offer_metrics(chosen.metrics_port, "127.0.0.1", folder)
    return folder


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _samples(opened: Desk, drop: Path, stop: threading.Event) -> Iterator[None]:
    """Draws the samples beside what happens in the block."""
    from docvigil.samples import Samples

    sample = Samples(opened.settings.home, drop)
    if sample.there:
        screen.print("The samples were put there before; `docvigil queue` shows the flagged ones.")
        yield
        return

    def draw() -> None:
        try:
            sample.put(opened.sessions, stop)
        except Exception as error:
            # Everything else runs on without them.
            log.error("samples.failed", exc_info=error)
            screen.print("[red]The samples could not be drawn;[/] the log says why.")

    thread = threading.Thread(target=draw, name="samples")
    thread.start()
    try:
        yield
    finally:
        thread.join()


class View:
    """Verdicts as they come: a line for each that a person must look at, and a line of counts that moves in a terminal
    and is written down elsewhere whenever work is done."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        console: Console,
        zone: ZoneInfo,
        troubled: Callable[[], Mapping[str, str]],
    ) -> None:
        self._sessions, self._console, self._zone = sessions, console, zone
        self._troubled = troubled
        self._told: set[str] = set()
        self._sequence = 0
        self._counts: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._count_at = 0.0

    def begin(self) -> None:
        """Remembers where the chain ends now; what is new comes after."""
        with self._sessions.begin() as session:
            self._sequence = audit.head(session).sequence

    def run(self, stop: threading.Event) -> None:
        """Shows what comes until `stop` is set. The database being away for a while doesn't end it."""
        self._unless_away(self._before)
        if self._console.is_terminal:
            with Live(self._status(), console=self._console, refresh_per_second=4, transient=True) as live:
                while not stop.wait(LOOK_SECONDS):
                    self._round()
                    live.update(self._status())
            return
        while not stop.wait(LOOK_SECONDS):
            self._round()
            if self._counts != self._written and not self._counts.get("in_flight"):
                self._written = dict(self._counts)
                self._console.print(self._status())

    def _before(self) -> None:
        """The flagged documents that have waited since an earlier run."""
        with self._sessions.begin() as session:
            waiting = listing.queue(session, limit=SHOWN_AT_START)
            known = verdicts.glances(session, [one.document_id for one in waiting.items])
            self._written = self._counts = verdicts.counts(session)
        for one in known:
            if one.verdict != "clear":
                self._console.print(line(one, self._zone), soft_wrap=True)
        if waiting.after is not None:
            self._console.print(f"… and more: docvigil queue ({self._counts['flagged']} flagged)", highlight=False)

    def _round(self) -> None:
        troubled = self._troubled()
        for name in troubled.keys() - self._told:
            self._console.print(
                Text.assemble((name, "red"), f" ends again and again: {troubled[name]}"), soft_wrap=True
            )
        self._told = set(troubled)
        self._unless_away(self._news)

    def _news(self) -> None:
        with self._sessions.begin() as session:
            ids, sequence = verdicts.since(session, self._sequence)
            new = verdicts.glances(session, ids) if ids else []
        self._sequence = sequence
        for one in new:
            if one.verdict != "clear":
                self._console.print(line(one, self._zone), soft_wrap=True)
        self._count()

    def _unless_away(self, work: Callable[[], None]) -> None:
        """Does it, or leaves it for later where the database is away."""
        try:
            work()
        except Exception as error:
            if not outage(error):
                raise
            log.warning("view.waiting", error=type(error).__name__)

    def _count(self) -> None:
        started = time.monotonic()
        if started < self._count_at:
            return
        with self._sessions.begin() as session:
            self._counts = verdicts.counts(session)
        self._count_at = time.monotonic() + (time.monotonic() - started) / COUNTING_SHARE

    def _status(self) -> Text:
        text = Text()
        for status in ("clear", "flagged", "quarantined", "in_flight"):
            text.append(f"{self._counts.get(status, 0)} {status.replace('_', ' ')}", style=COLOURS.get(status, ""))
            text.append("" if status == "in_flight" else " · ")
        return text


def line(one: Glance, zone: ZoneInfo) -> Text:
    """A verdict in one line: when, which document, of what type, and why."""
    text = Text(f"{one.at.astimezone(zone):%H:%M:%S}  ")
    text.append(f"{one.verdict:<11}", style=COLOURS.get(one.verdict, ""))
    text.append(f"  {one.document_id[:ID_SIGNS]}  {', '.join(one.document_types) or 'unknown type'}  ")
    if one.check is not None:
        text.append(f"{one.check}: ", style="bold")
    text.append(readable(one.reason or ""))
    if one.others:
        text.append(f" (and {one.others} more)", style="dim")
    return text
