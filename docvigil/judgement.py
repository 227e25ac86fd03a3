"""By what a version's answers are judged, and what is promised of its verdicts: its own bound where it has one.

The model of the settings has its bound beside its weights, a version of the registry beside its archive. What a version
without a bound says is judged as if the model of the settings had said it, and nothing is promised of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import structlog

from docvigil.settings import Settings
from models.checkpoint import bundled, digest
from pipeline.missed import Bound
from pipeline.verdict import CLEAR, Judgement, Thresholds
from records import model_archives
from records.canonical import as_id
from records.objects import ObjectStore, StoreUnavailable
from web.promises import Promise, Promises

log = structlog.get_logger(__name__)

#: Version of checks, rules and thresholds as code, and of what of an evidence is shown to models; the thresholds' own
#: values are added to it.
RULES = "4"

#: Versions whose promises a process remembers.
REMEMBERED = 64


def model_folder(chosen: Settings) -> Path:
    """The folder of the checkpoint that reads where the records name no other."""
    return chosen.model_folder or bundled()


def bound(chosen: Settings) -> Bound | None:
    """The bound on misses that was computed for the model of the settings; None where there is none, or where it is of
    other weights or other checks. Raises ValueError for a file that can't be read."""
    folder = model_folder(chosen)
    return _fitting(chosen, Bound.load(folder), digest(folder))


def bound_of(chosen: Settings, store: ObjectStore, version: str) -> Bound | None:
    """The same of any version. Raises `records.objects.StoreUnavailable` besides."""
    if version == digest(model_folder(chosen)):
        return bound(chosen)
    return _fitting(chosen, model_archives.bound(store, version), version)


def thresholds(chosen: Settings) -> Thresholds:
    """How sure a pass of the model of the settings must be: by the settings, else by its bound, else as usual."""
    return merged(chosen, bound(chosen))


def merged(chosen: Settings, found: Bound | None) -> Thresholds:
    """The thresholds of the settings over those of a bound over the usual ones."""
    proved = {} if found is None else found.thresholds
    return Thresholds({**CLEAR, **proved, **chosen.clear}, chosen.default_clear)


def judgement(chosen: Settings, store: ObjectStore, version: str) -> Judgement:
    """By what a version's answers are judged. Raises what `bound_of` does."""
    own = bound_of(chosen, store, version)
    return _judged_by(chosen, merged(chosen, own or bound(chosen)))


def usual_judgement(chosen: Settings) -> Judgement:
    """By what the answers of the model of the settings are judged."""
    return _judged_by(chosen, thresholds(chosen))


def checks_version(chosen: Settings) -> str:
    """The version of the rules without the thresholds: what a bound was computed with."""
    return f"{RULES}+blank=skip" if chosen.blank_pages == "skip" else RULES


def promises(chosen: Settings, store: ObjectStore) -> Callable[[str], Promises | None]:
    """What the bound of each version promises of documents judged by what is set now, remembered from the first time it
    is asked for; None where there is no bound, and while the object store doesn't answer."""

    @lru_cache(maxsize=REMEMBERED)
    def of(version: str) -> Promises | None:
        return _promises(chosen, bound_of(chosen, store, version))

    def answered(version: str) -> Promises | None:
        try:
            return of(version)
        except StoreUnavailable as error:
            log.warning("bound.not_read", version=version, error=type(error).__name__)
            return None

    return answered


def _fitting(chosen: Settings, found: Bound | None, version: str) -> Bound | None:
    """The bound, if it is of this version under the checks in use."""
    if found is None or (found.model, found.rules) == (version, checks_version(chosen)):
        return found
    log.warning("bound.of_another_model", model=found.model, rules=found.rules)
    return None


def _judged_by(chosen: Settings, by: Thresholds) -> Judgement:
    """The version of the rules changes with the thresholds and with what is passed over: a document judged by others
    may be judged again."""
    named = [f"{name}={value}" for name, value in sorted(by.clear.items())]
    skipped = ["blank=skip"] if chosen.blank_pages == "skip" else []
    # Events hold ids only; many thresholds are told by their digest.
    return Judgement(by, as_id("+".join([f"{RULES}:{by.default_clear}", *named, *skipped])))


def _promises(chosen: Settings, found: Bound | None) -> Promises | None:
    # It asks this module for the versions in use.
    from docvigil.trials import type_digests

    if found is None:
        return None
    types, in_use = type_digests(chosen), merged(chosen, found)
    return Promises(
        model=found.model,
        rules=_judged_by(chosen, in_use).rules,
        types=frozenset(name for name, digest in types.items() if found.types.get(name) == digest),
        checks={
            check: Promise(
                own.at_most, round(1 - found.delta, 6), own.anomalies, own.misses, found.made_up, found.data, found.date
            )
            for check, own in found.classes.items()
            if found.holds(check, in_use)
        },
    )
