"""What can go wrong, as types with a sentence for a person, and how it is told: problem+json to programs (RFC 9457),
a page with a way on to people."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from records.objects import Missing
from records.outages import outage
from records.words import Refused
from web.labels import language
from web.refusals import refusal

if TYPE_CHECKING:
    from web.access import Person

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request can't be answered. `detail` is a sentence that says what and what to do."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, person: Person | None = None) -> None:
        super().__init__(detail)
        self.detail, self.headers, self.person = detail, dict(headers or {}), person


class BadRequest(Problem):
    """What was sent makes no sense."""


class NotSignedIn(Problem):
    """Nobody is signed in, or no longer. People are led to the sign-in page."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str = "Sign in first.", *, error: str | None = None) -> None:
        challenge = 'Bearer realm="docvigil"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    status = HTTPStatus.FORBIDDEN


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    status = HTTPStatus.CONFLICT


class Stale(Problem):
    """The document has changed since it was looked at."""

    status = HTTPStatus.PRECONDITION_FAILED


class Unfit(Problem):
    """A file can't be taken in."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooMany(Problem):
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(seconds)})


class Unavailable(Problem):
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


class ProblemBody(BaseModel):
    """An error as programs get it (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind of error it is.")
    title: str = Field(description="The name of the status.")
    status: int
    detail: str = Field(description="A sentence that says what is wrong and what to do.")
    request_id: str = Field(description="Stands in the log; name it when you ask for help.")
    errors: list[str] = Field([], description="What is wrong with each part of the request, where it has several.")


#: For `responses=` of routes.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "It can't be done.", "content": {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}},
}


def install(app: FastAPI) -> None:
    """Every error that a route lets pass is told in one of these ways."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(LookupError, _missing)
    app.add_exception_handler(OSError, _away)
    from sqlalchemy.exc import SQLAlchemyError

    app.add_exception_handler(SQLAlchemyError, _away)


def answer(request: Request, problem: Problem, errors: list[str] | None = None) -> Response:
    """The response that tells a problem to who asked."""
    if request.url.path.startswith(("/api/", "/oauth/", "/metrics")):
        body = ProblemBody(
            type="about:blank",
            title=problem.status.phrase,
            status=problem.status,
            detail=refusal(problem.detail, language(request)),
            request_id=request.state.request_id,
            errors=errors or [],
        )
        return JSONResponse(body.model_dump(), problem.status, problem.headers, media_type=MEDIA_TYPE)
    if isinstance(problem, NotSignedIn):
        return _to_sign_in(request)
    from web.rendering import render

    if problem.person is not None:
        request.state.person = problem.person
    detail = " ".join([refusal(problem.detail, language(request)), *(errors or [])])
    response = render(request, "problem.html", status=problem.status, title=problem.status.phrase, detail=detail)
    response.headers.update(problem.headers)
    return response


def _to_sign_in(request: Request) -> Response:
    from web.cookies import SESSION, read

    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    place = request.url_for("sign_in_page").include_query_params(
        next=here if request.method == "GET" else "/",
        **({"why": "ended"} if read(request, SESSION) else {}),
    )
    return RedirectResponse(f"{place.path}?{place.query}", HTTPStatus.SEE_OTHER)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 registered for it
    return answer(request, error)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 registered for it
    # The values themselves may be personal, and are left out.
    wrong = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    return answer(request, Unfit("The request isn't as described at /api/openapi.json."), wrong)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 registered for it
    told = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address doesn't take this method.",
    }
    problem = Problem(told.get(HTTPStatus(error.status_code), str(error.detail)), headers=error.headers)
    problem.status = HTTPStatus(error.status_code)
    if not hasattr(request.state, "person"):
        # No route, so nobody was asked for yet; whoever is signed in finds the way on.
        problem.person = request.app.state.context.identity.by_cookie(request)
    return answer(request, problem)


def _refused(request: Request, error: Exception) -> Response:
    return answer(request, Conflict(sentence(error)))


def _missing(request: Request, error: Exception) -> Response:
    # A KeyError is a mistake of ours; what isn't there is told by a sentence.
    if isinstance(error, KeyError | IndexError):
        return unexpected(request, error)
    if isinstance(error, Missing):
        log.warning("object.missing", key=error.key)
    return answer(request, NotFound(sentence(error)))


def _away(request: Request, error: Exception) -> Response:
    if not outage(error):
        return unexpected(request, error)
    log.warning("web.outage", error=type(error).__name__)
    return answer(request, Unavailable("A service that is needed is away for the moment. Try again in a few seconds."))


def unexpected(request: Request, error: Exception) -> Response:
    log.error("web.failed", exc_info=error)
    problem = Problem(
        "Something went wrong here, and was written down. Try again; if it stays so, name the request's id."
    )
    problem.status = HTTPStatus.INTERNAL_SERVER_ERROR
    return answer(request, problem)


def sentence(error: BaseException) -> str:
    """What the records say, as a sentence."""
    text = str(error.args[0]) if error.args else str(error)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
