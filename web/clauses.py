"""What a finding rests on, in words: the clause of its rule and what the form calls its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from records import registry

#: Versions of the document types that are kept; they never change.
KEPT = 32

_known: dict[str, Mapping[str, Mapping[str, Any]]] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Clauses:
    """Rules by id, labels by the field's name; those of the document's own types go before others."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def clauses(session: Session, version: str | None, types: Collection[str]) -> Clauses:
    """Those of the types that a document was judged by."""
    bodies = {} if version is None else _bodies(session, version)
    ordered = sorted(bodies.values(), key=lambda body: body["name"] in types)
    own = [body for body in ordered if body["name"] in types]
    return Clauses(
        {rule["id"]: Rule(rule["text"], rule["source"]) for body in ordered for rule in body.get("rules", ())},
        {one["name"]: one["label"] for body in own for one in body.get("fields", ())},
    )


def _bodies(session: Session, version: str) -> Mapping[str, Mapping[str, Any]]:
    if version not in _known:
        found = registry.doctypes_of(session, version)
        if not found:
            return {}
        while len(_known) >= KEPT:
            _known.pop(next(iter(_known)))
        _known[version] = found
    return _known[version]
