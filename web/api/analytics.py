"""Numbers about everything."""

from __future__ import annotations

from fastapi import APIRouter

from records.balance import balance
from records.suggestions import suggestions
from web.api import bodies, desk_bodies
from web.context import Desk
from web.problems import RESPONSES

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], responses=RESPONSES)


@router.get("/balance")
def show_balance(desk: Desk) -> bodies.Balance:
    """Where everything is that came in, in one snapshot, and whether it adds up."""
    with desk.sessions.begin() as session:
        return bodies.Balance.model_validate(balance(session))


@router.get("/suggestions")
def list_suggestions(desk: Desk) -> desk_bodies.Suggestions:
    """Findings that reviewers dismiss again and again: a threshold or a template may be wrong."""
    with desk.sessions.begin() as session:
        found = suggestions(session, desk.config.rules)
    return desk_bodies.Suggestions(items=[desk_bodies.Suggestion.model_validate(one) for one in found])
