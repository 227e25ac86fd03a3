"""Which documents a version on trial judges: a share of them, by the hash of the document, so that nobody chooses and a
document scanned again by the same two versions goes the same way."""

from __future__ import annotations

from pipeline.chance import fraction


def judged_by_canary(document_id: str, version: str, share: float) -> bool:
    """Whether the canary `version` judges the document with that SHA-256, of which it has `share` (0 to 1)."""
    return fraction(f"canary:{version}:{document_id}") < share
