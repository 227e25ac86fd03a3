"""Style and scripts. An address holds a digest of all of them, so that browsers keep a file for good and never an old
one; modules find each other by `./name.js`."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from web.problems import NotFound

FOLDER = Path(__file__).with_name("static")
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

router = APIRouter(include_in_schema=False)


@cache
def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES}


@cache
def version() -> str:
    together = hashlib.sha256()
    for name, body in files().items():
        together.update(name.encode() + b"\0" + body)
    return together.hexdigest()[:16]


def address(name: str) -> str:
    """Where browsers get a static file. Raises KeyError where there is none of that name."""
    files()[name]
    return f"/static/{version()}/{name}"


@router.get("/static/{digest}/{name}")
def static_file(digest: str, name: str) -> Response:
    body = files().get(name)
    if body is None:
        raise NotFound("There is no such file here.")
    kept = "public, max-age=31536000, immutable" if digest == version() else "no-cache"
    return Response(body, media_type=MEDIA_TYPES[Path(name).suffix], headers={"Cache-Control": kept})
