"""Document types read from folders: `type.yaml` and one blank image a page, each type in a folder of its own.

Whatever is wrong is a `ValueError` that names the file, the place in it and what to do, since people write these
files by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import yaml
from pydantic import ValidationError

from pipeline.doctypes.schema import DocumentType, parse
from pipeline.reading import Pixels
from pipeline.sheet import blank_image

#: The file that makes a folder a document type.
DESCRIPTION = "type.yaml"

#: A description larger than this was not written by a person.
MOST_BYTES = 1_000_000

#: How far a blank's proportions may be from the paper's, as a share: beyond it every box would lie wrong.
MOST_STRETCH = 0.02

#: The types that come with docvigil.
BUILTIN = Path(__file__).parent / "builtin"


def builtin() -> list[DocumentType]:
    """The types that come with docvigil, by name."""
    return load_all(BUILTIN)


def known(folder: Path | None = None) -> list[DocumentType]:
    """The built-in types and the user's own in this folder, which may replace a built-in one by its name.

    Raises `ValueError` as `load_all`.
    """
    own = [] if folder is None else load_all(folder)
    names = {one.name for one in own}
    return [one for one in builtin() if one.name not in names] + own


def load_all(*folders: Path) -> list[DocumentType]:
    """Every type in these folders of type folders, by folder and name. A folder that isn't there holds no types; one
    whose name begins with a dot is still being made.

    Raises `ValueError` where a type is wrong, or two types share name and version, so that no finding could say
    which of them it means.
    """
    types: dict[str, DocumentType] = {}
    for folder in folders:
        for description in sorted(folder.glob(f"[!.]*/{DESCRIPTION}")):
            one = load(description.parent)
            first = types.setdefault(one.name, one)
            if first is not one:
                raise ValueError(
                    f"{description}: there is a type {one.name!r} already in {first.folder}; give one of them another"
                    " name, or remove it"
                )
    return list(types.values())


def load(folder: Path) -> DocumentType:
    """The type in a folder, with its blanks found and their proportions those of the paper.

    Raises `ValueError` naming the file, the place in it and what to do.
    """
    description = folder / DESCRIPTION
    data = _yaml(description)
    if not isinstance(data, Mapping):
        raise ValueError(
            f"{description}: a description has keys and values (name, title, pages, fields, …); start it"
            " with `docvigil doctypes new`"
        )
    if "folder" in data:
        raise ValueError(f"{description}, folder: a type is where its file is; remove this line")
    try:
        doctype = parse(data, folder)
    except ValidationError as wrong:
        raise ValueError(_sentence(description, data, wrong)) from None
    for number, page in enumerate(doctype.pages, 1):
        _check_blank(doctype, number, f"{description}, pages, {number}", page.blank)
    return doctype


def blank(doctype: DocumentType, form_page: int) -> Pixels:
    """The blank of a form's page, grey."""
    return blank_image(doctype, form_page)


def _yaml(path: Path) -> Any:
    """What a YAML file holds, as plain values; a key that is written twice is refused, since one would be lost."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path}: a description of more than {MOST_BYTES // 1_000_000} MB; is this another file?")
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise ValueError(f"{path}: not there; a document type is a folder with a {DESCRIPTION}") from None
    except OSError as wrong:
        raise ValueError(f"{path}: can't be opened ({wrong.strerror}); check the file and its permissions") from None
    except UnicodeDecodeError as wrong:
        raise ValueError(f"{path}: not UTF-8 at byte {wrong.start}; save the file as UTF-8") from None
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(wrong, "problem", None) or "it can't be read"
        raise ValueError(f"{path}{place}: this is no YAML ({problem}); mind indentation, colons and quotes") from None


class _Loader(yaml.SafeLoader):
    """`yaml.SafeLoader` that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen and key.value != "<<":
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands here twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def faults(wrong: ValidationError) -> list[tuple[tuple[int | str, ...], str]]:
    """What is wrong with a description: the steps to each place, and a sentence."""
    found = []
    for error in wrong.errors(include_url=False, include_input=False):
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = "there is no such key; correct its spelling or remove it"
        elif error["type"] == "missing":
            message = "this is missing; add it"
        found.append((error["loc"], message))
    return found


def _sentence(path: Path, data: Mapping[str, Any], wrong: ValidationError) -> str:
    """Every fault of a description, each with its place; a field or rule is called by its name."""
    return "\n".join(f"{path}{_place(data, steps)}: {message}" for steps, message in faults(wrong))


def _place(data: Any, steps: Sequence[int | str]) -> str:
    """Where in a description a fault is, e.g. `, fields, second_signature, box`."""
    place = ""
    for step in steps:
        data = _inside(data, step)
        name = data.get("name", data.get("id", data.get("check"))) if isinstance(data, Mapping) else None
        if isinstance(step, int):
            place += f", {name}" if isinstance(name, str) else f", {step + 1}"
        else:
            place += f", {step}"
    return place


def _inside(data: Any, step: int | str) -> Any:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def _check_blank(doctype: DocumentType, number: int, place: str, name: str) -> None:
    """A blank lies in the type's own folder, is a picture, and has the proportions of its paper."""
    if Path(name).name != name:
        raise ValueError(f"{place}: the blank {name!r} must lie in the type's own folder; copy it there")
    paper = doctype.pages[number - 1]
    try:
        height, width = blank_image(doctype, number).shape
    except OSError:
        raise ValueError(f"{place}: the blank {name!r} is not there; add it, or correct its name") from None
    except (ValueError, cv2.error):
        raise ValueError(f"{place}: the blank {name!r} is no picture; save it as PNG, grey, 150 dpi") from None
    stretch = (width / height) / (paper.width_mm / paper.height_mm)
    if not 1 - MOST_STRETCH < stretch < 1 + MOST_STRETCH:
        raise ValueError(
            f"{place}: the blank {name!r} is {width} × {height} pixels, which is not the shape of {paper.width_mm:g} ×"
            f" {paper.height_mm:g} mm; correct width_mm and height_mm, or crop the blank to the paper"
        )
