"""What the model's bound says of one document: only for one that was judged by what the bound was computed for."""

from __future__ import annotations

from typing import Any

from docvigil import judgement
from docvigil.settings import Settings
from docvigil.trials import type_digests
from pipeline.missed import Bound
from records.objects import ObjectStore
from records.words import DocumentView


def bound_for(document: DocumentView, chosen: Settings, store: ObjectStore) -> Bound | None:
    """The bound that holds for a document, that of the version that judged it; None unless its newest scan was made
    with the thresholds and the document types of the bound. Raises ValueError for a bound.json that can't be read, and
    `records.objects.StoreUnavailable`."""
    scan = document.scan
    if scan.model_version is None or not scan.document_types:
        return None
    found = judgement.bound_of(chosen, store, scan.model_version)
    if found is None:
        return None
    types = type_digests(chosen)
    known = all(found.types.get(name, "") == types.get(name) for name in scan.document_types)
    judged_by = judgement.judgement(chosen, store, scan.model_version)
    return found if known and scan.rules_version == judged_by.rules else None


def promise(check: str, found: Bound | None, chosen: Settings) -> dict[str, Any] | None:
    """What is promised of a check, as JSON has it: the share of its anomalies that end as clear is `at_most` so large,
    with a `confidence`, after so many `anomalies` with so many `misses`; whether those were `made_up`, which `data` and
    when. None where there is no bound yet."""
    if found is None or not found.holds(check, judgement.merged(chosen, found)):
        return None
    own = found.classes[check]
    return {
        "at_most": own.at_most,
        "confidence": round(1 - found.delta, 6),
        "anomalies": own.anomalies,
        "misses": own.misses,
        "made_up": found.made_up,
        "data": found.data,
        "date": found.date,
    }


def told(document: DocumentView, chosen: Settings, store: ObjectStore) -> str:
    """The same for a person, about all checks of a document: one or two sentences."""
    found = bound_for(document, chosen, store)
    checks = list(dict.fromkeys(one.check for one in document.findings))
    proved = [check for check in checks if promise(check, found, chosen) is not None]
    if found is None or not proved:
        return "No bound yet on anomalies that such documents hide (docvigil models list)."
    said = [
        f"Of anomalies at most {100 * found.alpha:g} % end as clear, with {100 * (1 - found.delta):g} % confidence "
        f"({found.data}; {found.date}): {', '.join(proved)}."
    ]
    if found.made_up:
        said.append("This promises nothing for real paper.")
    others = [check for check in checks if check not in proved]
    if others:
        said.append(f"No bound yet: {', '.join(others)}.")
    return " ".join(said)
