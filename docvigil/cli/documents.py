"""The commands about documents: the queue, one document and its picture, reviews, and scanning again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from docvigil import promises
from docvigil.cli.common import ID_SIGNS, Refusal, actor, as_json, day_of, opened, refusing, screen
from docvigil.cli.scan import finding_form, present_versions
from docvigil.desk import Desk
from docvigil.picture import ENDINGS, Note, Sheet, draw, write
from docvigil.settings import Settings
from docvigil.wiring import desk_rules, document_types
from pipeline.findings import CHECKS
from records import desk as desk_of
from records import listing, registry, scans
from records import queue as queue_of
from records.audit import event
from records.desk_filters import Filters
from records.reviews import review as decide
from records.words import DocumentView, FindingView
from workers.manifest import Manifest

#: Pages drawn into one picture at most.
MOST_PAGES = 8

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids, or their first digits.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The document's id, or its first digits.")]
Json = Annotated[bool, typer.Option("--json", help="One object a line.")]

_COLOURS = {"anomaly": "red", "uncertain": "yellow", "pass": "green"}


class Decision(StrEnum):
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    CORRECT = "correct"


#: What each command means in the records.
DECIDED = {Decision.CONFIRM: "confirmed", Decision.DISMISS: "dismissed", Decision.CORRECT: "corrected"}


def register(app: typer.Typer) -> None:
    """Adds the commands about documents."""
    for command in (queue, show, review, retry, rescan):
        app.command(rich_help_panel="Documents")(command)


def queue(
    check: Annotated[str | None, typer.Option(help="Only with a finding of this check, e.g. date.missing.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only with a form of this document type.")] = None,
    older_than: Annotated[float | None, typer.Option(min=0, help="Hours since the verdict, at least.")] = None,
    reviewed: Annotated[bool, typer.Option("--reviewed", help="Those already decided on, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    json: Json = False,
) -> None:
    """Show the documents that wait for a decision: urgent ones first, then those that have waited longest.

    It is the reviewers' queue. With --json one object a line: `document_id`, `status` (`flagged`), `priority`,
    `document_types`, `checks` (of the findings asked about), `findings` (how many), `undecided` (how many of them in
    this round: a second opinion is another), `arrived_at`, `verdict_at`, `reviewed_at`
    (null until every finding is decided).
    """
    if check is not None and check not in CHECKS:
        raise Refusal(f"There is no check {check!r}; known are {', '.join(CHECKS)}.")
    with opened() as desk, desk.sessions.begin() as session:
        if type_ is not None:
            _known_type(desk.settings, type_)
        older = None if older_than is None else timedelta(hours=older_than)
        filters = Filters(check=check, doctype=type_, older_than=older)
        page = listing.queue(session, filters=filters, decided=reviewed, limit=limit)
    if not page.items:
        narrowed = check is not None or type_ is not None or older_than is not None
        raise Refusal("Nothing in the queue is like that." if narrowed else "The queue is empty.")
    if json:
        for one in page.items:
            as_json(one)
        return
    table = Table("document", "type", "what is wrong", "undecided", "verdict", box=None)
    zone = ZoneInfo(desk.settings.timezone)
    for one in page.items:
        when = one.verdict_at.astimezone(zone).strftime("%d %b %Y %H:%M")
        types = ", ".join(one.document_types) or "unknown"
        table.add_row(one.document_id[:ID_SIGNS], types, ", ".join(one.checks), str(one.undecided), when)
    screen.print(table)
    if page.after is not None:
        screen.print(f"There are more than these {limit}; see them with --limit.")


def show(
    document: Id,
    image: Annotated[
        Path | None, typer.Option(help=f"Write the pages with numbered frames to this file ({', '.join(ENDINGS)}).")
    ] = None,
    page: Annotated[int | None, typer.Option(min=1, help="Only this page in the picture.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="What passed, too.")] = False,
    json: Json = False,
) -> None:
    """Show what was found on a document, and the picture of the reason.

    The numbers are those that `docvigil review` takes. With --json one object, the same as of `docvigil scan`:
    `path` (of the first arrival), `document_id`, `verdict` (null while in flight), `document_type` (names joined by a
    comma, null where unknown), `pages`, `findings` (each with `page`, `field`, `check`, `outcome`, `value`,
    `confidence`, `box`, `rule`, `message`) and `error`. Besides, each finding has `bound`: the share of anomalies of
    its check that end as clear is `at_most` so large, with a `confidence`, shown on so many `anomalies` with so many
    `misses`, `made_up` or not, by which `data` and on which `date`; null where there is no bound yet.
    """
    with opened() as desk, refusing():
        with desk.sessions.begin() as session:
            found = _document(session, document)
            rules = _rules(session, found)
        if image is not None:
            _save(desk, found, image, page, everything)
    if json:
        as_json(_with_bounds(found, desk))
        return
    _tell(found, desk.settings)
    shown = [(number, one) for number, one in numbered(found.findings) if everything or one.outcome != "pass"]
    if shown:
        screen.print(_table(shown, rules))
    passed = len(found.findings) - len(shown)
    if passed:
        screen.print(f"{passed} more passed (--all shows them).")
    if found.findings:
        screen.print(promises.told(found, desk.settings, desk.store), highlight=False)
    if image is not None:
        screen.print(f"Picture: {image}", highlight=False)


def review(
    document: Id,
    decision: Annotated[Decision, typer.Argument(help="Is the finding right, wrong, or was the value misread?")],
    numbers: Annotated[list[int] | None, typer.Argument(metavar="NUMBER…", help="As `docvigil show` has them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every finding that is not decided yet.")] = False,
    value: Annotated[str | None, typer.Option(help="With correct: what really stands there.")] = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Decide on findings of a document. Once all are decided it leaves the queue.

    The number may be left out where only one finding waits for a decision.
    """
    if (decision is Decision.CORRECT) != (value is not None):
        raise Refusal("`correct` needs --value, what really stands there; the other decisions have none.")
    with opened() as desk, refusing(), desk.sessions.begin() as session:
        found = _document(session, document)
        chosen = _chosen(found, _undecided(session, found.id), numbers or [], every)
        rules = desk_rules(desk.settings)
        for one in chosen:
            decide(session, one.id, DECIDED[decision], reviewer=actor(), value=value, note=note, rules=rules)
        left = len(_undecided(session, found.id))
    told = f"{len(chosen)} finding{'' if len(chosen) == 1 else 's'} {DECIDED[decision]}"
    typer.echo(f"{told}; {f'{left} to decide' if left else 'the document leaves the queue'}.")


