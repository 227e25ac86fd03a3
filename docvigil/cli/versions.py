"""The commands that move versions of the model, and tell of them: promote, rollback, import, export, report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from docvigil.cli.common import Refusal, actor, opened, refusing, screen
from docvigil.desk import Desk
from docvigil.wiring import registered_folder
from models.checkpoint import digest
from records import model_archives, model_versions, quarter, scans
from records.model_archives import BadArchive
from records.objects import Missing
from web import quarter as web_quarter

Version = Annotated[str, typer.Argument(help="As `docvigil models list` shows it; its first letters do.")]


def register(app: typer.Typer) -> None:
    for command in (promote, rollback, report):
        app.command()(command)
    app.command("import")(import_)
    app.command()(export)


def promote(
    version: Version,
    to: Annotated[
        Literal["shadow", "canary", "production"],
        typer.Option(help="shadow answers and is not heard; canary judges a share of the documents."),
    ] = "production",
    share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of the documents that a canary judges.", show_default="0.2"),
    ] = None,
) -> None:
    """Move a version of the model to a stage. Workers take it up within seconds; nothing in flight is lost."""
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        whole = _whole(desk, version)
        before = model_versions.stage(session, whole, to, by=actor(), share=share)
    screen.print(f"version {whole} was {before} and is {to} now")


def rollback() -> None:
    """Take back the version on trial; without one, put the former version into production again.

    What a canary cleared is scanned again by the version in production: documents that differ come back to the queue.
    """
    with opened() as desk, refusing():
        with desk.sessions.begin() as session:
            gone = model_versions.roll_back(session, by=actor())
        again = scans.rescan_all_cleared(desk.sessions, gone, actor=actor())
    screen.print(f"version {gone} is retired; {again} documents that it cleared are scanned again")


def import_(
    folder: Annotated[Path, typer.Argument(help="A checkpoint: config.json, model.safetensors, calibration.json.")],
) -> None:
    """Bring a checkpoint into the registry, as a candidate; of one that is known already, the bound that was computed
    for it meanwhile, by which processes judge once they start again.
    """
    version = digest(folder)
    with opened() as desk, refusing():
        try:
            key = model_archives.put(desk.store, folder, version)
        except BadArchive as wrong:
            raise Refusal(str(wrong)) from wrong
        with desk.sessions.begin() as session:
            new = model_versions.register(session, version, key=key, by=actor(), lineage={"imported": True})
    screen.print(f"version {version} is {'a candidate now' if new else 'known already'}")


def export(version: Version, folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")]) -> None:
    """Write a version as a folder: what `docvigil models import` and DOCVIGIL_MODEL_FOLDER take."""
    if folder.exists():
        raise Refusal(f"{folder} is there already; name a folder that is not.")
    with opened() as desk, refusing():
        whole = _whole(desk, version)
        with desk.sessions.begin() as session:
            key = model_versions.get(session, whole).key
        if key is None:
            raise Refusal(f"Version {whole} came with an installation and has no archive; copy its folder instead.")
        try:
            shutil.copytree(registered_folder(desk.settings, whole, key), folder)
            if (bound := model_archives.bound(desk.store, whole)) is not None:
                bound.save(folder)
        except (Missing, ValueError) as wrong:
            raise Refusal(f"{wrong}") from wrong
    screen.print(f"version {whole} is in {folder}")


def report(
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write; one that is there is replaced.")],
    version: Annotated[
        str | None, typer.Argument(help="As `docvigil models list` shows it; its first letters do.")
    ] = None,
    training: Annotated[int | None, typer.Option(help="A training's number, in place of a version.")] = None,
) -> None:
    """Write the quarter's report: what was learned, what the gate said of it, and how the version did since.

    Without a version or a training it is about the training that ended last. The file needs nothing else to be shown.
    """
    if version is not None and training is not None:
        raise Refusal("A report is about a version or about a training; give one of them.")
    with opened() as desk, refusing():
        whole = None if version is None else _whole(desk, version)
        with desk.sessions.begin() as session:
            if whole is not None:
                found = quarter.of_version(session, whole)
            else:
                found = quarter.newest(session) if training is None else quarter.of_training(session, training)
            page = web_quarter.page(found, desk.settings.timezone)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as wrong:
        raise Refusal(f"{out} can't be written: {wrong.strerror}.") from wrong
    screen.print(f"the report is in {out}", highlight=False, soft_wrap=True)


def _whole(desk: Desk, start: str) -> str:
    """The one version that begins so."""
    with desk.sessions.begin() as session:
        found = model_versions.beginning(session, start)
    if len(found) != 1:
        raise Refusal(
            f"No version begins with {start}; see docvigil models list."
            if not found
            else f"{len(found)} versions begin with {start}; give more letters of one."
        )
    return found[0]
