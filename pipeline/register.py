"""The endorsers' register as CSV: UTF-8, the first line names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.endorsers import Endorser

#: `name` is needed; of the others, missing columns and empty cells mean none. `document_types` are names separated by
#: semicolons, none meaning all; days are written YYYY-MM-DD, both inclusive.
COLUMNS = (
    "name",
    "designation",
    "employee_code",
    "participant",
    "stamp_text",
    "document_types",
    "valid_from",
    "valid_to",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a CSV file says: endorsers with their lines, and a sentence for each line that can't be taken."""

    lines: tuple[tuple[int, Endorser], ...]
    refusals: tuple[tuple[int, str], ...]

    @property
    def endorsers(self) -> list[Endorser]:
        return [one for _, one in self.lines]


def read_csv(path: Path) -> list[Endorser]:
    """The endorsers in a CSV file. Raises `ValueError` naming line and column for what can't be taken, and `OSError`
    for a file that can't be read."""
    listed = examine(path.read_bytes(), path.name)
    if listed.refusals:
        raise ValueError(f"{path.name}, {listed.refusals[0][1]}")
    return listed.endorsers


def examine(data: bytes, file: str = "the file") -> Listed:
    """What a CSV file says, with every line that can't be taken. Raises `ValueError` for one that is no such file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, Endorser]] = []
    refused: list[tuple[int, str]] = []
    try:
        lines = ((reader.line_num, cells) for cells in reader)
        header = _header(lines, file)
        for number, cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                found.append((number, _endorser(header, cells, f"line {number}")))
            except ValueError as wrong:
                refused.append((number, str(wrong)))
    except csv.Error as error:
        raise ValueError(f"{file} is not well-formed CSV: line {reader.line_num}: {error}") from error
    return Listed(tuple(found), tuple(refused))


def _header(lines: Iterator[tuple[int, list[str]]], file: str) -> list[str]:
    header = [cell.strip().lower() for cell in next(lines, (1, []))[1]]
    for place, column in enumerate(header, start=1):
        if column not in COLUMNS:
            raise ValueError(f"{file}, line 1, column {place}: {column!r} is not one of {', '.join(COLUMNS)}")
        if header.index(column) != place - 1:
            raise ValueError(f"{file}, line 1, column {place}: {column!r} stands there twice")
    if "name" not in header:
        raise ValueError(f"{file}, line 1: there is no column 'name'; the first line names the columns")
    return header


def _endorser(header: Sequence[str], values: Sequence[str], where: str) -> Endorser:
    if len(values) != len(header):
        raise ValueError(f"{where}: {len(values)} cells, but {len(header)} columns")
    cells = dict(zip(header, (cell.strip() for cell in values), strict=True))
    if not cells["name"]:
        raise ValueError(f"{where}, column name: a name is needed")
    if any("\0" in cell for cell in cells.values()):
        raise ValueError(f"{where}: there is a NUL in it; save the file again as CSV UTF-8")
    types = tuple(one.strip() for one in cells.get("document_types", "").split(";") if one.strip())
    first, last = (_day(cells.get(column, ""), f"{where}, column {column}") for column in ("valid_from", "valid_to"))
    if first is not None and last is not None and last < first:
        raise ValueError(f"{where}, column valid_to: {last} is before valid_from, {first}")
    return Endorser(
        name=cells["name"],
        designation=cells.get("designation") or None,
        employee_code=cells.get("employee_code") or None,
        participant=cells.get("participant") or None,
        stamp_text=(cells.get("stamp_text") or "").replace("\\n", "\n") or None,
        document_types=types,
        valid_from=first,
        valid_to=last,
    )


def _day(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{where}: {text!r} is not a day; write it as YYYY-MM-DD") from None
