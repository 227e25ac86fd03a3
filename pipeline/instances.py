"""The filled forms in a file: which of its pages belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.doctypes.schema import DocumentType
from pipeline.locate import Location


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One filled form in a file: its located pages in their order in the file. `doctype` is None for a page that is
    no known form, which stands alone. `missing` are the form's pages that the file lacks."""

    doctype: DocumentType | None
    locations: tuple[Location, ...]

    @property
    def pages(self) -> tuple[int, ...]:
        return tuple(one.page for one in self.locations)

    @property
    def missing(self) -> tuple[int, ...]:
        if self.doctype is None:
            return ()
        there = {one.form_page for one in self.locations}
        return tuple(number for number in range(1, len(self.doctype.pages) + 1) if number not in there)


def group(locations: Sequence[Location]) -> list[Instance]:
    """The forms in a file, from its pages in order.

    Pages of one type that follow each other are parted so that as few pages as possible are missing, and of such ways
    so that as few as possible are out of order. No form holds a page twice: a repeated page shows as a form with
    pages missing. Unknown pages in between (a copy of a card) don't end a form.
    """
    alone: list[list[Location]] = []
    runs: list[list[Location]] = []
    for location in _settled(locations):
        if location.doctype is None:
            alone.append([location])
        elif runs and _key(runs[-1][0]) == _key(location):
            runs[-1].append(location)
        else:
            runs.append([location])
    groups = sorted([*alone, *(form for run in runs for form in _forms(run))], key=lambda form: form[0].page)
    return [Instance(members[0].doctype, tuple(members)) for members in groups]


def _forms(run: Sequence[Location]) -> list[list[Location]]:
    """Pages of one type as forms: the best way to part the first so many, for each number of them."""
    total = len(run[0].doctype.pages) if run[0].doctype else 1
    best: list[tuple[int, int, list[int]]] = [(0, 0, [])]  # pages missing, pages out of order, where forms begin
    for end in range(1, len(run) + 1):
        ways = []
        for start in range(end - 1, max(-1, end - 1 - total), -1):
            numbers = [one.form_page or 0 for one in run[start:end]]
            if len(set(numbers)) < len(numbers):
                break
            missing, disorder, starts = best[start]
            turns = sum(later < earlier for earlier, later in pairwise(numbers))
            ways.append((missing + total - len(numbers), disorder + turns, [*starts, start]))
        best.append(min(ways))
    starts = [*best[-1][2], len(run)]
    return [list(run[start:end]) for start, end in pairwise(starts)]


def _key(location: Location) -> str | None:
    return location.doctype.key if location.doctype else None


def _settled(locations: Sequence[Location]) -> list[Location]:
    """A page whose print two editions share is of the edition that the page before or after it is."""
    settled = list(locations)
    for row, location in enumerate(settled):
        for neighbour in (settled[row - 1] if row else None, settled[row + 1] if row + 1 < len(settled) else None):
            if neighbour is None or not neighbour.sure or neighbour.doctype is None:
                continue
            key = neighbour.doctype.key
            for twin in location.twins:
                if twin.doctype and twin.doctype.key == key and twin.form_page != neighbour.form_page:
                    settled[row] = twin
    return settled
