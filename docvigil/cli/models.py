"""The commands about models: list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, as_json, opened, screen
from docvigil.settings import Settings
from records import registry

app = typer.Typer(help="The models that read: list.", no_args_is_help=True)

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
