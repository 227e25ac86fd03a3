"""Templates: Jinja2, everything escaped, an undefined name is an error. What each template finds:

`person` (None before signing in), `t(text, **values)` the label in the reader's language, `worded(text)` the same of
a form's own words and `refusal(text)` of a sentence that says what went wrong, `language`, `languages`,
`static(name)` the address of a static file, `path(route, **parts)` the address of a route, `page_name` of the route
shown, `navigation(person)` the entries of the menu, `when(time)` a time in the configured zone.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web import static
from web.access import Person
from web.labels import LANGUAGES, label, language
from web.refusals import refusal
from web.sentences import worded

#: Route → its entry in the menu, shown to those who may call it.
NAVIGATION = {
    "queue_page": "Queue",
    "oversight_page": "Oversight",
    "label_sets_page": "Labelling",
    "types_page": "Document types",
    "endorsers_page": "Endorsers",
    "models_page": "Models",
    "users_page": "Users",
}

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def navigation(person: Person | None) -> list[tuple[str, str]]:
    return [] if person is None else [(route, text) for route, text in NAVIGATION.items() if person.may(route)]


def render(request: Request, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """A page as a response."""
    code = language(request)
    zone = ZoneInfo(request.app.state.context.config.timezone)

    def t(text: str, **parts: object) -> str:
        return label(text, code, **parts)

    def path(route: str, **parts: object) -> str:
        return str(request.app.url_path_for(route, **parts))

    def when(time: datetime) -> str:
        return time.astimezone(zone).strftime("%d %b %Y %H:%M")

    body = _environment.get_template(template).render(
        request=request,
        person=getattr(request.state, "person", None),
        page_name=getattr(request.scope.get("route"), "name", None),
        language=code,
        languages=LANGUAGES,
        static=static.address,
        t=t,
        worded=partial(worded, code=code),
        refusal=partial(refusal, code=code),
        path=path,
        navigation=navigation,
        when=when,
        **values,
    )
    return HTMLResponse(body, status, headers={"Content-Language": code, "Vary": "Cookie, Accept-Language"})


def standalone(template: str, **values: Any) -> str:
    """A page by itself, for a file: in English, without the menu and what belongs to a request."""
    return _environment.get_template(template).render(**values)
