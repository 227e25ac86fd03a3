"""`docvigil scan`: files or folders now, before everything else that waits, and their verdicts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from docvigil import wiring
from docvigil.cli.common import ID_SIGNS, actor, as_json, errors, opened, screen
from docvigil.desk import Desk
from docvigil.judgement import judgement
from docvigil.processes import working
from ingest.intake import Taken
from ingest.upload import Upload, files_in, take_paths
from pipeline.formats import sniff
from records import outbox, queue, registry, scans
from records.intake import readable
from records.words import DocumentView, FindingView, Versions

#: Exit codes; the highest of all documents counts.
CLEAR, FLAGGED, FAILED = 0, 1, 2
EXITS = {"clear": CLEAR, "flagged": FLAGGED, "quarantined": FAILED, None: FAILED}

#: Seconds between two looks at what has a verdict.
LOOK_SECONDS = 0.3

#: After so long without any work a person is told that nobody does any.
STILL_SECONDS = 45.0

#: In a folder, files of other names count only if their content is a document's.
SUFFIXES = {".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png", ".webp"}

#: Documents that are looked up at once.
AT_ONCE = 500

#: Reasons shown of each document, at most; `docvigil show` has them all.
MOST_REASONS = 4

#: Reasons keep this width in a narrow terminal, in letters; paths are folded instead.
WHY_WIDTH = 38

COLOURS = {"clear": "green", "flagged": "yellow", "quarantined": "red", None: "red"}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one path: a document with its verdict, or an error."""

    path: str
    document: DocumentView | None = None
    error: str | None = None

    @property
    def verdict(self) -> str | None:
        return None if self.document is None else self.document.status

    def form(self) -> dict[str, Any]:
        """The JSON form of `docvigil scan`, one object a path."""
        found = self.document
        types = () if found is None else found.scan.document_types
        manifest = None if found is None else found.scan.manifest
        return {
            "path": readable_path(self.path),
            "document_id": None if found is None else found.id,
            "verdict": self.verdict,
            "document_type": ", ".join(types) or None,
            "pages": len(manifest["pages"]) if manifest else None,
            "findings": [finding_form(one) for one in found.findings] if found else [],
            "error": self.error if found is None else found.reason,
        }


def finding_form(one: FindingView) -> dict[str, Any]:
    """A finding as it stands in JSON."""
    return {
        "page": one.page,
        "field": one.field,
        "check": one.check,
        "outcome": one.outcome,
        "value": one.value,
        "confidence": round(one.confidence, 4),
        "box": None if one.box is None else one.box.as_list(),
        "rule": one.rule,
        "message": one.message,
    }


def readable_path(path: str) -> str:
    """A path for JSON: bytes that are no UTF-8 stand as \\xNN."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def present_versions(desk: Desk) -> Versions:
    """What documents would be judged by today."""
    with desk.sessions.begin() as session:
        model = wiring.present_model(desk.settings, session)
    rules = judgement(desk.settings, desk.store, model).rules
    return Versions(model, rules, registry.types_version(wiring.document_types(desk.settings)))


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Documents")(scan)


def scan(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, and folders with all that is in them.")],
    json: Annotated[bool, typer.Option("--json", help="One object a line, in the order given.")] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Also what has a verdict that the present model, rules or types didn't give."),
    ] = False,
) -> None:
    """Scan files now. Exit code 0: all clear, 1: some flagged, 2: some quarantined or unreadable."""
    targets = list(targets_in(paths))
    table = Table("file", "verdict", "type", Column("why", min_width=WHY_WIDTH), box=None)
    highest, counted = CLEAR, dict.fromkeys(EXITS, 0)
    with opened(working) as desk:
        for result in results(desk, targets, again=again):
            highest = max(highest, EXITS[result.verdict])
            counted[result.verdict] += 1
            if json:
                as_json(result.form())
            else:
                table.add_row(*_row(result))
    if not json:
        screen.print(table)
        words = [f"{counted[one]} {one}" for one in ("clear", "flagged", "quarantined")]
        screen.print(", ".join(words + ([f"{counted[None]} refused"] if counted[None] else [])), highlight=False)
    raise typer.Exit(highest)


def targets_in(paths: Iterable[Path]) -> Iterator[Path | Result]:
    """The files to scan, in order; in place of those that can't be, what is wrong with them."""
    for path in paths:
        try:
            if not path.is_dir():
                yield path if path.exists() else Result(str(path), error="There is no such file or folder.")
                continue
            found = list(files_in([path]))
        except OSError as wrong:
            yield Result(str(path), error=f"It can't be opened: {wrong.strerror}.")
            continue
        others = 0
        for file in found:
            if file.is_symlink():
                yield Result(str(file), error="It is a symbolic link, which is not followed. Give the file itself.")
            elif _is_document(file):
                yield file
            else:
                others += 1
        if others:
            what = "1 file that is no document was" if others == 1 else f"{others} files that are no documents were"
            errors.print(Text(f"{what} left out in {readable(str(path))}; name a file to scan it all the same."))
        if others == len(found):
            yield Result(str(path), error="The folder holds no documents.")


