"""The commands about models: list, evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.table import Table

from docvigil.cli.common import Refusal, as_json, errors, opened, screen
from docvigil.measure import Measured, labels, measured
from docvigil.settings import Settings, settings
from docvigil.wiring import atlas, limits, reader
from pipeline.pages import BadFile
from records import registry

app = typer.Typer(help="The models that read: list, evaluate.", no_args_is_help=True)

#: Digits of a model's digest that tables show.
SHOWN_DIGEST = 12


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """Show the models that have judged documents, and the one that would judge them now.

    With --json one object a line: `version` (the digest of weights, architecture and calibration), `stage` (candidate,
    shadow, canary, production, retired; null where it has not been used yet), `selected` (whether the settings name
    it), `folder` (of the selected one), `calibrated` (whether its confidence was calibrated; null where unknown),
    `metrics` and `staged_at`.
    """
    with opened() as desk, desk.sessions.begin() as session:
        recorded = registry.models(session)
        chosen = _selected(desk.settings)
    rows = [_row(one.version, one.stage, one.metrics, one.staged_at, chosen) for one in recorded]
    if all(row["version"] != chosen["version"] for row in rows):
        rows.insert(0, _row(chosen["version"], None, {}, None, chosen))
    if json:
        for row in rows:
            as_json(row)
        return
    table = Table("", "version", "stage", "calibrated", "since", "metrics", box=None)
    for row in rows:
        table.add_row(
            "→" if row["selected"] else "",
            str(row["version"])[:SHOWN_DIGEST],
            row["stage"] or "not used yet",
            {True: "yes", False: "no", None: ""}[row["calibrated"]],
            row["staged_at"].strftime("%d %b %Y") if row["staged_at"] else "",
            ", ".join(f"{name} {value}" for name, value in row["metrics"].items()),
        )
    screen.print(table)
    screen.print(f"→ is the model of the settings, in {chosen['folder']}", highlight=False, soft_wrap=True)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Made by `docvigil synthesise`: documents and labels.jsonl.")],
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Measure how well the selected model reads the fields of labelled documents, each found on its page as in a scan.

    With --json one object a kind of field: `kind`, `fields` (how many), `exact` (share of which state and value are
    right) with its 95 % interval `low` to `high`, `presence` (share told rightly to be there or not), `written` (how
    many hold a value), `written_exact` (share of these that are right) and `lost` (how many were not found).
    """
    config = settings()
    try:
        documents = len(labels(folder))
        steps = measured(folder, reader(config), atlas(config), limits(config))
        counts: dict[Any, Measured] = {}
        for now in track(steps, "reading", total=documents, console=errors, transient=True):
            counts = now
    except BadFile as bad:
        raise Refusal(f"A document of {folder} can't be read: {bad}") from bad
    except OSError as wrong:
        raise Refusal(f"{wrong.filename or folder} can't be opened: {wrong.strerror}.") from wrong
    except ValueError as wrong:
        raise Refusal(f"{wrong}.") from wrong
    if not counts:
        raise Refusal(f"{folder} has no labelled fields.")
    rows = [_scored(counts[kind]) for kind in sorted(counts)]
    if json:
        for row in rows:
            as_json(row)
        return
    table = Table("kind", "fields", "right", "95 % interval", "presence", "values", "values right", "lost", box=None)
    for row in rows:
        interval = f"{row['low']:.1%} to {row['high']:.1%}"
        values = "" if row["written_exact"] is None else f"{row['written_exact']:.1%}"
        shares = [f"{row['exact']:.1%}", interval, f"{row['presence']:.1%}"]
        table.add_row(row["kind"], str(row["fields"]), *shares, str(row["written"]), values, str(row["lost"]))
    screen.print(table)


def _scored(one: Measured) -> dict[str, Any]:
    from models.scores import wilson

    low, high = wilson(one.exact, one.fields)
    return {
        "kind": one.kind.value,
        "fields": one.fields,
        "exact": round(one.exact / one.fields, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "presence": round(one.presence / one.fields, 4),
        "written": one.written,
        "written_exact": round(one.written_exact / one.written, 4) if one.written else None,
        "lost": one.lost,
    }


def _selected(config: Settings) -> dict[str, Any]:
    """The checkpoint that the settings name. Imports torch."""
    from models.calibration import FILE
    from models.nanovlm.model import WEIGHTS
    from models.reader import bundled, digest

    folder = Path(config.model_folder or bundled())
    if not (folder / WEIGHTS).is_file():
        raise Refusal(f"{folder} holds no {WEIGHTS}; set DOCVIGIL_MODEL_FOLDER to the folder of a checkpoint.")
    return {"version": digest(folder), "folder": folder, "calibrated": (folder / FILE).is_file()}


def _row(
    version: str, stage: str | None, metrics: Mapping[str, Any], staged_at: datetime | None, chosen: dict[str, Any]
) -> dict[str, Any]:
    selected = version == chosen["version"]
    return {
        "version": version,
        "stage": stage,
        "selected": selected,
        "folder": chosen["folder"] if selected else None,
        "calibrated": chosen["calibrated"] if selected else None,
        "metrics": metrics,
        "staged_at": staged_at,
    }
