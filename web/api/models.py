"""Model versions."""

from __future__ import annotations

from fastapi import APIRouter

from records import registry
from web.api import bodies
from web.context import Desk
from web.problems import RESPONSES

router = APIRouter(prefix="/api/v1/models", tags=["models"], responses=RESPONSES)


@router.get("")
def list_models(desk: Desk) -> bodies.Models:
    """Every model version that has been recorded, the last one staged first."""
    with desk.sessions.begin() as session:
        return bodies.Models.model_validate({"items": registry.models(session)})
