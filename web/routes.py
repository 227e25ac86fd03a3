"""The modules with routes. Each function of theirs needs a row in `web/access.py`."""

from __future__ import annotations

from fastapi import APIRouter

from web import health, static
from web.api import account, analytics, documents, findings, models, queue, reviews
from web.pages import queue as queue_page
from web.pages import signin

PAGES: tuple[APIRouter, ...] = (signin.router, queue_page.router)
API: tuple[APIRouter, ...] = (
    account.router,
    documents.router,
    findings.router,
    queue.router,
    reviews.router,
    models.router,
    analytics.router,
)
ROUTERS: tuple[APIRouter, ...] = (health.router, static.router, *PAGES, *API)
