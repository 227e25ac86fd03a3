"""Encrypting what only the owner of a cookie may use: the database, which knows the cookie's digest, can't read it."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


def seal(secret: str, text: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key(secret)).encrypt(nonce, text.encode(), None)


def unseal(secret: str, sealed: bytes) -> str:
    """Raises ValueError where it was sealed under another secret."""
    try:
        return AESGCM(_key(secret)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except InvalidTag:
        raise ValueError("this was sealed under another secret") from None


def _key(secret: str) -> bytes:
    return HKDF(SHA256(), 32, None, b"docvigil refresh token").derive(secret.encode())
