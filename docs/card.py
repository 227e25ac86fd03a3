"""Measures the bundled checkpoint and writes the tables of its card, models/bundled/README.md: `make card`.

    python -m docs.card [--parts forms,drawn,manners,stamps,documents,fields,bound] [--count N] [--forms N]
        [--documents N] [--bound N]

Only what stands between the markers `<!-- NAME -->` and `<!-- /NAME -->` is written again. Documents are drawn into
build/card once, and what became of each is kept there, so a run that was stopped goes on. `--bound N` first computes
the bound (bound.json) on N documents of its own; else the one that is there is used and told.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

import structlog

from docvigil import judgement, report
from docvigil.cli.measures import MADE_UP
from docvigil.settings import Settings, settings
from docvigil.trials import Tried, tried, versions
from models.checkpoint import bundled, digest
from models.reader import load_checked
from models.synthesis.documents import LABELS, synthesise
from models.synthesis.faces import PLAIN, at_hand
from models.synthesis.manners import MANNERS
from models.training import evaluate
from models.training.stamped import evaluate_stamps
from pipeline.bounds import needed
from pipeline.findings import CHECKS
from pipeline.missed import Bound, chosen
from pipeline.reading import STRINGS
from pipeline.verdict import usual

log = structlog.get_logger(__name__)

CARD = bundled() / "README.md"

#: Documents of one folder; each has a register of endorsers of its own.
SHARE = 100

#: Documents for the bound and for the numbers have seeds of their own; most of the first have a defect. Those before
#: were looked at for how a defect is to be weighed (docs/decisions/0042).
BOUND_SEED, BOUND_DEFECTS = 410_020, 0.9
SEED, DEFECTS = 420_000, 0.5


def forms(sizes: argparse.Namespace) -> str:
    """Evidence as the pipeline cuts it from forms."""
    scores = evaluate.evaluate_forms(load_checked(bundled()), sizes.forms, sizes.processes)
    return f"{_head(f'{sizes.forms:,} synthesised forms of the test split')}\n\n{evaluate.table(scores)}"


def drawn(sizes: argparse.Namespace) -> str:
    """Evidence drawn field by field."""
    scores = evaluate.evaluate(load_checked(bundled()), sizes.count, sizes.processes)
    return f"{_head(f'{sizes.count:,} evidences a task, test split')}\n\n{evaluate.table(scores)}"


def manners(sizes: argparse.Namespace) -> str:
    """What is written in the same number of forms, by how their paper reached us."""
    reader, kinds = load_checked(bundled()), (*STRINGS, "signature")
    lines = [f"| manner | {' | '.join(kinds)} |", "|" + "---|" * (len(kinds) + 1)]
    for manner in MANNERS:
        scores = evaluate.evaluate_forms(reader, sizes.forms, sizes.processes, manner)
        of = {one.kind: one for one in scores if one.letters == "on forms"}
        lines.append(f"| {manner} | {' | '.join(_exact(of.get(kind)) for kind in kinds)} |")
    return f"{_head(f'{sizes.forms:,} synthesised forms of the test split a manner')}\n\n" + "\n".join(lines)


def stamps(sizes: argparse.Namespace) -> str:
    """Print on the stamps of forms, by how their paper reached us."""
    lines = ["| manner | stamps | exact | 95 % interval | lines exact | character error |", "|---|---|---|---|---|---|"]
    for manner in MANNERS:
        one = evaluate_stamps(sizes.forms, evaluate.FIRST_FORM, sizes.processes, manner)
        lines.append(
            f"| {manner} | {one.stamps:,} | {one.exact:.1%} | {one.low:.1%} to {one.high:.1%} | {one.lines:.1%} "
            f"| {one.character_error:.2%} |"
        )
    return f"{_head(f'{sizes.forms:,} synthesised forms of the test split a manner')}\n\n" + "\n".join(lines)


def _exact(one: evaluate.Score | None) -> str:
    return "" if one is None else f"{one.exact:.1%} of {one.count:,} ({one.low:.0%} to {one.high:.0%})"


def documents(sizes: argparse.Namespace) -> str:
    """Whole documents the whole way, under the thresholds in use."""
    config = _settings()
    folders = drawn_folders(sizes.work, "documents", sizes.documents, SEED, DEFECTS, sizes.processes)
    found = list(tried(folders, config, processes=sizes.processes))
    thresholds = judgement.thresholds(config)
    tables = [report.documents_table(report.of_documents(found, thresholds))]
    for what, own in (("pen strokes only", folders[::2]), ("what fonts, digits and letters there are", folders[1::2])):
        if own:
            one = report.of_documents(list(tried(own, config, processes=sizes.processes)), thresholds)
            tables.append(f"Those drawn with {what}: {report.told(one)}")
    return "\n\n".join([_head(f"{len(found):,} documents, {_materials()}"), *tables])


def fields(sizes: argparse.Namespace) -> str:
    """The fields of all those documents, and of those for the bound if they were asked for."""
    others = drawn_folders(sizes.work, "documents", sizes.documents, SEED, DEFECTS, sizes.processes)
    bounded = _for_bound(sizes) if sizes.bound else []
    folders, rich = [*others, *bounded], [*others[1::2], *bounded[1::2]]
    parts = []
    for what, own in (("All", folders), ("Those drawn with what fonts, digits and letters there are", rich)):
        if own:
            found = list(tried(own, _settings(), processes=sizes.processes))
            parts.append(f"{what}, {len(found):,} documents:\n\n{report.kinds_table(report.by_kind(found))}")
    return "\n\n".join([_head(f"Fields of documents, {_materials()}"), *parts])


def bound(sizes: argparse.Namespace) -> str:
    """The bound, computed again if documents were asked for."""
    if sizes.bound:
        found, tried_ones = _bounded(sizes)
        found.save(bundled())
        usually = report.of_documents(tried_ones, usual())
        came_to = f"What became of these documents under the usual thresholds. {report.documents_table(usually)}"
        return f"{bound_table(found)}\n\n{came_to}"
    known = judgement.bound(_settings())
    return "No bound on misses has been computed." if known is None else bound_table(known)


def bound_table(found: Bound) -> str:
    """The bound as a Markdown table, with what it rests on."""
    lines = [
        f"Data: {found.data}; {found.date}, model {found.model}. Each bound holds with {100 * (1 - found.delta):g} % "
        f"confidence. {found.promise} Of {found.clean:,} clean documents {found.clean_flagged:,} are flagged at these "
        f"thresholds, {found.clean_flagged_at_floor:,} at the usual ones.",
        "",
        "| check | anomalies | missed | passes from | anomalies that end as clear |",
        "|---|---|---|---|---|",
    ]
    for check in CHECKS:
        one = found.classes[check]
        if one.anomalies:
            lines.append(f"| {check} | {one.anomalies:,} | {one.misses:,} | {one.threshold:g} | {found.told(check)} |")
    none = [check for check in CHECKS if not found.classes[check].anomalies]
    wanted = needed(0, found.alpha, found.delta)
    return "\n".join([*lines, "", f"No bound yet, without an anomaly of the {wanted} needed: {', '.join(none)}."])


#: What stands between the markers of each name.
PARTS: dict[str, Callable[[argparse.Namespace], str]] = {
    "bound": bound,
    "forms": forms,
    "drawn": drawn,
    "manners": manners,
    "stamps": stamps,
    "documents": documents,
    "fields": fields,
}


def drawn_folders(
    work: Path, name: str, count: int, seed: int, defects: float, processes: int, on: date | None = None
) -> list[Path]:
    """Folders that together hold so many labelled documents; those that are whole are not drawn again. Every second
    one is drawn as a plain install does, with pen strokes only, the others with fonts, real digits and people's letters
    where they are there."""
    tasks = [
        (work / f"{name}-{seed + part}", min(SHARE, count - part * SHARE), seed + part, defects, part % 2 == 1, on)
        for part in range((count + SHARE - 1) // SHARE)
    ]
    if processes == 1:
        return [_draw(task) for task in tasks]
    with get_context("spawn").Pool(processes) as pool:
        return pool.map(_draw, tasks, chunksize=1)


def _draw(task: tuple[Path, int, int, float, bool, date | None]) -> Path:
    folder, count, seed, defects, rich, on = task
    labelled = folder / LABELS
    if labelled.exists() and len(labelled.read_text(encoding="utf-8").splitlines()) == count:
        return folder
    list(
        synthesise(
            folder,
            count,
            seed=seed,
            defects=defects,
            split="test",
            using=at_hand() if rich else PLAIN,
            on=on,
        )
    )
    log.info("drawn", folder=folder.name, documents=count)
    return folder


def _bounded(sizes: argparse.Namespace) -> tuple[Bound, list[Tried]]:
    config = _settings()
    found = list(tried(_for_bound(sizes), config, processes=sizes.processes))
    model, rules, types = versions(config)
    bound = chosen(
        [one.trial for one in found],
        model=model,
        rules=rules,
        types={name: types[name] for name in sorted({one.document_type for one in found})},
        made_up=True,
        data=f"{len(found):,} labelled documents, made up by docvigil synthesise, {_materials()}",
        date=datetime.now(UTC).date().isoformat(),
        command=f"make card CARD='--bound {sizes.bound}'",
        promise=MADE_UP,
    )
    return bound, found


def _for_bound(sizes: argparse.Namespace) -> list[Path]:
    return drawn_folders(sizes.work, "bound", sizes.bound, BOUND_SEED, BOUND_DEFECTS, sizes.processes)


def _settings() -> Settings:
    """Those in use, with the bundled checkpoint."""
    return settings().model_copy(update={"model_folder": None})


def _head(what: str) -> str:
    return f"{what[:1].upper()}{what[1:]}; model {digest(bundled())}, {datetime.now(UTC):%Y-%m-%d}."


def _materials() -> str:
    given = at_hand()
    there = {"fonts": given.fonts, "real digits": given.digits, "people's letters": given.writers}
    more = [word for word, path in there.items() if path is not None]
    return f"half of them with {', '.join(more)}" if more else "pen strokes only"


def put(card: str, name: str, text: str) -> str:
    """The card with this text between the markers of a name. Raises ValueError where they are missing."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not place.search(card):
        raise ValueError(f"the card has no markers <!-- {name} --> and <!-- /{name} -->")
    return place.sub(lambda found: f"{found[1]}{text}\n{found[2]}", card, count=1)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help="which tables, by the names of their markers")
    parser.add_argument("--count", type=int, default=2000, help="evidences a task of `drawn`")
    parser.add_argument("--forms", type=int, default=300, help="forms whose evidence is read for `forms`")
    parser.add_argument("--documents", type=int, default=1000, help="documents for `documents`")
    parser.add_argument("--bound", type=int, default=0, help="compute the bound on so many documents first")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, default=Path("build/card"), help="where documents are drawn")
    parser.add_argument("--card", type=Path, default=CARD, help="the file to write")
    sizes = parser.parse_args(arguments)
    names = sizes.parts.split(",")
    if unknown := set(names) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    for name in PARTS:
        if name in names:
            text = PARTS[name](sizes)
            # Each part as soon as it is measured: the next may take long.
            sizes.card.write_text(put(sizes.card.read_text(encoding="utf-8"), name, text), encoding="utf-8")
            log.info("written", part=name, card=sizes.card.name)


if __name__ == "__main__":
    main()
