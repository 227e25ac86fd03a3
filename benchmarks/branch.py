"""The mandate of a branch: a made-up form with a name and a signature, filled by people of whom some forget either.

From some day on the branch stamps SIGN HERE into the signature's place of part of its forms: a style that the model was
never shown, and takes for a signature.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.synthesis import people, scans
from models.synthesis.faces import Found, plain
from models.synthesis.filling import Entry
from models.synthesis.paper import Hand, Paper
from models.synthesis.split import signer
from pipeline.doctypes.drawing import Form, make
from pipeline.doctypes.load import load
from pipeline.doctypes.pens import Pen
from pipeline.doctypes.schema import Check, DocumentType, FieldKind, Rule
from pipeline.geometry import Box

NAME = "branch-mandate"
FIELDS = {"holder_name": "field.missing", "holder_signature": "signature.missing"}

#: The stamp's words, and the share of the signature's place that it takes.
WORDS = ("SIGN HERE", "SIGN HERE >>", "CLIENT TO SIGN HERE")
STAMP_WIDTH, STAMP_HEIGHT = (0.4, 0.6), (0.55, 0.9)

TEXT = (
    "I authorise the branch named overleaf to receive and pass on instructions for my account. The mandate ends when I "
    "revoke it in writing. I have read the conditions, which I received with this form, and I accept them. The branch "
    "keeps this mandate and shows it to the depository on demand."
)

RULES = (
    Rule(id="branch.name", text="The holder's name stands on the mandate.", source="made up for this benchmark"),
    Rule(id="branch.sign", text="The holder signs the mandate.", source="made up for this benchmark"),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is on a form; `stamped`: SIGN HERE stands where the signature belongs."""

    path: str
    named: bool
    signed: bool
    stamped: bool

    def defect(self, field: str | None) -> bool:
        """Whether what belongs into the field is missing."""
        return not {"holder_name": self.named, "holder_signature": self.signed}.get(field or "", True)

    @property
    def defects(self) -> tuple[str, ...]:
        """The fields with one."""
        return tuple(field for field in FIELDS if self.defect(field))


@dataclass(frozen=True, slots=True)
class Custom:
    """What a branch's people do: shares of forms stamped, of stamped ones not signed, of others, and without a name."""

    stamped: float = 0.3
    unsigned_stamped: float = 0.5
    unsigned: float = 0.06
    unnamed: float = 0.06


def form(folder: Path) -> DocumentType:
    """Writes the document type into a folder of types."""
    folder.mkdir(parents=True, exist_ok=True)
    return load(make(Form(NAME, "Mandate of the branch", _drawn, RULES, ()), folder))


def draw(
    doctype: DocumentType,
    folder: Path,
    count: int,
    custom: Custom,
    *,
    seed: int,
    using: Found,
    processes: int = 2,
) -> list[Truth]:
    """Draws forms into a folder, of the test split; their truth."""
    folder.mkdir(parents=True, exist_ok=True)
    one = partial(_one, doctype, folder, custom, seed, using)
    with ProcessPoolExecutor(processes) as pool:
        truths = list(pool.map(one, range(count), chunksize=8))
    (folder / "truth.jsonl").write_text("".join(json.dumps(asdict(each)) + "\n" for each in truths), encoding="utf-8")
    return truths


def _one(doctype: DocumentType, folder: Path, custom: Custom, seed: int, using: Found, number: int) -> Truth:
    rng, materials = np.random.default_rng([seed, number]), plain("test", using)
    stamped = bool(rng.random() < custom.stamped)
    signed = bool(rng.random() >= (custom.unsigned_stamped if stamped else custom.unsigned))
    truth = Truth(f"{seed}-{number:05d}.jpg", bool(rng.random() >= custom.unnamed), signed, stamped)
    paper, hand = Paper(doctype, 1, materials, rng), Hand(rng, materials)
    name, place = doctype.fields
    if truth.named:
        holder = f"{people.pick(rng, people.MEN + people.WOMEN)} {people.pick(rng, people.SURNAMES)}"
        paper.fill(Entry(name, holder), hand)
    if stamped:
        paper.endorse(_part(place.where, rng), [str(rng.choice(WORDS))])
    if signed:
        paper.fill(Entry(place, "signed", signer=signer(rng, "test")), hand)
    manner = scans.Manner.drawn(rng)
    scans.save(folder / truth.path, [scans.scan(paper.image, manner, rng)], manner, "jpeg")
    return truth


def _part(place: Box, rng: np.random.Generator) -> Box:
    """Where in the signature's place the stamp is set."""
    width, height = place.width * rng.uniform(*STAMP_WIDTH), place.height * rng.uniform(*STAMP_HEIGHT)
    left = place.x0 + rng.uniform(0, place.width - width)
    top = place.y0 + rng.uniform(0, place.height - height)
    return Box(left, top, left + width, top + height)


def _drawn(pen: Pen) -> None:
    pen.frame(8, 8, 194, 281, 0.4)
    pen.text(105, 26, "MANDATE TO OPERATE A DEMAT ACCOUNT", 13, bold=True, at="centre")
    pen.prose(20, 42, 170, TEXT, 8.5)
    pen.text(20, 84, "Name of the holder*", 8.5, bold=True)
    pen.add("holder_name", "Name of the holder", FieldKind.TEXT, pen.frame(20, 87, 120, 11, 0.3), **_checked("name"))
    pen.text(20, 120, "Signature of the holder*", 8.5, bold=True)
    place = pen.frame(20, 123, 95, 22, 0.3)
    pen.add("holder_signature", "Signature of the holder", FieldKind.SIGNATURE, place, **_checked("sign"))
    pen.prose(20, 262, 170, "Form BM-1. Incomplete mandates are sent back. * mandatory", 7)


def _checked(rule: str) -> dict[str, Any]:
    check = {"name": "field.missing", "sign": "signature.missing"}[rule]
    return {"required": True, "checks": (Check(check=check, rule=f"branch.{rule}"),)}
