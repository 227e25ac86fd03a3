"""Writes docs/settings.md from docvigil/settings.py: `python -m docs.settings`.

The comments there (`#:`) are the descriptions here.
"""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docvigil import settings

TARGET = Path(__file__).with_name("settings.md")

HEAD = """# Settings

Written from `docvigil/settings.py` by `make docs`; change it there.

Every setting is an environment variable. With none set, `docvigil up` works on one machine, with a Postgres and a Redis
of its own. A wrong value ends any command with a sentence that names the setting. Lists and objects are JSON.

Credentials for S3 and SQS are not settings of docvigil: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`,
`AWS_PROFILE` and roles of the machine work as in every AWS tool.
"""

#: How types read for a person.
KINDS: dict[object, str] = {
    int: "whole number",
    float: "number",
    str: "text",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret",
}


def page() -> str:
    """The whole page as Markdown. Raises ValueError for a setting without a comment."""
    rows = ["| variable | what it is | value | default |", "|---|---|---|---|"]
    for name, meaning in described().items():
        field = settings.Settings.model_fields[name]
        rows.append(f"| `DOCVIGIL_{name.upper()}` | {meaning} | {_values(field)} | {_default(field)} |")
    return "\n".join([HEAD, *rows]) + "\n"


def described() -> dict[str, str]:
    """Every setting in the order of the code, with its comment. Raises ValueError where one has none."""
    source = inspect.getsource(settings)
    lines = source.splitlines()
    body = next(one for one in ast.parse(source).body if isinstance(one, ast.ClassDef) and one.name == "Settings").body
    found = {}
    for node in body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        comment: list[str] = []
        above = node.lineno - 2
        while lines[above].lstrip().startswith("#:"):
            comment.insert(0, lines[above].lstrip().removeprefix("#:").strip())
            above -= 1
        if not comment:
            raise ValueError(f"the setting {node.target.id!r} has no comment above it; say what it is with `#:`")
        found[node.target.id] = " ".join(comment)
    return found


def _values(field: FieldInfo) -> str:
    bounds = [f"{sign} {value:g}" for one in field.metadata for sign, value in _bounds(one)]
    return ", ".join([_kind(field.annotation), *bounds])


def _bounds(bound: object) -> list[tuple[str, Any]]:
    match bound:
        case Ge(ge=value):
            return [("at least", value)]
        case Gt(gt=value):
            return [("more than", value)]
        case Le(le=value):
            return [("at most", value)]
    return []


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(annotation))
    if get_origin(annotation) is dict:
        return "JSON object"
    if get_origin(annotation) is tuple:
        return "JSON list"
    parts = [one for one in get_args(annotation) if one is not NoneType]
    if parts and hasattr(annotation, "__metadata__"):
        parts = parts[:1]
    return KINDS[annotation] if not parts else _kind(parts[0])


def _default(field: FieldInfo) -> str:
    if field.default is None or field.default is PydanticUndefined:
        return ""
    value = field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | dict):
        return f"`{json.dumps(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    TARGET.write_text(page())