def retry(documents: Ids) -> None:
    """Scan documents again, whatever their verdict. Dates are judged as of the same day as before."""
    with opened() as desk, refusing():
        with desk.sessions.begin() as session:
            ids = [queue_of.resolve_prefix(session, one) for one in documents]
        for one in dict.fromkeys(ids):
            with desk.sessions.begin() as session:
                scans.retry(session, one, actor=actor())
            typer.echo(f"{one[:ID_SIGNS]} is scanned again.")
        _who_works(desk)


def rescan(
    type_: Annotated[str | None, typer.Option("--type", help="Only documents with a form of this type.")] = None,
    since: Annotated[str | None, typer.Option(help="Only those first seen from this day on, YYYY-MM-DD.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every document.")] = False,
) -> None:
    """Scan documents again that the present model, rules and document types have never judged."""
    if everything == (type_ is not None or since is not None):
        raise typer.BadParameter("say which documents: --type, --since or both; or --all")
    with opened() as desk, refusing():
        if type_ is not None:
            _known_type(desk.settings, type_)
        versions = present_versions(desk)
        first = None if since is None else day_of(since, desk.settings.timezone)
        started, after = 0, ""
        while True:
            with desk.sessions.begin() as session:
                count, following = scans.rescan(
                    session, versions, actor=actor(), doctype=type_, since=first, after=after
                )
            started += count
            if following is None:
                break
            after = following
        if not started:
            raise Refusal("No such document is left that the present versions have not judged.")
        typer.echo(f"{started} document{' is' if started == 1 else 's are'} scanned again.")
        _who_works(desk)


def as_object(document: DocumentView) -> dict[str, Any]:
    """A document as `docvigil scan --json` and `docvigil show --json` print it."""
    scan = document.scan
    return {
        "path": document.arrivals[0].path if document.arrivals else None,
        "document_id": document.id,
        "verdict": scan.verdict,
        "document_type": ", ".join(scan.document_types) or None,
        "pages": len((scan.manifest or {}).get("pages", ())) or None,
        "findings": [finding_form(one) for one in document.findings],
        "error": document.reason,
    }


def _with_bounds(document: DocumentView, desk: Desk) -> dict[str, Any]:
    told, bound = as_object(document), promises.bound_for(document, desk.settings, desk.store)
    for one in told["findings"]:
        one["bound"] = promises.promise(one["check"], bound, desk.settings)
    return told


def numbered(findings: Sequence[FindingView]) -> list[tuple[int, FindingView]]:
    """Findings with their numbers: those that did not pass come first, so that theirs never depend on the others."""
    ordered = sorted(findings, key=lambda one: one.outcome == "pass")
    return list(enumerate(ordered, start=1))


def _document(session: Session, beginning: str) -> DocumentView:
    return queue_of.document(session, queue_of.resolve_prefix(session, beginning))


def _known_type(settings: Settings, name: str) -> None:
    names = sorted(one.name for one in document_types(settings))
    if name not in names:
        raise Refusal(f"There is no document type {name!r}; known are {', '.join(names)}.")


def _rules(session: Session, document: DocumentView) -> Mapping[str, str]:
    """The clause of every rule of the types that the document was judged by."""
    version = document.scan.doctypes_version
    bodies = registry.doctypes_of(session, version) if version else {}
    # A rule of the document's own type goes before one of the same id elsewhere.
    ordered = sorted(bodies.values(), key=lambda body: body["name"] in document.scan.document_types)
    return {rule["id"]: f"{rule['text']} ({rule['source']})" for body in ordered for rule in body.get("rules", ())}


