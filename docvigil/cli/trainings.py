"""The commands about trainings: `docvigil retrain` asks for one, `docvigil trainings` shows and cancels them."""

from __future__ import annotations

import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from docvigil.cli.common import actor, as_json, errors, opened, refusing, screen
from docvigil.desk import Desk
from docvigil.processes import training
from records import trainings
from records.trainings import TrainingView

app = typer.Typer(help="Trainings from what reviewers decided: list, show, cancel.", no_args_is_help=True)

#: Seconds between two looks while waiting.
LOOK_SECONDS = 1.0

#: A training that was waited for came to nothing.
REFUSED = 1

Number = Annotated[int, typer.Argument(metavar="N", help="The training's number.", min=1)]
Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Models")(retrain)


def retrain(
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended, and say how.")] = False,
    json: Json = False,
) -> None:
    """Ask for a training from what reviewers decided, without waiting for the quarter.

    The model in production learns from the decisions; what comes out is compared with it, and takes part in shadow if
    it is better. `docvigil trainings show N` tells how far it is. With --wait the exit code is 0 where it passed, 1
    where it was refused or cancelled, 2 where it failed; with --json it prints what `docvigil trainings show --json`
    prints.
    """
    with opened(training if wait else None) as desk:
        with refusing(), desk.sessions.begin() as session:
            number = trainings.ask(session, by=actor())
        if not wait:
            _asked(desk, number, json=json)
            return
        ended = _ended(desk, number)
        if json:
            as_json(_row(ended))
        else:
            _tell(ended, desk)
    if ended.stage != "passed":
        raise typer.Exit(2 if ended.stage == "failed" else REFUSED)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20, json: Json = False
) -> None:
    """Show trainings, the newest first.

    With --json one object a line: `id`, `cause` (scheduled, asked, drift), `asked_by`, `due_on`, `stage` (waiting,
    gathering, training, evaluating; passed, refused, failed, cancelled), `at_work` (whether a worker has it in hand),
    `parent` and `candidate` (model versions), `progress` (`examples` by side, `step`, `steps`, `loss`, `evaluation`,
    `remaining` seconds, `curve`, `gate`), `error` (why it was refused or failed), `created_at`, `started_at`,
    `finished_at`.
    """
    with opened() as desk, desk.sessions.begin() as session:
        found = trainings.latest(session, limit)
    if json:
        for one in found:
            as_json(_row(one))
        return
    table = Table("no.", "cause", "stage", "how far", "from", "candidate", "asked", "ended", box=None)
    zone = ZoneInfo(desk.settings.timezone)
    for one in found:
        table.add_row(
            str(one.id),
            one.cause,
            one.stage,
            _how_far(one),
            one.parent or "",
            one.candidate or "",
            f"{one.created_at.astimezone(zone):%d %b %Y %H:%M}",
            f"{one.finished_at.astimezone(zone):%d %b %Y %H:%M}" if one.finished_at else "",
        )
    screen.print(table)


@app.command()
def show(number: Number, json: Json = False) -> None:
    """Show one training: how far it is, or how it ended and why. --json is that of `docvigil trainings list`."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        one = trainings.get(session, number)
    if json:
        as_json(_row(one))
    else:
        _tell(one, desk)


@app.command()
def cancel(number: Number) -> None:
    """End a training that waits or runs. What it learned is dropped."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        trainings.cancel(session, number, by=actor())
    screen.print(f"Training {number} is cancelled.")


def _asked(desk: Desk, number: int, *, json: bool) -> None:
    with desk.sessions.begin() as session:
        one = trainings.get(session, number)
    if json:
        as_json(_row(one))
        return
    screen.print(f"Training {number} is asked for: docvigil trainings show {number}")
    if not desk.instance.processes:
        screen.print("Nothing trains now; it is taken up once `docvigil up` runs.")


def _ended(desk: Desk, number: int) -> TrainingView:
    """The training once it has ended; how far it is is told meanwhile."""
    said = ""
    while True:
        with desk.sessions.begin() as session:
            one = trainings.get(session, number)
        if (now := f"{one.stage}{' · ' if _how_far(one) else ''}{_how_far(one)}") != said:
            errors.print(now, highlight=False)
            said = now
        if one.finished:
            return one
        time.sleep(LOOK_SECONDS)


def _tell(one: TrainingView, desk: Desk) -> None:
    zone = ZoneInfo(desk.settings.timezone)
    rows: list[tuple[str, str]] = [
        ("training", f"{one.id} ({one.cause}{f', due on {one.due_on}' if one.due_on else ''}, by {one.asked_by})"),
        ("stage", one.stage + (", in a worker's hands" if one.at_work else "")),
    ]
    counted = one.progress.get("examples", {})
    rows += [("examples", ", ".join(f"{name} {count}" for name, count in counted.items()))] if counted else []
    rows += [("steps", _how_far(one))] if _how_far(one) else []
    rows += [("goes on from", one.parent)] if one.parent else []
    rows += [("candidate", one.candidate)] if one.candidate else []
    rows += [("why", one.error)] if one.error else []
    for what, at in (("asked", one.created_at), ("started", one.started_at), ("ended", one.finished_at)):
        rows += [(what, f"{at.astimezone(zone):%d %b %Y %H:%M:%S}")] if at else []
    for what, value in rows:
        screen.print(f"{what:<14} {value}", highlight=False, markup=False, soft_wrap=True)


def _how_far(one: TrainingView) -> str:
    told = one.progress
    if "steps" not in told:
        return ""
    parts = [f"step {told['step']:,} of {told['steps']:,}"]
    parts += [f"{name} {told[name]:.3f}" for name in ("loss", "evaluation") if told.get(name) is not None]
    if one.stage == "training" and told.get("remaining") is not None:
        hours, minutes = divmod(round(told["remaining"] / 60), 60)
        parts.append(f"{hours} h {minutes:02d} min remain" if hours else f"{minutes} min remain")
    return " · ".join(parts)


def _row(one: TrainingView) -> dict[str, Any]:
    names = (
        "id", "cause", "asked_by", "due_on", "stage", "at_work", "parent", "candidate", "progress", "error",
        "created_at", "started_at", "finished_at",
    )  # fmt: skip
    return {name: getattr(one, name) for name in names}
