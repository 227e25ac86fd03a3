"""The commands about models: list, evaluate, calibrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from docvigil.cli import measures, versions
from docvigil.cli.common import Refusal, as_json, opened, screen
from docvigil.desk import Desk
from docvigil.judgement import bound, bound_of, merged, model_folder
from docvigil.settings import Settings
from models.calibration import FILE
from models.checkpoint import WEIGHTS, digest
from pipeline.missed import Bound
from records import model_trials, model_versions

app = typer.Typer(help="The models that read: list, evaluate, calibrate, promote, roll back.", no_args_is_help=True)

#: Digits of a model's digest that tables show.
SHOWN_DIGEST = 12


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """Show the models that are recorded, and the one that the settings name.

    With --json one object a line: `version` (the digest of weights, architecture and calibration), `stage` (candidate,
    shadow, canary, production, retired; null where it has not been used yet), `selected` (whether the settings name
    it), `folder` (of the selected one), `calibrated` (whether its confidence was calibrated; null where unknown),
    `metrics`, `staged_at`, `waits` (what the version on trial waits for, in sentences) and `bound`: what
    `docvigil models calibrate --json` says of it, with `in_force` beside each class (whether its bound holds under the
    thresholds in use); null where none was computed.
    """
    with opened() as desk:
        with desk.sessions.begin() as session:
            recorded, waits = model_versions.every(session), model_trials.waits(session)
        chosen = _selected(desk.settings)
        proved = {one.version: _proved(desk, one.version) for one in recorded if one.key is not None}
    proved[chosen["version"]] = chosen["bound"]
    rows = [
        _row(one.version, one.stage, one.metrics, one.staged_at, chosen) | {"waits": waits.get(one.version, [])}
        for one in recorded
    ]
    if all(row["version"] != chosen["version"] for row in rows):
        rows.insert(0, _row(chosen["version"], None, {}, None, chosen) | {"waits": []})
    for row in rows:
        row["bound"] = _bound(proved.get(row["version"]), desk.settings)
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
    for row in rows:
        for reason in row["waits"]:
            screen.print(f"{row['version'][:SHOWN_DIGEST]} waits: {reason}", highlight=False, soft_wrap=True)
    screen.print(f"→ is the model of the settings, in {chosen['folder']}", highlight=False, soft_wrap=True)
    _tell(chosen["bound"], desk.settings)
    for row in rows:
        own = proved.get(row["version"])
        if own is not None and not row["selected"] and row["stage"] in ("canary", "production"):
            screen.print(f"\n{row['version'][:SHOWN_DIGEST]}, which judges by a bound of its own:", highlight=False)
            _tell(own, desk.settings)


app.command()(measures.evaluate)
app.command()(measures.calibrate)
versions.register(app)


def _selected(config: Settings) -> dict[str, Any]:
    """The checkpoint that the settings name, and the bound that was computed for it."""
    folder = model_folder(config)
    if not (folder / WEIGHTS).is_file():
        raise Refusal(f"{folder} holds no {WEIGHTS}; set DOCVIGIL_MODEL_FOLDER to the folder of a checkpoint.")
    try:
        proved = bound(config)
    except ValueError as wrong:
        raise Refusal(f"{wrong}.") from wrong
    return {
        "version": digest(folder),
        "folder": folder,
        "calibrated": (folder / FILE).is_file(),
        "bound": proved,
    }


def _proved(desk: Desk, version: str) -> Bound | None:
    """The bound of a version of the registry."""
    try:
        return bound_of(desk.settings, desk.store, version)
    except ValueError as wrong:
        raise Refusal(f"{wrong}.") from wrong


def _bound(proved: Bound | None, config: Settings) -> dict[str, Any] | None:
    if proved is None:
        return None
    told, thresholds = asdict(proved), merged(config, proved)
    for check, one in told["classes"].items():
        one["in_force"] = proved.holds(check, thresholds)
    return told


def _tell(proved: Bound | None, config: Settings) -> None:
    """A bound for a person."""
    if proved is None:
        screen.print("No bound on missed anomalies has been computed for it: docvigil models calibrate.")
        return
    thresholds = merged(config, proved)
    screen.print("\nAnomalies that end as clear, by check:")
    screen.print(measures.bounds_table(proved))
    lower = [one for one in proved.classes if proved.classes[one].holds and not proved.holds(one, thresholds)]
    if lower:
        screen.print(f"DOCVIGIL_CLEAR or DOCVIGIL_DEFAULT_CLEAR ends the bound of: {', '.join(lower)}.")
    measures.tell_bound(proved)


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
