"""New document types without code: `docvigil doctypes new` and `docvigil doctypes check`.

`new` makes a type's folder from one blank, or from filled samples where nobody has a blank, and proposes fields;
a person corrects `type.yaml`. `check` tells whether it is sound and shows what would be cut out of a sample.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import cv2
from pydantic import TypeAdapter, ValidationError

from pipeline.doctypes.describe import as_yaml
from pipeline.doctypes.load import DESCRIPTION, load
from pipeline.doctypes.preview import Report, check
from pipeline.doctypes.propose import PrintedWords, Proposal, names, proposals
from pipeline.doctypes.recover import LEAST_SAMPLES, MOST_SAMPLES, Blank, recovered, straightened
from pipeline.doctypes.rules import BLANK_DPI
from pipeline.doctypes.schema import FieldKind, TypeName
from pipeline.pages import BadFile, Limits, Page, render
from pipeline.reading import Pixels

__all__ = ["Draft", "Report", "check", "drafted", "new", "write"]

#: Checks proposed for each kind of field. What must be there is for a person to say: `required: true`.
CHECKS = {
    FieldKind.SIGNATURE: ("signature.missing",),
    FieldKind.DATE: ("date.missing", "date.unreadable", "date.format", "date.impossible", "date.future"),
    FieldKind.ENDORSEMENT: ("endorsement.missing", "endorsement.unauthorised"),
    FieldKind.TEXT: ("field.missing",),
    FieldKind.AMOUNT: ("field.missing",),
    FieldKind.IDENTIFIER: ("field.missing", "identifier.invalid"),
    FieldKind.CHECKBOX: (),
}

#: Checks on the page or the whole form, of a new type.
FORM_CHECKS = ("ink.unexpected", "page.missing", "page.poor", "type.unknown")

GUIDE = """\
# {title}: a document type of docvigil. Boxes are fractions of the page: [left, top, right, bottom].
#
# {found}
# 1. Remove what is no field; correct names, labels and kinds (signature, date, endorsement, text, identifier, amount,
#    checkbox). A name is lower case with underscores; a label is what the reviewer sees.
# 2. Say what must be filled: `required: true`, or `required_if: other_field` (a joint holder signs when named).
# 3. Combs: `cells`, for a date also `format: DDMMYYYY`; where boxes stand in groups `groups: [2, 2, 4]` and the `gap`
#    between them in widths of a box. Identifiers: `identifier: pan`, aadhaar_last4, aadhaar, bo_id, isin, ifsc,
#    pin_code or serial.
# 4. More checks, where they apply: `{{check: date.stale, max_age_days: 92}}`,
#    `{{check: date.order, not_before: other_date}}`, `{{check: amount.mismatch, words: field_with_the_words}}`; each
#    may name its `rule: id` from the list of rules.
# 5. `free_areas` of a page are boxes where ink is expected though no field is there (photograph, office notes).
# 6. See what will be cut out: docvigil doctypes check FOLDER --sample FILLED_SCAN --out overview.png
"""

EXAMPLE = """\
# No field was found; there must be at least one:
# fields:
#   - name: signature
#     label: Signature of the applicant
#     kind: signature
#     page: 1
#     box: [0.1, 0.8, 0.4, 0.86]
#     required: true
#     checks:
#       - {check: signature.missing}
"""

RULES = """\
# Why something is checked. Findings cite it:
# rules:
#   - id: circular.4
#     text: The applicant signs and dates the form.
#     source: Circular 4 of 2024
#     valid_from: 2024-04-01
"""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A type as it was found on its pages: blanks, proposed fields (as in `type.yaml`), and a sentence on both."""

    name: str
    title: str
    blanks: tuple[Blank, ...]
    fields: tuple[dict[str, Any], ...]
    told: str

    @property
    def head(self) -> dict[str, Any]:
        """The description down to its pages."""
        pages = [
            {"blank": page_name(number), "width_mm": blank.width_mm, "height_mm": blank.height_mm}
            for number, blank in enumerate(self.blanks, 1)
        ]
        named = {"name": self.name, "title": self.title, "version": 1, "form": self.name, "edition": "1"}
        return {**named, "pages": pages}

    @property
    def body(self) -> dict[str, Any]:
        """The whole description; without a field where none was found."""
        return {**self.head, "checks": [{"check": check} for check in FORM_CHECKS], "fields": list(self.fields)}


def page_name(number: int) -> str:
    """The file of a blank page, pages counting from 1."""
    return f"page-{number}.png"


def drafted(
    name: str, title: str, sources: Sequence[Path], limits: Limits, printed: PrintedWords | None = None
) -> Draft:
    """A draft of the type `name` from its `sources`; see `new`."""
    _check_name(name)
    blanks = _blanks(_files(sources), limits)
    found = [(number, one) for number, blank in enumerate(blanks, 1) for one in proposals(blank, printed)]
    called = names([one for _, one in found])
    fields = tuple(_field(page, name, one) for (page, one), name in zip(found, called, strict=True))
    number = f"{len(found)} field{'' if len(found) == 1 else 's'}"
    used = min(blank.used for blank in blanks)
    how = f"The blank was recovered from {used} filled samples. " if used > 1 else ""
    told = (
        f"{how}{number} {'was' if len(found) == 1 else 'were'} proposed by the lines on the blank, at {BLANK_DPI} dpi."
    )
    return Draft(name, title, tuple(blanks), fields, told)


