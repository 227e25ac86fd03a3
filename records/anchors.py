"""Anchors: the head of the audit chain, signed and put where the database's owner can't change it unseen.

A chain that is cut short, or rewritten from some link on, is whole in itself; an anchor of a later head gives it away.
Anchors are objects `audit/anchors/<number>.json`, counted from 1, in the object store (under object lock where the
bucket has one). The signature is Ed25519 over the canonical bytes of the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records import audit
from records.audit import Head
from records.canonical import canonical
from records.objects import ObjectStore

#: One process anchors at a time.
ANCHOR_LOCK = 0x64766967_00000005
FOLDER = "audit/anchors"


class Forged(ValueError):
    """An anchor isn't what was signed; the message names it."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as it was at a time; `signature` and the public `key` are empty where nobody signed."""

    number: int
    head: Head
    at: str
    key: bytes
    signature: bytes


def anchor(session: Session, store: ObjectStore, key: bytes | None) -> Anchor | None:
    """Sign the head and store it; None where it is anchored already, or another process is at it.

    `key` is an Ed25519 private key of 32 bytes; without one the anchor is not signed.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(ANCHOR_LOCK))):
        return None
    head = audit.head(session)
    count = _count(store)
    if head.sequence == 0 or (count and _read(store, count).head == head):
        return None
    at = session.scalar(select(func.to_char(func.timezone("UTC", func.now()), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
    private = None if key is None else Ed25519PrivateKey.from_private_bytes(key)
    public = b"" if private is None else private.public_key().public_bytes_raw()
    plain = _plain(count + 1, head, str(at), public)
    signature = b"" if private is None else private.sign(canonical(plain))
    store.put(_name(count + 1), canonical({**plain, "signature": signature.hex()} if signature else plain))
    return Anchor(count + 1, head, str(at), public, signature)


def anchors(store: ObjectStore, key: bytes | None = None) -> list[Anchor]:
    """Every anchor, oldest first. With a key those that it didn't sign raise Forged, and those that nobody signed are
    left out: anybody could have written them.

    `key` is the private key of 32 bytes, as for signing.
    """
    public = None if key is None else Ed25519PrivateKey.from_private_bytes(key).public_key()
    found = [_read(store, number) for number in range(1, _count(store) + 1)]
    if public is None:
        return found
    for one in found:
        if one.signature:
            _verify(one, public)
    return [one for one in found if one.signature]


def heads(found: Iterable[Anchor]) -> list[Head]:
    """What `audit.verify` compares the chain with."""
    return [one.head for one in found]


def _verify(one: Anchor, public: Ed25519PublicKey) -> None:
    if one.key != public.public_bytes_raw():
        raise Forged(f"anchor {one.number} was signed with another key than DOCVIGIL_AUDIT_KEY")
    try:
        public.verify(one.signature, canonical(_plain(one.number, one.head, one.at, one.key)))
    except InvalidSignature:
        raise Forged(f"anchor {one.number} was changed after it was signed") from None


def _plain(number: int, head: Head, at: str, key: bytes) -> dict[str, Any]:
    body: dict[str, Any] = {"number": number, "sequence": head.sequence, "hash": head.hash.hex(), "at": at}
    return {**body, "key": key.hex()} if key else body


def _read(store: ObjectStore, number: int) -> Anchor:
    try:
        body = json.loads(store.get(_name(number)))
        return Anchor(
            number=body["number"],
            head=Head(body["sequence"], bytes.fromhex(body["hash"])),
            at=body["at"],
            key=bytes.fromhex(body.get("key", "")),
            signature=bytes.fromhex(body.get("signature", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Forged(f"anchor {number} can't be read as one") from error


def _count(store: ObjectStore) -> int:
    """How many anchors there are: doubling, then halving, since a store is slow to list."""
    there = 0
    step = 1
    while store.exists(_name(there + step)):
        there, step = there + step, step * 2
    while step > 1:
        step //= 2
        if store.exists(_name(there + step)):
            there += step
    return there


def _name(number: int) -> str:
    return f"{FOLDER}/{number:08d}.json"
