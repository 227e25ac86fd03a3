"""New document types without code: `docvigil doctypes new` and `docvigil doctypes check`.

`new` makes a type's folder from one blank, or from filled samples where nobody has a blank, and proposes fields;
a person corrects `type.yaml`. `check` tells whether it is sound and shows what would be cut out of a sample.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

import cv2
from pydantic import TypeAdapter, ValidationError

from pipeline.doctypes.describe import as_yaml
from pipeline.doctypes.load import DESCRIPTION
from pipeline.doctypes.preview import Report, check
from pipeline.doctypes.propose import PrintedWords, Proposal, names, proposals
from pipeline.doctypes.recover import BLANK_DPI, LEAST_SAMPLES, MOST_SAMPLES, Blank, recovered, straightened
from pipeline.doctypes.schema import FieldKind, TypeName
from pipeline.pages import BadFile, Limits, Page, render

__all__ = ["Report", "check", "new"]

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

GUIDE = """\
# {title}: a document type of docvigil. Boxes are fractions of the page: [left, top, right, bottom].
#
# {found}
# 1. Remove what is no field; correct names, labels and kinds (signature, date, endorsement, text, identifier, amount,
#    checkbox). A name is lower case with underscores; a label is what the reviewer sees.
# 2. Say what must be filled: `required: true`, or `required_if: other_field` (a joint holder signs when named).
# 3. Combs: `cells`, for a date also `format: DDMMYYYY`. Identifiers: `identifier: pan`, aadhaar_last4, aadhaar, bo_id,
#    isin, ifsc, pin_code or serial.
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
    try:
        TypeAdapter[str](TypeName).validate_python(name)
    except ValidationError:
        raise ValueError(
            f"{name!r} is no name of a type: lower case letters, digits and hyphens, a letter first"
        ) from None
    target = folder / name
    if target.exists():
        raise ValueError(f"{target} is there already; choose another name, or remove it")
    blanks = _blanks(_files(sources), limits)
    found = [(number, one) for number, blank in enumerate(blanks, 1) for one in proposals(blank, printed)]
    folder.mkdir(parents=True, exist_ok=True)
    # Made beside its place and moved there whole: workers look into the folder at any time.
    draft = Path(mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        for number, blank in enumerate(blanks, 1):
            _save(blank, draft / f"page-{number}.png")
        (draft / DESCRIPTION).write_text(_description(name, title, blanks, found), encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


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


def _save(blank: Blank, path: Path) -> None:
    done, file = cv2.imencode(".png", blank.image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise ValueError(f"{path} can't be written as PNG")
    path.write_bytes(file.tobytes())


def _description(name: str, title: str, blanks: Sequence[Blank], found: Sequence[tuple[int, Proposal]]) -> str:
    """`type.yaml`: guidance, head, proposed fields."""
    pages = [
        {"blank": f"page-{number}.png", "width_mm": blank.width_mm, "height_mm": blank.height_mm}
        for number, blank in enumerate(blanks, 1)
    ]
    checks = [{"check": check} for check in ("ink.unexpected", "page.missing", "page.poor", "type.unknown")]
    head = as_yaml({"name": name, "title": title, "version": 1, "form": name, "edition": "1", "pages": pages})
    fields = [
        _field(page, called, one) for (page, one), called in zip(found, names([one for _, one in found]), strict=True)
    ]
    number = f"{len(found)} field{'' if len(found) == 1 else 's'}"
    used = min(blank.used for blank in blanks)
    how = f"The blank was recovered from {used} filled samples. " if used > 1 else ""
    told = (
        f"{how}{number} {'was' if len(found) == 1 else 'were'} proposed by the lines on the blank, at {BLANK_DPI} dpi."
    )
    body = as_yaml({"fields": fields}) if fields else EXAMPLE
    return "\n".join([GUIDE.format(title=title, found=told), head, as_yaml({"checks": checks}), RULES, body])


def _field(page: int, name: str, one: Proposal) -> dict[str, object]:
    made: dict[str, object] = {
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
