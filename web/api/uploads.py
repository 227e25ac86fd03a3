"""Files that come as the part `file` of multipart/form-data.

They are read here and not by a parameter of the route: a body is looked at only once its sender is known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from ingest.intake import Taken
from ingest.upload import take_stream
from web.context import Context
from web.problems import BadRequest, Unfit

#: For `openapi_extra=` of routes.
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[UploadFile]:
    """The file of a request, open inside the block. Raises BadRequest where there is none."""
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadRequest("Send the file as the part `file` of multipart/form-data.")
        yield file


async def read(request: Request, most: int, otherwise: str) -> bytes:
    """The bytes of a small file. Raises Unfit for more than `most`, saying what to do `otherwise`."""
    async with uploaded(request) as file:
        body = await file.read(most + 1)
    if len(body) > most:
        raise Unfit(f"The file is larger than {most // 1000} kB; {otherwise}.")
    return body


async def take_in(request: Request, desk: Context) -> Taken:
    """Takes in a scan through the one intake. Raises Unfit with the reason where it is refused."""
    async with uploaded(request) as file:
        name = "".join(sign for sign in file.filename or "" if sign.isprintable())[:255] or "unnamed"
        taken = await run_in_threadpool(take_stream, file.file, name, desk.intake)
    if taken.status == "refused":
        raise Unfit(taken.reason or "The file can't be taken in.")
    return taken
