"""Those who sign in at docvigil itself, for the people who manage them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from records import users
from web.access import Role
from web.api.users import SHOWN
from web.context import Desk
from web.rendering import render

router = APIRouter(include_in_schema=False)

#: What each role is for; templates translate it.
ROLES = {
    Role.REVIEWER: "looks at documents and decides on findings",
    Role.SUPERVISOR: "also decides what reviewers disagree on; manages users, endorsers and document types",
    Role.MODEL_ADMIN: "moves model versions and starts trainings",
    Role.AUDITOR: "looks at everything, decides on nothing",
    Role.INTEGRATOR: "for programs: documents in, results out",
}


@router.get("/users")
def users_page(
    request: Request, desk: Desk, after: Annotated[str, Query(max_length=64, pattern=r"^[^\x00]*$")] = ""
) -> Response:
    """Everybody, and for supervisors the ways to change who may do what; or where users are managed instead."""
    config = desk.config
    if config.oidc is not None:
        return render(request, "users.html", issuer=config.oidc.issuer, claim=config.oidc.roles_claim, roles=ROLES)
    with desk.sessions.begin() as session:
        page = users.listed(session, after=after, limit=SHOWN)
    days = max(1, round(config.invitation.total_seconds() / 86400))
    return render(request, "users.html", issuer=None, page=page, roles=ROLES, days=days)
