"""Forms and scripts of other sites can't act as the person whose cookie the browser sends.

Whoever changes something with a cookie must also show a token made from it, which no other site can know. A token is
`HMAC(cookie)`, so nothing has to be stored. Requests with a bearer token need none: no browser sends those by itself.
"""

from __future__ import annotations

import hashlib
import hmac

from fastapi import Request

from web.problems import Forbidden

FIELD = "csrf"
HEADER = "x-csrf-token"
SAFE = ("GET", "HEAD", "OPTIONS")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def token(secret: str) -> str:
    return hmac.new(secret.encode(), b"docvigil csrf", hashlib.sha256).hexdigest()


def same(shown: str, secret: str) -> bool:
    """Whether the token that was shown is that of this cookie."""
    return hmac.compare_digest(shown.encode(), token(secret).encode())


async def check(request: Request, secret: str) -> None:
    """Raises Forbidden where a changing request does not show the token of this cookie, in a header or a form."""
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This request came from another site.")
    shown = request.headers.get(HEADER)
    if shown is None and request.headers.get("content-type", "").partition(";")[0].strip().lower() in _FORMS:
        field = (await request.form()).get(FIELD)
        shown = field if isinstance(field, str) else None
    if shown is None or not same(shown, secret):
        raise Forbidden(
            "This page was open for too long, or came from elsewhere. Load it again and repeat what you did."
        )