def new(
    folder: Path,
    name: str,
    title: str,
    sources: Sequence[Path],
    limits: Limits,
    printed: PrintedWords | None = None,
) -> Path:
    """Makes the type `name` in `folder` (of type folders) and returns its own folder.

    `sources` is one blank (PDF or image), or at least `LEAST_SAMPLES` filled samples, a file each; a folder stands
    for the files in it. `printed` reads the print beside fields, for their names and kinds. Raises `ValueError` with
    a sentence, and `BadFile` naming the file that can't be read.
    """
    _check_name(name)
    target = folder / name
    if target.exists():
        raise ValueError(f"{target} is there already; choose another name, or remove it")
    draft = drafted(name, title, sources, limits, printed)
    return write(folder, name, _description(draft), [png(blank.image) for blank in draft.blanks])


def write(folder: Path, name: str, description: str, pages: Sequence[bytes], *, replace: bool = False) -> Path:
    """Puts a type into `folder` (of type folders) under its name, whole or not at all, and returns its own folder.

    `description` is YAML, `pages` are PNG files. With `replace` a type of that name gives way, and comes back where
    the new one can't be put. Raises `OSError`, and `ValueError` where the description or a page is wrong.
    """
    target = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    # Made beside its place and moved there whole: workers look into the folder at any time.
    draft = Path(mkdtemp(prefix=f".{name}-", dir=folder))
    old = draft.with_name(f"{draft.name}-old")
    try:
        for number, page in enumerate(pages, 1):
            (draft / page_name(number)).write_bytes(page)
        (draft / DESCRIPTION).write_text(description, encoding="utf-8")
        draft.chmod(0o755)
        if replace:
            load(draft)
            if target.exists():
                target.rename(old)
        try:
            draft.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return target


def png(image: Pixels) -> bytes:
    """A blank as a file. Raises `ValueError` where it can't be one."""
    done, file = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise ValueError(f"a page of {image.shape[1]} × {image.shape[0]} pixels can't be written as PNG")
    return file.tobytes()


def _check_name(name: str) -> None:
    try:
        TypeAdapter[str](TypeName).validate_python(name)
    except ValidationError:
        raise ValueError(
            f"{name!r} is no name of a type: lower case letters, digits and hyphens, a letter first"
        ) from None


def _files(sources: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            files += sorted(one for one in source.iterdir() if one.is_file() and not one.name.startswith("."))
        else:
            files.append(source)
    if not files:
        raise ValueError(f"give one blank form (PDF or image), or at least {LEAST_SAMPLES} filled samples of it")
    if 1 < len(files) < LEAST_SAMPLES:
        raise ValueError(
            f"{len(files)} files are neither one blank form nor at least {LEAST_SAMPLES} filled samples; add samples, "
            "or give the blank alone, all its pages in one file"
        )
    return files


def _blanks(files: Sequence[Path], limits: Limits) -> list[Blank]:
    """The form's blank pages, in their order."""
    if len(files) == 1:
        return [straightened(page) for page in _pages(files[0], limits)]
    samples = [_pages(file, limits) for file in files[:MOST_SAMPLES]]
    # A sample with another number of pages has other papers with it, or lacks some: which, nobody can tell.
    count, _times = Counter(len(pages) for pages in samples).most_common(1)[0]
    whole = [pages for pages in samples if len(pages) == count]
    if len(whole) < LEAST_SAMPLES:
        raise ValueError(
            f"only {len(whole)} of {len(files)} samples have the same number of pages ({count}); give at least "
            f"{LEAST_SAMPLES} samples with the form's pages and nothing else, in their order"
        )
    blanks = []
    for number in range(count):
        try:
            blanks.append(recovered([pages[number] for pages in whole]))
        except ValueError as few:
            raise ValueError(f"page {number + 1} can't be recovered: {few}") from few
    return blanks


def _pages(file: Path, limits: Limits) -> list[Page]:
    try:
        return list(render(file, limits))
    except BadFile as bad:
        raise BadFile(bad.reason, f"{file}: {bad}") from bad
    except OSError as wrong:
        raise ValueError(f"{file} can't be opened ({wrong.strerror}); check its name and permissions") from wrong


def _description(draft: Draft) -> str:
    """`type.yaml`: guidance, head, proposed fields."""
    checks = as_yaml({"checks": [{"check": check} for check in FORM_CHECKS]})
    fields = as_yaml({"fields": list(draft.fields)}) if draft.fields else EXAMPLE
    return "\n".join([GUIDE.format(title=draft.title, found=draft.told), as_yaml(draft.head), checks, RULES, fields])


def _field(page: int, name: str, one: Proposal) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "label": one.words or name.replace("_", " ").capitalize(),
        "kind": one.kind,
        "page": page,
        "box": one.box.clipped().as_list(),
        "required": False,
    }
    if one.cells:
        made["cells"] = one.cells
    if one.identifier:
        made["identifier"] = one.identifier
    made.update(one.more)
    if CHECKS[one.kind]:
        made["checks"] = [{"check": check} for check in CHECKS[one.kind]]
    return made
