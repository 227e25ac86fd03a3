"""What every answer says to browsers, and which requests are not even looked at: to another host, or too large.

Nothing is loaded from anywhere else and no script stands in a page, so the policy needs no exceptions. Pages hold
personal data: no cache keeps them, unless a route says otherwise.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"
#: A body other than an upload's is at most so long; an upload has so much around its file.
BODY_BYTES = 2**20
#: Asked by machines under whatever name they know.
ANY_HOST = ("/healthz", "/readyz")
#: Where files are uploaded.
UPLOADS = re.compile(r"/api/v1/(documents|doctypes/drafts(/[0-9a-f]+/try)?|labels/sets/[0-9]+/(documents|import))")
TOO_LARGE = "The request is larger than {} MiB, which is the limit here."


class Guard:
    """Pure ASGI. `hosts` empty allows any; `upload_bytes` is for uploads."""

    def __init__(self, app: ASGIApp, *, secure: bool, hosts: tuple[str, ...], upload_bytes: int) -> None:
        self._app, self._secure, self._hosts, self._upload_bytes = app, secure, hosts, upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        headers = Headers(scope=scope)
        if not self._known(headers.get("host", ""), scope["path"]):
            response = PlainTextResponse("Nothing is served here under this name (DOCVIGIL_PUBLIC_URL).\n", 421)
            await response(scope, receive, guarded)
            return
        limit = BODY_BYTES + (self._upload_bytes if UPLOADS.fullmatch(scope["path"]) else 0)
        length = headers.get("content-length", "0")
        declared = int(length) if length.isdecimal() else 0
        await self._app(scope, _counted(receive, limit, declared), guarded)

    def _known(self, host: str, path: str) -> bool:
        if not self._hosts or path in ANY_HOST:
            return True
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return name.lower() in self._hosts


def _counted(receive: Receive, limit: int, declared: int) -> Receive:
    """A body that says that it is too long isn't read; one that says nothing is cut off at the limit."""
    size = 0

    async def counting() -> Message:
        nonlocal size
        if declared <= limit:
            message = await receive()
            size += len(message.get("body", b""))
        if max(size, declared) > limit:
            raise HTTPException(413, TOO_LARGE.format(limit >> 20))
        return message

    return counting
