"""`docvigil models evaluate` and `calibrate`: the selected model on documents whose right answers are known."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.table import Column, Table

from docvigil import judgement, report
from docvigil.cli.common import Refusal, as_json, errors, screen
from docvigil.measure import labels
from docvigil.settings import Settings, settings
from docvigil.trials import Tried, tried, versions
from pipeline.bounds import ALPHA, DELTA
from pipeline.findings import CHECKS
from pipeline.missed import FILE, MOST_FLAGGED, MOST_TOGETHER, Bound, chosen

#: Processes that try documents where none are named, at most: each holds the model.
MOST_PROCESSES = 8

#: What a bound from documents that nobody filled in says of paper.
MADE_UP = "The documents were made up by docvigil synthesise: this promises nothing for real paper."

Folders = Annotated[
    list[Path], typer.Argument(metavar="FOLDER…", help="Made by `docvigil synthesise`: documents and labels.jsonl.")
]
Processes = Annotated[int | None, typer.Option(min=1, help="Documents tried at the same time; unset, one a core.")]
On = Annotated[str | None, typer.Option(help="Day they arrived, YYYY-MM-DD, where labels name none.")]


def evaluate(
    folders: Folders,
    write: Annotated[
        Path | None, typer.Option("--report", help="Write report.html, report.json and diagrams to this folder.")
    ] = None,
    processes: Processes = None,
    on: On = None,
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Measure how well the selected model reads labelled documents, and what becomes of them.

    What became of each document is kept in trials.jsonl beside labels.jsonl, so that a run that was stopped goes on
    and a second one takes no time. With --json one object a kind of field: `kind`, `fields` (how many), `exact` (share
    of which state and value are right) with its 95 % interval `low` to `high`, `presence` (share told rightly to be
    there or not), `precision` and `recall` (of telling that something is there), `written` (how many hold something),
    `written_exact` (share of these that are right), `character_error` (edits a character), `calibration_error`
    (expected, 15 bins), `auroc` (of confidence against being right), `strict_share` (share that can be answered at
    99.5 % accuracy) and `lost` (how many were not found). Then one object about the documents under the thresholds in
    use: `documents`, `defects` (planted), `defects_flagged` (share) with `defects_low` and `defects_high`, `clean`,
    `clean_flagged` with `clean_low` and `clean_high`, `quarantined`, `by_check` (each `planted`, `flagged`, `named`:
    flagged by that check) and `false_alarms` (clean documents by check).
    """
    config = settings()
    found = _tried(folders, config, processes, on)
    thresholds = judgement.thresholds(config)
    kinds, documents = report.by_kind(found), report.of_documents(found, thresholds)
    if not kinds:
        raise Refusal(f"{_named(folders)} has no labelled fields.")
    if write is not None:
        about = f"{len(found):,} labelled documents, model {found[0].model}, {datetime.now(UTC):%d %b %Y}."
        page = report.write(write, found, thresholds, about)
        errors.print(f"Report: {page}", highlight=False, soft_wrap=True)
    if json:
        for row in (*map(asdict, kinds), asdict(documents)):
            as_json(_rounded(row))
        return
    interval = Column("95 % interval", no_wrap=True)
    table = Table("kind", "fields", "right", interval, "presence", "values", "values right", "lost", box=None)
    for one in kinds:
        values = "" if one.written_exact is None else f"{one.written_exact:.1%}"
        shares = [f"{one.exact:.1%}", f"{one.low:.1%} to {one.high:.1%}", f"{one.presence:.1%}"]
        table.add_row(one.kind, str(one.fields), *shares, str(one.written), values, str(one.lost))
    screen.print(table)
    _tell(documents)


