"""Chance that nobody can steer and that comes out the same every time: by hash."""

from __future__ import annotations

import hashlib


def fraction(of: str) -> float:
    """A number from 0 up to 1, as good as random, that is always the same for the same text."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:6], "big") / 2**48
