"""What the bound on misses promises of a finding, for the desk: only where a document was judged by exactly what the
bound was computed for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """The share of a check's anomalies that end as clear is `at_most` so large, with a `confidence`, shown on so many
    `anomalies` with so many `misses`, `made_up` or not, by which `data` and on which `date`."""

    at_most: float
    confidence: float
    anomalies: int
    misses: int
    made_up: bool
    data: str
    date: str


@dataclass(frozen=True, slots=True)
class Promises:
    """What the bound of one version promises: the checks with a bound in force; `types` are the document types that
    were tried and have not changed since."""

    model: str
    rules: str
    types: frozenset[str]
    checks: Mapping[str, Promise]

    def of(self, check: str, model: str | None, rules: str | None, types: Collection[str]) -> Promise | None:
        """What is promised of a check on a document judged by these versions; None where there is no bound yet."""
        if (model, rules) != (self.model, self.rules) or not types or not self.types.issuperset(types):
            return None
        return self.checks.get(check)
