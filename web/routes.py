"""The modules with routes. Each function of theirs needs a row in `web/access.py`."""

from __future__ import annotations

from fastapi import APIRouter

from web import health, static
from web.api import (
    account,
    analytics,
    claims,
    doctypes,
    documents,
    drafts,
    endorsers,
    findings,
    label_files,
    labels,
    misses,
    models,
    queue,
    reviews,
    trainings,
    users,
)
from web.pages import doctypes as doctypes_page
from web.pages import document, oversight, signin
from web.pages import endorsers as endorsers_page
from web.pages import labels as labels_page
from web.pages import models as models_page
from web.pages import queue as queue_page
from web.pages import users as users_page

PAGES: tuple[APIRouter, ...] = (
    signin.router,
    queue_page.router,
    document.router,
    oversight.router,
    labels_page.router,
    doctypes_page.router,
    endorsers_page.router,
    models_page.router,
    users_page.router,
)
API: tuple[APIRouter, ...] = (
    account.router,
    documents.router,
    findings.router,
    claims.router,
    queue.router,
    reviews.router,
    misses.router,
    models.router,
    trainings.router,
    endorsers.router,
    doctypes.router,
    drafts.router,
    labels.router,
    label_files.router,
    users.router,
    analytics.router,
)
ROUTERS: tuple[APIRouter, ...] = (health.router, static.router, *PAGES, *API)
