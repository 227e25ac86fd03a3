"""Secrets that people and machines sign in with: argon2id, with the library's parameters."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: Signs of a password, at least and at most.
SHORTEST, LONGEST = 12, 256

_hasher = PasswordHasher()
#: Each takes 64 MiB and a core for a moment: two at a time are enough.
_turn = threading.Semaphore(2)
#: Of no password, so that an unknown name takes as long as a known one.
_NOBODY = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    with _turn:
        return _hasher.hash(password)


def matches(password: str, secret: str | None) -> bool:
    """Whether this is the password of a stored hash; always False for None, after the same time."""
    with _turn:
        try:
            return _hasher.verify(secret or _NOBODY, password[:LONGEST]) and secret is not None
        except (VerificationError, InvalidHashError):
            return False


def fault(password: str, name: str) -> str | None:
    """What is wrong with a new password, as a sentence; None where nothing is."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} signs; several words make a good one."
    if name and name.lower() in password.lower():
        return "The password must not contain the name."
    if len(set(password)) < 5:
        return "The password repeats too few signs."
    return None
