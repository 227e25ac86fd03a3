"""Who may do what: one table of all routes, asked before each of them runs.

A route is named by its function. A function that isn't in the table keeps the application from starting, so that
nothing is open because somebody forgot it. Anonymous callers get the public rows and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.concurrency import run_in_threadpool

from web import csrf
from web.problems import Forbidden, NotSignedIn


class Role(StrEnum):
    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    MODEL_ADMIN = "model-admin"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"


#: Nobody need be signed in.
PUBLIC: frozenset[Role] = frozenset()
EVERYBODY = frozenset(Role)
#: Those who look at documents and decide.
DESK = frozenset({Role.REVIEWER, Role.SUPERVISOR})
#: Those who look at documents, whatever for.
READERS = DESK | {Role.AUDITOR}
SUPERVISORS = frozenset({Role.SUPERVISOR})
#: Those who may see what a reviewer must not: that a document was drawn for the audit, what somebody else decided.
OVERSEERS = SUPERVISORS | {Role.AUDITOR}
#: Those who manage users have it; somebody who can sign in always must.
ADMINISTRATOR = Role.SUPERVISOR
PROGRAMS = frozenset({Role.INTEGRATOR})
ADMINS = frozenset({Role.MODEL_ADMIN})

#: Function of the route → who may call it. Keep it in the order of paths.
ACCESS: dict[str, frozenset[Role]] = {
    # /healthz, /readyz, /metrics, /static
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": EVERYBODY,
    "static_file": PUBLIC,
    # Signing in and out
    "sign_in_page": PUBLIC,
    "sign_in": PUBLIC,
    "sign_in_start": PUBLIC,
    "sign_in_callback": PUBLIC,
    "welcome_page": PUBLIC,
    "welcome": PUBLIC,
    "choose_language": PUBLIC,
    "token": PUBLIC,
    "sign_out": EVERYBODY,
    # Pages
    "queue_page": READERS,
    "take_next": DESK,
    "assign": SUPERVISORS,
    "document_page": READERS,
    "oversight_page": SUPERVISORS,
    "lookalikes_page": SUPERVISORS,
    "reopen": SUPERVISORS,
    # /endorsers
    "endorsers_page": READERS,
    "list_endorsers": READERS | PROGRAMS,
    "add_endorser": SUPERVISORS,
    "preview_endorsers": SUPERVISORS,
    "import_endorsers": SUPERVISORS,
    "retire_endorser": SUPERVISORS,
    # /doctypes
    "types_page": READERS | ADMINS,
    "type_page": READERS | ADMINS,
    "editor_page": SUPERVISORS,
    "list_types": READERS | ADMINS | PROGRAMS,
    "show_type": READERS | ADMINS | PROGRAMS,
    "type_page_image": READERS | ADMINS | PROGRAMS,
    "draft_type": SUPERVISORS,
    "copy_type": SUPERVISORS,
    "show_draft": SUPERVISORS,
    "draft_page_image": SUPERVISORS,
    "change_draft": SUPERVISORS,
    "drop_draft": SUPERVISORS,
    "publish_draft": SUPERVISORS,
    "try_draft": SUPERVISORS,
    # /users
    "users_page": OVERSEERS,
    "list_users": OVERSEERS,
    "show_user": OVERSEERS,
    "add_user": SUPERVISORS,
    "change_user_roles": SUPERVISORS,
    "reset_user": SUPERVISORS,
    "disable_user": SUPERVISORS,
    "enable_user": SUPERVISORS,
    # /models
    "models_page": READERS | ADMINS,
    "model_page": READERS | ADMINS,
    "version_report": OVERSEERS | ADMINS,
    "training_report": OVERSEERS | ADMINS,
    "train": ADMINS,
    # /labels
    "label_sets_page": DESK,
    "labelling_page": DESK,
    "list_label_sets": DESK,
    "add_label_set": SUPERVISORS,
    "add_label_document": SUPERVISORS,
    "next_label_document": DESK,
    "show_labels": DESK,
    "post_labels": DESK,
    "export_labels": SUPERVISORS,
    "import_labels": SUPERVISORS,
    # /api
    "openapi": EVERYBODY,
    "me": EVERYBODY,
    "list_documents": OVERSEERS | PROGRAMS,
    "upload_document": DESK | PROGRAMS,
    "show_document": OVERSEERS | PROGRAMS,
    "page_image": READERS,
    "original": READERS,
    "list_findings": OVERSEERS | PROGRAMS,
    "show_finding": OVERSEERS | PROGRAMS,
    "evidence_image": READERS,
    "take_claim": DESK,
    "renew_claim": DESK,
    "release_claim": DESK,
    "report_miss": DESK,
    "list_queue": READERS | PROGRAMS,
    "count_queue": READERS | PROGRAMS,
    "next_document": DESK,
    "assign_documents": SUPERVISORS,
    "show_case": READERS,
    "post_review": DESK,
    "undo_review": DESK,
    "withdraw_miss": DESK,
    "list_lookalikes": SUPERVISORS,
    "reopen_lookalikes": SUPERVISORS,
    "list_models": EVERYBODY,
    "roll_back_model": ADMINS,
    "stage_model": ADMINS,
    "list_trainings": EVERYBODY,
    "show_training": EVERYBODY,
    "ask_training": ADMINS,
    "cancel_training": ADMINS,
    "list_suggestions": SUPERVISORS,
    "show_balance": frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.MODEL_ADMIN, Role.INTEGRATOR}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `subject` goes into reviews and events, `name` is for people; `secret` is the cookie or token shown."""

    subject: str
    name: str
    roles: frozenset[Role]
    secret: str
    by_cookie: bool

    def may(self, route: str) -> bool:
        """Whether this person may call the route of this name; for templates that leave out what is of no use."""
        allowed = ACCESS[route]
        return allowed is PUBLIC or bool(allowed & self.roles)

    @property
    def supervises(self) -> bool:
        return Role.SUPERVISOR in self.roles

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from this person; from who decides as one of two, the other's decision is."""
        return self.supervises or Role.REVIEWER not in self.roles

    @property
    def csrf(self) -> str:
        """What forms of this person must hold, and scripts send as `X-CSRF-Token`."""
        return csrf.token(self.secret)


