"""Which form is this page, and where on it is everything?

A page is registered on the blanks of the forms that look most like it. The best registration gives type and geometry
at once, and is believed only if enough features agree, the map is one that paper can undergo, the blank's print is
found where the map puts it, and no other type or edition fits as well. Whatever fails is said in a sentence; the
page is then uncertain, never silently something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pipeline.doctypes.schema import DocumentType
from pipeline.editions import Difference, difference
from pipeline.pages import Page
from pipeline.reading import Pixels
from pipeline.sentences import say
from pipeline.sheet import PX_PER_MM, Features, Fit, Floats, Sheet, clear_matches, features, likeness, moved

#: Features that must agree on one map, and from which no other form is tried. Wrong forms reach 20 by chance.
LEAST_INLIERS, BEYOND_CHANCE = 24, 72

#: Share of the blank's print that must be found, for the form to be this one at all, and to be sure of it.
LEAST_SHARE, SURE_SHARE = 0.3, 0.6

#: Millimetres on paper by which print may miss its place, after refinement.
MOST_RESIDUAL_MM = 0.5

#: Share of the form that must lie on the page.
LEAST_COVERED = 0.6

#: Share of a blank's features that agree with another blank, from which the two could be taken for each other: 0.2 for
#: a printing with many rows moved, 0.025 at most for forms that have only words in common.
KIN_SHARE = 0.05

#: A rival whose print fits worse by more than this is no rival.
CLEAR_MARGIN = 0.25

#: Mean and sum of the votes that two editions need to be told apart.
SURE_VOTE, SURE_VOTES = 0.3, 0.6

#: Sheets registered at most for one page; the others don't look like it.
SHORTLIST = 5

#: Features that a sheet enters the shortlist with. With 300 of the blank's and all of the page's, the right sheet was
#: first for 60 of 60 badly scanned pages of 20 forms; with fewer of the page's, handwriting crowds out print.
SHORT_FEATURES = 300


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form's page that was tried: `inliers` features agreed, `share` of its print was found (None: not looked)."""

    doctype: str
    form_page: int
    inliers: int
    share: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """What a page is and where its form lies.

    `page` counts from 1 in the file. `homography` maps blank pixels to page pixels. `residual_mm` is how far print
    lies from its expected place after local refinement (root mean square). `margin` is the lead over the second best
    type or edition. Unless `sure`, `why` says in a sentence what is in doubt. `twins` are other types whose print on
    this page is the same, so that only the rest of the file can decide.
    """

    page: int
    doctype: DocumentType | None
    form_page: int | None
    homography: Floats | None
    residual_mm: float | None
    inliers: int
    margin: float
    sure: bool
    why: str
    candidates: tuple[Candidate, ...] = ()
    twins: tuple[Location, ...] = ()
    sheet: Sheet | None = None
    fit: Fit | None = None
    to_page: Floats | None = None  # work pixels of the page → its own pixels


