"""Which documents a version on trial judges: a share of them, by the hash of the document, so that nobody chooses and a
document scanned again by the same two versions goes the same way."""

from __future__ import annotations

import hashlib


def judged_by_canary(document_id: str, version: str, share: float) -> bool:
    """Whether the canary `version` judges the document with that SHA-256, of which it has `share` (0 to 1)."""
    sha = hashlib.sha256(f"canary:{version}:{document_id}".encode()).digest()
    return int.from_bytes(sha[:8]) < share * 2**64
