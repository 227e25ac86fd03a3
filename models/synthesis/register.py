"""The endorsers' register of made-up documents: officials who may set stamps, and some who may not any more."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from models.synthesis import people
from pipeline.endorsers import Endorser, Standing, match
from pipeline.register import COLUMNS

#: Officials with authority, without it any more, and for one kind of document only.
AUTHORISED, EXPIRED, LIMITED = 8, 3, 2

#: Tries to find somebody whom the register doesn't resemble.
TRIES = 200


@dataclass(frozen=True, slots=True)
class Register:
    """Who may endorse, as of a day."""

    endorsers: tuple[Endorser, ...]
    on: date

    def official(self, document_type: str, rng: np.random.Generator) -> Endorser:
        """Somebody who may endorse documents of that type, now and in the weeks before.

        Raises `ValueError` where the register has nobody.
        """
        able = [one for one in self.endorsers if self._standing(one, document_type) is Standing.AUTHORISED]
        if not able:
            raise ValueError(f"nobody in the register may endorse {document_type!r} on {self.on}; add somebody")
        return able[int(rng.integers(len(able)))]

    def impostor(self, document_type: str, rng: np.random.Generator) -> Endorser:
        """Somebody who may not: no longer in authority, for other documents only, or not in the register at all."""
        unable = [one for one in self.endorsers if self._standing(one, document_type) is Standing.UNAUTHORISED]
        if unable and rng.random() < 0.5:
            return unable[int(rng.integers(len(unable)))]
        for _ in range(TRIES):
            one = _official(rng, self.on, "")
            if self._standing(one, document_type) is Standing.UNAUTHORISED:
                return one
        raise ValueError("everybody resembles somebody in the register; is a name in it very short?")

    def _standing(self, one: Endorser, document_type: str) -> Standing:
        """What the stamp of that official counts, some weeks ago and today, by the pipeline's own rules."""
        text = "\n".join(lines(one))
        then, now = (match(text, self.endorsers, day, document_type) for day in (self.on - timedelta(40), self.on))
        return now.standing if now.standing is then.standing else Standing.UNREADABLE


def make(rng: np.random.Generator, on: date, document_types: Sequence[str]) -> Register:
    """A register for these types of documents, the same for the same generator."""
    participant = people.pick(rng, people.PARTICIPANTS)
    rows = [_official(rng, on, participant) for _ in range(AUTHORISED + EXPIRED)]
    late = [_changed(row, valid_to=on - timedelta(int(rng.integers(120, 500)))) for row in rows[AUTHORISED:]]
    rows = [*rows[:AUTHORISED], *late]
    for place in range(LIMITED if len(document_types) > 1 else 0):
        rows.append(_changed(_official(rng, on, participant), document_types=(document_types[place],)))
    return Register(tuple(rows), on)


def write_csv(register: Register, path: Path) -> None:
    """The register as the file that `docvigil endorsers import` takes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for one in register.endorsers:
            table.writerow(
                [
                    one.name,
                    one.designation or "",
                    one.employee_code or "",
                    one.participant or "",
                    (one.stamp_text or "").replace("\n", "\\n"),
                    ";".join(one.document_types),
                    one.valid_from.isoformat() if one.valid_from else "",
                    one.valid_to.isoformat() if one.valid_to else "",
                ]
            )


def lines(endorser: Endorser) -> list[str]:
    """What an official's stamp says, line by line."""
    if endorser.stamp_text:
        return endorser.stamp_text.split("\n")
    parts = [endorser.participant, endorser.name, endorser.designation]
    code = f"Emp. Code: {endorser.employee_code}" if endorser.employee_code else None
    return [part for part in (*parts, code) if part]


def _official(rng: np.random.Generator, on: date, participant: str) -> Endorser:
    one = people.person(rng, on, "test")
    valid_to = on + timedelta(int(rng.integers(200, 1200))) if rng.random() < 0.5 else None
    return _changed(
        Endorser(
            name=one.name,
            designation=people.pick(rng, people.DESIGNATIONS),
            employee_code=f"EMP{rng.integers(1000, 10000)}",
            participant=participant or people.pick(rng, people.PARTICIPANTS),
            valid_from=on - timedelta(int(rng.integers(600, 2000))),
            valid_to=valid_to,
        )
    )


def _changed(one: Endorser, valid_to: date | None = None, document_types: tuple[str, ...] | None = None) -> Endorser:
    """The same official with another end of authority or for some documents only, the stamp's text written out."""
    stamp = [one.participant or "", one.name, one.designation or "", f"Emp. Code: {one.employee_code}"]
    return Endorser(
        name=one.name,
        designation=one.designation,
        employee_code=one.employee_code,
        participant=one.participant,
        stamp_text="\n".join(part.upper() if place < 2 else part for place, part in enumerate(stamp)),
        document_types=one.document_types if document_types is None else document_types,
        valid_from=one.valid_from,
        valid_to=one.valid_to if valid_to is None else valid_to,
    )
