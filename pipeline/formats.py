"""What a file is by its first bytes. By itself, so that whoever only asks that needs no decoders."""

from __future__ import annotations


def sniff(head: bytes) -> str | None:
    """The format that a file's first bytes (1024 are enough) show: pdf, tiff, png, jpeg, webp, or None."""
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "pdf" if b"%PDF-" in head[:1024] else None