class Atlas:
    """All forms we know, prepared once a process. Raises `ValueError` where a type has no blank."""

    def __init__(self, types: Sequence[DocumentType]) -> None:
        self.sheets = [Sheet(one, number) for one in types for number in range(1, len(one.pages) + 1)]
        self._differences: dict[tuple[int, int], Difference | None] = {}
        self._kindred: dict[int, list[int]] = {}
        short = [sheet.features.descriptors[:SHORT_FEATURES] for sheet in self.sheets]
        self._descriptors = np.concatenate(short) if short else np.empty((0, 128), np.float32)
        self._starts = np.cumsum([0, *(len(one) for one in short)])

    def locate(self, page: Page) -> Location:
        """Type and place of a page. Never raises for what is on the page."""
        work, to_page = page.work
        found = features(work)
        guesses = self._guesses(found)
        tried = [(index, matrix, inliers) for index, (matrix, inliers) in guesses.items() if matrix is not None]
        tried.sort(key=lambda one: -one[2])
        seen = tuple(
            Candidate(self.sheets[index].doctype.key, self.sheets[index].form_page, inliers)
            for index, _matrix, inliers in tried
        )
        if not tried or tried[0][2] < LEAST_INLIERS:
            return _unknown(page, say("place.alien"), seen)

        # Editions of one form share most features; which one leads is settled by print, not by their number.
        fits = [
            (index, self.sheets[index].fit(work, matrix, inliers))
            for index, matrix, inliers in tried
            if inliers >= max(LEAST_INLIERS, 0.25 * tried[0][2])
        ]
        fits.sort(key=lambda one: -one[1].share)
        shares = {index: fit.share for index, fit in fits}
        seen = tuple(replace(one, share=shares.get(tried[row][0])) for row, one in enumerate(seen))
        best, fit = fits[0]
        if fit.share < LEAST_SHARE:
            return _unknown(page, say("place.elsewhere"), seen)

        margin, doubt = 1.0, ""
        same = [(best, fit)]
        for rival, other in fits[1:]:
            lead = fit.share - other.share
            if lead < CLEAR_MARGIN:
                lead, told, alike = self._compare(best, fit, rival, other, work)
                if lead < 0:
                    best, fit, lead, same, doubt = rival, other, -lead, [(rival, other)], ""
                if alike:
                    same.append((rival, other))
                elif not told:
                    names = sorted(self.sheets[one].doctype.key for one in (best, rival))
                    doubt = say("place.either", first=names[0], second=names[1])
            margin = min(margin, lead)
        twins: tuple[Location, ...] = ()
        if len(same) > 1 and not doubt:
            twins = tuple(self._judged(page, one, its, to_page, margin, "", work.shape, seen) for one, its in same)
            names = [self.sheets[one].doctype.key for one, _fit in same]
            doubt = say("place.twins", listed=" and ".join(sorted(names)))
        located = self._judged(page, best, fit, to_page, margin, doubt, work.shape, seen)
        return replace(located, twins=twins)

    def _guesses(self, found: Features) -> dict[int, tuple[Floats | None, int]]:
        """First guesses, by sheet: of those most like the page, until one agrees with it beyond any chance, and of
        those that this one could be taken for."""
        guesses: dict[int, tuple[Floats | None, int]] = {}
        for index in self._shortlist(found):
            guesses[index] = self.sheets[index].match(found)
            if guesses[index][1] >= BEYOND_CHANCE:
                break
        first = max(guesses, key=lambda index: guesses[index][1], default=None)
        if first is not None and guesses[first][1] >= LEAST_INLIERS:
            # The shortlist may have left out another edition of the form that leads it.
            guesses |= {index: self.sheets[index].match(found) for index in self._kin(first) if index not in guesses}
        return guesses

    def _shortlist(self, page: Features) -> list[int]:
        """The sheets that most of the page's features match, all turned by the same angle."""
        if not len(page.points) or not len(self._descriptors):
            return []
        alike = likeness(page.descriptors, self._descriptors)
        votes = np.zeros(len(self.sheets))
        for index, (start, end) in enumerate(pairwise(self._starts)):
            if end - start > 1:
                clear, best = clear_matches(alike[:, start:end])
                turns = (page.angles[clear] - self.sheets[index].features.angles[best]) % 360
                counts = np.bincount((turns // 10).astype(np.intp) % 36, minlength=36)
                votes[index] = (counts + np.roll(counts, 1) + np.roll(counts, -1)).max()
        return [int(one) for one in np.argsort(-votes, kind="stable")[:SHORTLIST]]

    def _kin(self, index: int) -> list[int]:
        """The sheets so like this one that one's page could be taken for the other's."""
        if index not in self._kindred:
            mine = self.sheets[index]
            agreeing = [mine.match(other.features)[1] / max(1, len(other.features.points)) for other in self.sheets]
            self._kindred[index] = [
                other for other, share in enumerate(agreeing) if other != index and share >= KIN_SHARE
            ]
        return self._kindred[index]

    def _compare(self, best: int, fit: Fit, rival: int, other: Fit, work: Pixels) -> tuple[float, bool, bool]:
        """The lead of one fitted sheet over another (−1 to 1), whether it is enough, and whether their print is the
        same so that no page could tell."""
        key = (best, rival)
        if key not in self._differences:
            self._differences[key] = difference(self.sheets[best], self.sheets[rival])
        where = self._differences[key]
        if where is None:
            lead = fit.share - other.share
            return lead, lead >= CLEAR_MARGIN / 2, False
        vote, votes = where.vote(self.sheets[best].upright(work, fit.matrix))
        return vote, abs(vote) >= SURE_VOTE and abs(votes) >= SURE_VOTES, not where.places

    def _judged(
        self,
        page: Page,
        index: int,
        fit: Fit,
        to_page: Floats,
        margin: float,
        doubt: str,
        shape: tuple[int, ...],
        seen: tuple[Candidate, ...],
    ) -> Location:
        sheet = self.sheets[index]
        residual = fit.residual / PX_PER_MM
        why = doubt or _implausible(sheet, fit, shape)
        if not why and fit.share < SURE_SHARE:
            why = say("place.little", share=f"{fit.share:.0%}")
        if not why and residual > MOST_RESIDUAL_MM:
            why = say("place.crooked", mm=f"{residual:.1f}")
        return Location(
            page=page.number,
            doctype=sheet.doctype,
            form_page=sheet.form_page,
            homography=to_page @ fit.matrix @ sheet.to_work,
            residual_mm=residual,
            inliers=fit.inliers,
            margin=margin,
            sure=not why,
            why=why,
            candidates=seen,
            sheet=sheet,
            fit=fit,
            to_page=to_page,
        )


def _unknown(page: Page, why: str, seen: tuple[Candidate, ...]) -> Location:
    inliers = max((one.inliers for one in seen), default=0)
    return Location(page.number, None, None, None, None, inliers, 0.0, False, why, seen)


def _implausible(sheet: Sheet, fit: Fit, shape: tuple[int, ...]) -> str:
    """Why no sheet of paper can lie like this; empty where it can."""
    corners = np.array([(0, 0), (sheet.width, 0), (sheet.width, sheet.height), (0, sheet.height)], dtype=np.float64)
    depth = np.column_stack([corners, np.ones(4)]) @ fit.matrix[2]
    if depth.min() <= 0:
        return say("place.folded")
    ends = moved(corners, fit.matrix)
    sides = np.roll(ends, -1, axis=0) - ends
    lengths = np.hypot(*sides.T) / (sheet.width, sheet.height, sheet.width, sheet.height)
    turn = sides[0][0] * sides[1][1] - sides[0][1] * sides[1][0]
    if turn <= 0:
        return say("place.mirrored")
    if not (lengths.min() > 0.4 and lengths.max() < 2.5):
        return say("place.scaled", times=f"{lengths.mean():.1f}")
    if lengths.max() / lengths.min() > 1.35:
        return say("place.stretched")
    slant = abs(float(sides[0] @ sides[1])) / float(np.hypot(*sides[0]) * np.hypot(*sides[1]))
    if slant > 0.15:
        return say("place.slanted")
    height, width = shape[:2]
    grid = np.stack(np.meshgrid(np.linspace(0, sheet.width, 20), np.linspace(0, sheet.height, 20)), -1).reshape(-1, 2)
    there = moved(grid, fit.matrix)
    covered = float(((there >= 0) & (there <= (width, height))).all(axis=1).mean())
    if covered < LEAST_COVERED:
        return say("place.cropped", share=f"{covered:.0%}")
    return ""
