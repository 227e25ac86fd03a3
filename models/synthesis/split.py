"""Which fonts, digits and signers are for training and which for testing. Nothing is ever on both sides.

Stroke fonts and the font inside Pillow are listed; every other font is assigned by the hash of its name, digits by the
halves of their own data set, signers by the parity of their number, writers by who collected their letters or in
which file they are. The same name is on the same side for ever.
"""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

import numpy as np

Split: TypeAlias = Literal["train", "test"]

#: Stroke fonts (Hershey) and the font that comes with Pillow.
LISTED: dict[str, Split] = {
    "rowmans": "train",
    "rowmand": "train",
    "futural": "train",
    "scripts": "train",
    "cursive": "train",
    "timesr": "train",
    "futuram": "test",
    "scriptc": "test",
    "rowmant": "test",
    "Aileron": "test",
}

#: Families of fonts that look too much alike to be on two sides, by how their names begin: all are for training.
FAMILIES = ("playwrite-", "edu-")

#: The contributors to UNIPEN whose writers are for testing; all others' are for training.
UNIPEN = ("aga", "art", "ced", "imp", "pap")

#: One font in this many is for testing.
ONE_IN = 6

#: Signers there are on each side.
SIGNERS = 4000


def assigned(name: str) -> Split:
    """The side a font is on."""
    listed = LISTED.get(name)
    if listed is not None:
        return listed
    if name.startswith(FAMILIES):
        return "train"
    return "test" if int(hashlib.sha256(name.encode()).hexdigest(), 16) % ONE_IN == 0 else "train"


def allowed(name: str, split: Split) -> bool:
    """Whether a font may be used on that side."""
    return assigned(name) == split


def require(name: str, split: Split) -> None:
    """Raises `ValueError` for a font of the other side: what is tested on must never have been trained on."""
    if not allowed(name, split):
        raise ValueError(f"the font {name!r} belongs to the {assigned(name)} split and may not be used for {split}")


def checked(split: str) -> Split:
    """The split of that name; `ValueError` where it is neither."""
    if split == "train":
        return "train"
    if split == "test":
        return "test"
    raise ValueError(f"a split is train or test, not {split!r}")


def signer(rng: np.random.Generator, split: Split) -> int:
    """Somebody of that side: even numbers train, odd ones test."""
    return int(rng.integers(SIGNERS)) * 2 + (split == "test")