def calibrate(
    folders: Folders,
    alpha: Annotated[float, typer.Option(help="Share of true anomalies that may end as clear.")] = ALPHA,
    delta: Annotated[float, typer.Option(help="Chance that a bound is wrong.")] = DELTA,
    most_flagged: Annotated[
        float, typer.Option(min=0, max=1, help="Share of clean documents that one check may flag for its bound.")
    ] = MOST_FLAGGED,
    most_together: Annotated[
        float, typer.Option(min=0, max=1, help="Share that all checks together may flag; the dearest go without.")
    ] = MOST_TOGETHER,
    real: Annotated[
        str | None, typer.Option(help="These are real documents, labelled by people: which, in a few words.")
    ] = None,
    processes: Processes = None,
    on: On = None,
    write: Annotated[bool, typer.Option("--write/--dry-run", help=f"Write {FILE} into the model's folder.")] = True,
    json: Annotated[bool, typer.Option("--json", help="One object.")] = False,
) -> None:
    """Choose for each check how sure a pass must be, with a bound on the anomalies that end as clear.

    A check needs 299 labelled anomalies without a miss for 1 % at 95 % confidence (more with misses), else it keeps its
    threshold and has no bound yet. The documents must be others than those the model's confidence was fitted on. What
    became of each is kept in trials.jsonl beside labels.jsonl: more documents can be added at any time. With --json the
    object of bound.json: `alpha`, `delta`, `model`, `rules`, `types` (document types tried, with digests), `floor` (the
    thresholds below all), `classes` (each check with `holds`, `threshold`, `anomalies`, `misses`, `misses_always`,
    `at_most`, `flagged`, `needs`, `needs_flagged`), `documents`, `clean`, `clean_flagged_at_floor`, `clean_flagged`,
    `made_up`, `data`, `date`, `command` and `promise`.
    """
    if not 0 < alpha < 1 or not 0 < delta < 1:
        raise typer.BadParameter("--alpha and --delta lie between 0 and 1")
    config = settings()
    found = _tried(folders, config, processes, on)
    model, rules, types = versions(config)
    told = real or "made up by docvigil synthesise"
    bound = chosen(
        [one.trial for one in found],
        alpha=alpha,
        delta=delta,
        most_flagged=most_flagged,
        most_together=most_together,
        model=model,
        rules=rules,
        types={name: types[name] for name in sorted({one.document_type for one in found}) if name in types},
        made_up=real is None,
        data=f"{len(found):,} labelled documents, {told}",
        date=datetime.now(UTC).date().isoformat(),
        command=_command(
            folders,
            real,
            {
                "--alpha": (alpha, ALPHA),
                "--delta": (delta, DELTA),
                "--most-flagged": (most_flagged, MOST_FLAGGED),
                "--most-together": (most_together, MOST_TOGETHER),
            },
        ),
        promise=MADE_UP if real is None else "It holds for documents like these, and no others.",
    )
    folder = judgement.model_folder(config)
    if write:
        try:
            bound.save(folder)
        except OSError as wrong:
            raise Refusal(
                f"{folder / FILE} can't be written ({wrong.strerror}); copy the model's folder, name the copy by "
                "DOCVIGIL_MODEL_FOLDER, and run this again: nothing is scanned twice."
            ) from wrong
    if json:
        as_json(asdict(bound))
        return
    screen.print(bounds_table(bound))
    tell_bound(bound)
    if write:
        told_file = f"Written to {folder / FILE}; processes that run take it up when they start again."
        screen.print(told_file, highlight=False, soft_wrap=True)


def bounds_table(bound: Bound) -> Table:
    """The classes of a bound of which there were anomalies."""
    table = Table(
        Column("check", no_wrap=True), "misses", "pass from", "anomalies", "missed", "clean flagged", box=None
    )
    for check in CHECKS:
        one = bound.classes.get(check)
        if one is not None and one.anomalies:
            price = "" if one.flagged is None else f"{one.flagged:.1%}"
            counts = [f"{one.threshold:g}", str(one.anomalies), str(one.misses), price]
            table.add_row(check, bound.told(check), *counts)
    return table


def tell_bound(bound: Bound) -> None:
    """What a bound rests on, and what it costs."""
    none = [check for check in CHECKS if check not in bound.classes or not bound.classes[check].anomalies]
    if none:
        screen.print(f"No bound yet, without any labelled anomaly: {', '.join(none)}.", highlight=False)
    sure = f"{100 * (1 - bound.delta):g} %"
    lines = [f"Each bound holds with {sure} confidence. Data: {bound.data}; {bound.date}. {bound.promise}"]
    if bound.clean:
        before, now = bound.clean_flagged_at_floor / bound.clean, bound.clean_flagged / bound.clean
        lines.append(f"Of {bound.clean} clean documents these thresholds flag {now:.1%}, the usual ones {before:.1%}.")
    else:
        lines.append("There were no clean documents: how many these thresholds flag is not known.")
    for line in lines:
        screen.print(line, highlight=False)


def _tried(folders: Sequence[Path], config: Settings, processes: int | None, on: str | None) -> list[Tried]:
    """All trials of the folders, shown as they come."""
    try:
        day = None if on is None else date.fromisoformat(on)
    except ValueError as wrong:
        raise typer.BadParameter(f"{on!r} is no day; YYYY-MM-DD is needed") from wrong
    try:
        total = sum(len(labels(folder)) for folder in folders)
        steps = tried(folders, config, processes=processes or min(os.cpu_count() or 1, MOST_PROCESSES), on=day)
        found = list(track(steps, "trying", total=total, console=errors, transient=True))
    except OSError as wrong:
        raise Refusal(f"{wrong.filename or _named(folders)} can't be opened: {wrong.strerror or wrong}.") from wrong
    except ValueError as wrong:
        raise Refusal(f"{wrong}.") from wrong
    if not found:
        raise Refusal(f"{_named(folders)} has no labelled documents.")
    return found


def _tell(score: report.DocumentScore) -> None:
    table = Table(Column("check", no_wrap=True), "planted", "flagged", "by this check", "false alarms", box=None)
    for name in sorted({*score.by_check, *score.false_alarms}):
        own = score.by_check.get(name)
        counts = ["", "", ""] if own is None else [str(own.planted), str(own.flagged), str(own.named)]
        table.add_row(name, *counts, str(score.false_alarms.get(name, "")))
    screen.print(table)
    screen.print(report.told(score), highlight=False)


def _command(folders: Sequence[Path], real: str | None, shares: Mapping[str, tuple[float, float]]) -> str:
    """How to compute a bound again, with the `shares` that aren't the usual ones (each with that); of folders their
    names only, since the file travels with the model."""
    words = ["docvigil", "models", "calibrate", *(folder.resolve().name for folder in folders)]
    for option, (given, usual) in shares.items():
        words += [option, f"{given:g}"] if given != usual else []
    return shlex.join([*words, *(["--real", real] if real else [])])


def _named(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
