"""The commands about document types: list, show, new, check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docvigil.cli.common import Refusal, as_json, screen
from docvigil.settings import Settings, settings
from docvigil.wiring import document_types, limits, printed_words
from pipeline.doctypes.author import Report, check, new
from pipeline.doctypes.load import BUILTIN
from pipeline.doctypes.schema import DocumentType
from pipeline.pages import BadFile

app = typer.Typer(help="The forms that docvigil knows: list, show, new, check.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """Show the document types: those that come with docvigil and your own.

    With --json one object a line: `name`, `version`, `title`, `form`, `edition`, `pages`, `fields` (how many), `own`
    (false for a built-in one) and `folder`.
    """
    config = settings()
    types = _types(config)
    if json:
        for one in types:
            as_json(
                {
                    "name": one.name,
                    "version": one.version,
                    "title": one.title,
                    "form": one.form,
                    "edition": one.edition,
                    "pages": len(one.pages),
                    "fields": len(one.fields),
                    "own": _own(one),
                    "folder": one.folder,
                }
            )
        return
    table = Table("name", "version", "title", "edition", "pages", "fields", "from", box=None)
    for one in types:
        told = [one.name, str(one.version), one.title, one.edition or "", str(len(one.pages)), str(len(one.fields))]
        table.add_row(*told, "your own" if _own(one) else "docvigil")
    screen.print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The type's name, as in `docvigil doctypes list`.")],
    out: Annotated[Path | None, typer.Option(help="Draw the blank with its fields to this file (.png).")] = None,
    json: Json = False,
) -> None:
    """Show a document type: its fields, what is checked, and why.

    With --json the type as it is described in its `type.yaml`, in one object.
    """
    one = _named(settings(), name)
    if out is not None:
        _checked(_folder(one), None, out, settings(), ())
    if json:
        as_json(one.model_dump(mode="json"))
        return
    screen.print(f"[bold]{one.title}[/]  {one.key}  {one.folder}", highlight=False)
    table = Table("page", "field", "kind", "must be filled", "checks", box=None)
    for field in one.fields:
        must = "yes" if field.required else f"if {field.required_if} is" if field.required_if else ""
        kind = field.identifier.value if field.identifier is not None else field.kind.value
        checks = ", ".join(f"{each.check} ({each.rule})" if each.rule else each.check for each in field.checks)
        table.add_row(str(field.page), field.name, kind, must, checks)
    screen.print(table)
    for rule in one.rules:
        screen.print(f"Rule {rule.id}: {rule.text} ({rule.source})", highlight=False, markup=False)
    if out is not None:
        screen.print(f"Drawn to {out}", highlight=False)


@app.command("new")
def new_(
    name: Annotated[str, typer.Argument(help="Lower case letters, digits and hyphens.")],
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="BLANK|SAMPLE…", help="One blank (PDF or image); or filled samples, or their folder."),
    ],
    title: Annotated[str | None, typer.Option(help="What people call the form.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where types are kept, if not as set.")] = None,
    print_: Annotated[bool, typer.Option("--print/--no-print", help="Read the print, to name the fields.")] = True,
) -> None:
    """Make a document type from a blank form, or from filled samples where nobody has a blank.

    Fields are proposed by the lines on the form; correct them in the type's `type.yaml`, which says how.
    """
    config = settings()
    kept = folder or config.types_folder
    try:
        made = new(
            kept,
            name,
            title or name.replace("-", " ").capitalize(),
            sources,
            limits(config),
            printed_words() if print_ else None,
        )
        report = check(made)
    except OSError as wrong:
        raise Refusal(f"{wrong.filename or kept} can't be used: {wrong.strerror}.") from wrong
    except ValueError as wrong:
        raise Refusal(_sentence(wrong)) from wrong
    fields = len(report.doctype.fields)
    screen.print(f"{made} has {fields} field{'' if fields == 1 else 's'}.", highlight=False, soft_wrap=True)
    screen.print(
        f"Correct {made / 'type.yaml'}, then see what is cut out of a filled form:\n"
        f"  docvigil doctypes check {name} --sample FILLED --out overview.png",
        highlight=False,
        soft_wrap=True,
    )
    _remark(report)


@app.command("check")
def check_(
    type_: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="The type's name, or the folder it is in.")],
    sample: Annotated[Path | None, typer.Option(help="A filled form to try it on.")] = None,
    out: Annotated[Path | None, typer.Option(help="Draw fields and what is cut out to this file (.png).")] = None,
    json: Json = False,
) -> None:
    """Tell whether a document type is sound, and show what would be cut out of a sample. Exit code 1 where it isn't.

    With --json one object: `name`, `version`, `sound`, `remarks` (sentences), `pages` of the sample (each with
    `number`, `form_page`, `sure`, `why`, `residual_mm`, `fields`, `faulty`, `marks`) and `picture`.
    """
    config = settings()
    folder = Path(type_)
    if not (folder / "type.yaml").is_file():
        folder = _folder(_named(config, type_))
    report = _checked(folder, sample, out, config, _types(config))
    one = report.doctype
    if json:
        as_json(
            {
                "name": one.name,
                "version": one.version,
                "sound": report.sound,
                "remarks": report.remarks,
                "pages": report.pages,
                "picture": report.picture,
            }
        )
    else:
        screen.print(f"{one.title} ({one.key}): {len(one.fields)} fields on {len(one.pages)} pages", highlight=False)
        _remark(report)
        if report.sound:
            screen.print("[green]Nothing to remark.[/]")
        if report.picture is not None:
            screen.print(f"Drawn to {report.picture}", highlight=False)
    if not report.sound:
        raise typer.Exit(1)


def _remark(report: Report) -> None:
    for remark in report.remarks:
        screen.print(remark, highlight=False, markup=False)
    for page in report.pages:
        if page.form_page is None or not page.sure:
            screen.print(f"Page {page.number} of the sample: {page.why}", highlight=False, markup=False)
            continue
        told = f"Page {page.number} of the sample is page {page.form_page} of the form; {len(page.fields)} fields cut"
        if page.faulty:
            told += f", not to be trusted: {', '.join(page.faulty)}"
        if page.marks:
            told += f"; {page.marks} marks that no field explains"
        screen.print(f"{told}.", highlight=False, markup=False)


def _checked(
    folder: Path, sample: Path | None, out: Path | None, config: Settings, others: Sequence[DocumentType]
) -> Report:
    try:
        return check(folder, sample, out, limits=limits(config), others=others)
    except OSError as wrong:
        raise Refusal(f"{wrong.filename or sample} can't be used: {wrong.strerror}.") from wrong
    except ValueError as wrong:
        raise Refusal(_sentence(wrong, sample)) from wrong


def _types(config: Settings) -> list[DocumentType]:
    try:
        return document_types(config)
    except ValueError as wrong:
        raise Refusal(_sentence(wrong)) from wrong


def _named(config: Settings, name: str) -> DocumentType:
    known = {key: one for one in _types(config) for key in (one.key, one.name)}
    if name not in known:
        names = ", ".join(sorted({one.name for one in known.values()}))
        raise Refusal(f"There is no document type {name!r}; known are {names}.")
    return known[name]


def _folder(one: DocumentType) -> Path:
    if one.folder is None:
        raise Refusal(f"Document type {one.key} was not read from a folder.")
    return one.folder


def _own(one: DocumentType) -> bool:
    return one.folder is None or BUILTIN not in one.folder.parents


def _sentence(wrong: ValueError, file: Path | None = None) -> str:
    told = f"{file}: {wrong}" if isinstance(wrong, BadFile) and file is not None else str(wrong)
    return told[:1].upper() + told[1:] if not told.startswith(("/", ".")) else told
