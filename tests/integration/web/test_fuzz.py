"""Whatever is sent to the API as its description allows, or nearly so, it never breaks (5xx)."""

from __future__ import annotations

import dataclasses
from contextlib import suppress

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from sqlalchemy.orm import Session, sessionmaker

from tests.integration.records import steps
from tests.integration.web.conftest import Visit
from web import passwords
from web.access import Role
from web.config import WebConfig


@pytest.fixture
def config(config: WebConfig) -> WebConfig:
    return dataclasses.replace(config, api_rate=10**6)


#: Requests an operation, of each kind; more find more and take longer.
EXAMPLES = 10


def test_nothing_that_is_sent_breaks_it(
    app: FastAPI, sessions: sessionmaker[Session], visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Slow by design, and nobody guesses a password here.
    monkeypatch.setattr(passwords, "matches", lambda *_: False)
    steps.judge(sessions, steps.document(sessions))
    client = visit(*Role)
    described = app.openapi()
    broken: list[str] = []
    schema = schemathesis.openapi.from_dict(described)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 10
    assert {one.path for one in operations if one.path.startswith("/api/v1/users")} >= {
        "/api/v1/users",
        *(f"/api/v1/users/{{name}}{what}" for what in ("", "/roles", "/reset", "/disable", "/enable")),
    }
    for operation in operations:
        for mode in GenerationMode:

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(operation.as_strategy(generation_mode=mode))
            def send(case: schemathesis.Case) -> None:
                sent = case.as_transport_kwargs(base_url="http://testserver")
                made = requests.Request(**{name: sent[name] for name in sent.keys() - {"timeout", "cookies"}}).prepare()
                answer = client.request(
                    made.method or "", made.url or "", headers=dict(made.headers), content=made.body
                )
                if answer.status_code >= 500:
                    broken.append(f"{case.method} {sent['url']} {answer.status_code} {answer.text}")

            # Where nothing is asked, nothing can be asked wrongly.
            with suppress(Unsatisfiable):
                send()
    assert broken == []