def _tell(document: DocumentView, settings: Settings) -> None:
    """The head of what is shown of a document."""
    scan = document.scan
    colour = {"clear": "green", "flagged": "red"}.get(document.status, "yellow")
    head = f"[bold]{document.id[:ID_SIGNS]}[/]  [{colour}]{document.status.replace('_', ' ')}[/]"
    pages = (scan.manifest or {}).get("pages", ())
    counted = f"{len(pages)} page{'' if len(pages) == 1 else 's'}" if pages else ""
    blank = sum(bool(page.get("blank")) for page in pages)
    facts = [", ".join(scan.document_types), f"{counted}, {blank} of them blank" if blank else counted]
    if document.verdict_at is not None:
        facts.append(document.verdict_at.astimezone(ZoneInfo(settings.timezone)).strftime("%d %b %Y %H:%M"))
    screen.print("  ".join([head, *filter(None, facts)]), highlight=False)
    for one in document.arrivals:
        screen.print(one.path, highlight=False, markup=False)
    if document.reason:
        screen.print(document.reason, highlight=False, markup=False)


def _table(findings: Sequence[tuple[int, FindingView]], rules: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("", "page", "field", "check", "outcome", "value", "sure", "what and why"):
        table.add_column(name, overflow="fold")
    for number, one in findings:
        outcome = f"[{_COLOURS[one.outcome]}]{one.outcome}[/]"
        if one.review is not None:
            outcome += f", {one.review.decision}"
        told = one.message
        if one.rule is not None:
            told += f"\nRule {one.rule}: {rules[one.rule]}" if one.rule in rules else f"\nRule {one.rule}"
        cells = [str(number), str(one.page), one.field or "", one.check, outcome, one.value or ""]
        table.add_row(*cells, f"{one.confidence:.0%}", told.replace("[", r"\["))
    return table


def _save(desk: Desk, document: DocumentView, file: Path, page: int | None, everything: bool) -> None:
    """Writes the picture of the reason; that somebody looks at the pages is recorded first."""
    if document.scan.manifest is None:
        raise Refusal(f"Document {document.id[:ID_SIGNS]} has no pages to draw: {document.reason or document.status}.")
    pages = {one.number: one for one in Manifest.from_json(document.scan.manifest).pages}
    shown = [(number, one) for number, one in numbered(document.findings) if everything or one.outcome != "pass"]
    wanted = sorted({one.page for _, one in shown} & set(pages)) or sorted(pages)[:1]
    if page is not None:
        if page not in pages:
            raise Refusal(f"The document has no page {page}; it has {len(pages)}.")
        wanted = [page]
    if len(wanted) > MOST_PAGES:
        screen.print(f"{len(wanted)} pages have findings; the first {MOST_PAGES} are drawn (--page for the others).")
        wanted = wanted[:MOST_PAGES]
    with desk.sessions.begin() as session:
        event(session, "pages.opened", document.id, actor=actor(), scan=document.scan.id, pages=wanted, purpose="show")
    sheets = [
        Sheet(
            number,
            desk.store.get(pages[number].key),
            [Note(n, one.outcome, one.check, one.message, one.box) for n, one in shown if one.page == number],
        )
        for number in wanted
    ]
    try:
        write(draw(sheets), file)
    except OSError as wrong:
        raise Refusal(f"{file} can't be written ({wrong.strerror}); choose another place.") from wrong
    except ValueError as wrong:
        raise Refusal(str(wrong)) from wrong


def _undecided(session: Session, document_id: str) -> set[int]:
    """The findings that somebody is asked about and that nobody has decided on, a pass that is doubted too."""
    shown = desk_of.document(session, document_id, actor(), supervisor=True)
    return {one.id for one in shown.findings if one.undecided}


def _chosen(
    document: DocumentView, undecided: Collection[int], numbers: Sequence[int], every: bool
) -> list[FindingView]:
    """The findings that a decision is about."""
    known = dict(numbered(document.findings))
    waiting = [one for one in known.values() if one.id in undecided]
    if every:
        if not waiting:
            raise Refusal(f"Every finding of {document.id[:ID_SIGNS]} is decided; give numbers to decide again.")
        return waiting
    if not numbers:
        if len(waiting) == 1:
            return waiting
        raise Refusal(
            f"{len(waiting)} findings wait for a decision; give numbers of `docvigil show {document.id[:ID_SIGNS]}`, "
            "or --all."
        )
    for number in numbers:
        if number not in known:
            raise Refusal(f"There is no finding {number}; the document has {len(known)}.")
    return [known[number] for number in dict.fromkeys(numbers)]


def _who_works(desk: Desk) -> None:
    if not desk.instance.processes:
        typer.echo("No workers run here at present: `docvigil up` takes this up.")
