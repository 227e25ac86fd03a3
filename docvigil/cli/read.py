"""`docvigil read`: ask the model about one region of a picture, or find the region on the page first."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, as_json, errors, screen, the_reader
from docvigil.settings import settings
from docvigil.wiring import atlas, detector, limits, printed_words
from pipeline.doctypes.schema import FieldKind
from pipeline.geometry import Box
from pipeline.pages import BadFile
from pipeline.region import RegionReading, Regions


@dataclass(frozen=True)
class Wanted:
    """One region to be read: `box` None means wherever it stands on the page."""

    path: Path
    kind: FieldKind
    box: Box | None
    page: int = 1


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Documents")(read)


def read(
    images: Annotated[list[Path] | None, typer.Argument(metavar="IMAGE…")] = None,
    kind: Annotated[FieldKind | None, typer.Option(help="What stands there.")] = None,
    box: Annotated[str | None, typer.Option(help="x0,y0,x1,y1 in fractions of the page.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Which page of the file.")] = 1,
    regions: Annotated[
        Path | None, typer.Option(help='Many at once: a file with {"path","kind","box"} on each line.')
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Ask the model about a region. Without a box it looks for the field on the page; a picture of nothing but a field
    is read as a whole.

    With --json one object a line: `path`, `kind`, `box` (fractions of the page; null where no such field was found),
    `present`, `value` (as written; digits only from comb boxes), `normalised` (ISO date, plain identifier or number),
    both null where absent or illegible, and `confidence`: the probability that the value, or of what has none the
    presence, is right. `others` are further places on the page where such a field was found, each with `box` and
    `confidence`, the surest first. Of an Aadhaar number only the last four digits are printed. A file that can't be
    read has `path`, `kind` and `error` instead, and makes the exit code 2.
    """
    if regions is not None and (images or kind or box):
        raise typer.BadParameter("--regions names files, kinds and boxes itself; give it alone")
    wanted = list(_of_file(regions)) if regions else list(_of_arguments(images or [], kind, box, page))
    config = settings()
    asked = Regions(the_reader(config), atlas(config), limits(config), printed_words, lambda: detector(config))
    table = Table("file", "kind", "present", "value", "normalised", "confidence", "where", box=None)
    failed = False
    for one in wanted:
        try:
            found = asked.read(one.path, one.kind, one.box, one.page)
        except (OSError, LookupError, ValueError) as wrong:
            failed = True
            _failed(one, _sentence(one, wrong), json)
            continue
        if json:
            as_json(_row(one, found))
            continue
        told = (_yes(found), found.value or "", found.normalised or "")
        table.add_row(str(one.path), one.kind, *told, f"{found.confidence:.3f}", _where(found.box))
        for other in found.others:
            table.add_row("", "", "also", "", "", f"{other.confidence:.3f}", _where(other.box))
    if not json and table.row_count:
        screen.print(table)
    if failed:
        raise typer.Exit(2)


def _of_arguments(images: list[Path], kind: FieldKind | None, box: str | None, page: int) -> Iterator[Wanted]:
    if not images or kind is None:
        raise typer.BadParameter("give IMAGE… and --kind, or --regions FILE.jsonl")
    where = _box(box.split(",")) if box else None
    for image in images:
        yield Wanted(image, kind, where, page)


def _of_file(file: Path) -> Iterator[Wanted]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as wrong:
        raise Refusal(f"{file} can't be read: {wrong.strerror}") from wrong
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            given = json_text.loads(line)
            where = Box.of(given["box"]) if given.get("box") else None
            # A relative path is meant from where the list stands, as it was written there.
            path = Path(given["path"])
            yield Wanted(
                path if path.is_absolute() or path.exists() else file.parent / path,
                FieldKind(given["kind"]),
                where,
                int(given.get("page", 1)),
            )
        except (KeyError, TypeError, ValueError) as wrong:
            raise Refusal(
                f'{file}, line {number}: {wrong}; {{"path": …, "kind": …, "box": [x0, y0, x1, y1]}} is needed'
            ) from wrong


def _box(parts: list[str]) -> Box:
    try:
        return Box.of([float(part) for part in parts])
    except ValueError as wrong:
        raise typer.BadParameter(f"--box: {wrong}") from wrong


def _row(one: Wanted, found: RegionReading) -> dict[str, object]:
    return {
        "path": str(one.path),
        "kind": one.kind,
        "box": found.box.as_list() if found.box else None,
        "present": found.present,
        "value": found.value,
        "normalised": found.normalised,
        "confidence": round(found.confidence, 4),
        "others": [{"box": one.box.as_list(), "confidence": round(one.confidence, 4)} for one in found.others],
    }


def _failed(one: Wanted, told: str, json: bool) -> None:
    if json:
        as_json({"path": str(one.path), "kind": one.kind, "error": told})
    else:
        errors.print(f"{one.path}: {told}", style="red", markup=False, highlight=False, soft_wrap=True)


def _sentence(one: Wanted, wrong: Exception) -> str:
    """What is wrong with a region. A ValueError that is no BadFile is about its box."""
    if isinstance(wrong, OSError):
        return f"It can't be opened: {wrong.strerror}."
    return str(wrong.args[0]) if isinstance(wrong, BadFile | ValueError) else f"It has no page {one.page}."


def _where(box: Box | None) -> str:
    return ",".join(f"{edge:.2f}" for edge in box.as_list()) if box else ""


def _yes(found: RegionReading) -> str:
    return "yes" if found.present else "no"
