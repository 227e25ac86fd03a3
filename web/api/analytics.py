"""Numbers about everything."""

from __future__ import annotations

from fastapi import APIRouter

from records.balance import balance
from web.api import bodies
from web.context import Desk
from web.problems import RESPONSES

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], responses=RESPONSES)


@router.get("/balance")
def show_balance(desk: Desk) -> bodies.Balance:
    """Where everything is that came in, in one snapshot, and whether it adds up."""
    with desk.sessions.begin() as session:
        return bodies.Balance.model_validate(balance(session))