async def admit(request: Request) -> None:
    """Raises NotSignedIn or Forbidden unless the table lets who asks call the route that was found."""
    allowed = ACCESS[request.scope["route"].name]
    if allowed is PUBLIC:
        return
    context = request.app.state.context
    # The connection to the database is not asynchronous.
    person: Person | None = await run_in_threadpool(context.identity.of, request)
    if person is None:
        raise NotSignedIn()
    if not allowed & person.roles:
        raise Forbidden("Your roles don't include this.", person=person)
    if person.by_cookie:
        await csrf.check(request, person.secret)
    request.state.person = person
    await run_in_threadpool(context.limits.spend, "api", person.subject, context.config.api_rate)


def signed_in(request: Request) -> Person:
    """The person that `admit` let in."""
    person: Person = request.state.person
    return person


Caller = Annotated[Person, Depends(signed_in)]


def routes(app: FastAPI) -> Iterator[RouteContext]:
    """Every route of the application, those of its routers too."""
    return iter_route_contexts(app.routes)


def check_table(app: FastAPI) -> None:
    """Raises LookupError where a route has no row in the table, or a row no route."""
    names = {route.name or str(route.path) for route in routes(app)}
    if missing := sorted(names - ACCESS.keys()):
        raise LookupError(f"web/access.py doesn't say who may call {', '.join(missing)}")
    if idle := sorted(ACCESS.keys() - names):
        raise LookupError(f"web/access.py has rows for routes that are not there: {', '.join(idle)}")