def _is_document(file: Path) -> bool:
    if file.suffix.lower() in SUFFIXES or not file.is_file():
        return True
    try:
        with file.open("rb") as opened_file:
            return sniff(opened_file.read(1024)) is not None
    except OSError:
        # Intake says what is wrong with it.
        return True


def results(desk: Desk, targets: list[Path | Result], *, again: bool = False) -> Iterator[Result]:
    """One result a target, in their order, each as soon as those before it are there; `again`: what was judged by other
    versions is scanned once more. Shows progress on standard error where that is a terminal."""
    files = [one for one in targets if isinstance(one, Path)]
    intake = wiring.intake(desk.settings, desk.sessions, desk.store)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        bar = progress.add_task("taking in", total=len(files))
        uploads: list[Upload] = []
        for upload in take_paths(files, intake):
            uploads.append(upload)
            progress.advance(bar)
        _known(desk, [one.taken for one in uploads], again)
        progress.reset(bar, description="scanning", total=len(files))
        taken = iter(uploads)
        waiting = Waiting(desk, {one.taken.document_id for one in uploads if one.taken.document_id is not None})
        for target in targets:
            if isinstance(target, Result):
                yield target
                continue
            upload = next(taken)
            document_id = upload.taken.document_id
            if document_id is None:
                yield Result(upload.path, error=upload.taken.reason)
            else:
                while document_id not in waiting.settled:
                    waiting.look()
                    progress.update(bar, completed=len(waiting.settled))
                with desk.sessions.begin() as session:
                    yield Result(upload.path, document=queue.document(session, document_id))


def _known(desk: Desk, taken: Iterable[Taken], again: bool) -> None:
    """Scans what is known, but not to the present versions, once more, or tells that there is such."""
    ids = sorted({one.document_id for one in taken if one.status == "duplicate" and one.document_id is not None})
    if not ids:
        return
    versions, count = present_versions(desk), 0
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        with desk.sessions.begin() as session:
            if again:
                scans.rescan(session, versions, actor=actor(), only=some, limit=AT_ONCE)
            else:
                count += scans.judged_otherwise(session, versions, some)
    if count:
        them = "1 document has" if count == 1 else f"{count} documents have"
        errors.print(
            f"{them} a verdict from before the present model, rules and document types; `--again` scans anew.",
            soft_wrap=True,
        )


class Waiting:
    """Waits for verdicts, and says so when nobody works on them."""

    def __init__(self, desk: Desk, document_ids: set[str]) -> None:
        self._desk = desk
        self._open = document_ids
        self.settled: set[str] = set()
        self._moved_at = time.monotonic()
        self._first = True

    def look(self) -> None:
        """Waits a moment, then looks which documents have a verdict now."""
        if not self._first:
            time.sleep(LOOK_SECONDS)
        self._first = False
        with self._desk.sessions.begin() as session:
            statuses = queue.statuses(session, self._open)
            at_work = any(one.taken for one in outbox.pending(session).values())
        done = {one for one, status in statuses.items() if status != "in_flight"}
        self.settled |= done
        self._open -= done
        now = time.monotonic()
        if done or at_work:
            self._moved_at = now
        elif now - self._moved_at > STILL_SECONDS:
            self._moved_at = now
            self._tell()

    def _tell(self) -> None:
        if self._desk.instance.owner is None:
            hint = "Do `docvigil relay`, `docvigil worker prepare` and `docvigil worker infer` run?"
        else:
            hint = f"The logs in {self._desk.settings.home / 'logs'} say what keeps the workers."
        errors.print(
            Text(
                f"No worker has done anything for {STILL_SECONDS:.0f} seconds; {len(self._open)} documents wait. {hint}"
                " Ctrl-C gives up waiting; the documents stay in the queue."
            ),
            soft_wrap=True,
        )


def _row(result: Result) -> tuple[Text, Text, Text, Text]:
    types = () if result.document is None else result.document.scan.document_types
    return (
        Text(readable(result.path), overflow="fold"),
        Text(result.verdict or "refused", style=COLOURS[result.verdict]),
        Text(", ".join(types)),
        Text("\n".join(_reasons(result))),
    )


def _reasons(result: Result) -> list[str]:
    """Why somebody must look: the sentence of what could not be scanned, or the checks that didn't pass with their
    fields, anomalies before doubts."""
    document = result.document
    if document is None or document.reason is not None:
        return [readable((result.error if document is None else document.reason) or "")]
    wrong = sorted((one for one in document.findings if one.outcome != "pass"), key=lambda one: one.outcome)
    lines = [f"{one.check} {one.field or f'page {one.page}'}" for one in wrong]
    if len(lines) > MOST_REASONS:
        lines[MOST_REASONS:] = [f"and {len(lines) - MOST_REASONS} more: docvigil show {document.id[:ID_SIGNS]}"]
    return lines
