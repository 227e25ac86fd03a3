"""The endorsers' register over HTTP: an import is shown before it is done, and all of it is written down."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from tests.integration.web.conftest import Visit
from web.access import Role

API = "/api/v1/endorsers"


def send(client: TestClient, what: str, csv: str, **headers: str) -> dict[str, object]:
    answer = client.post(f"{API}/{what}", files={"file": ("list.csv", csv.encode(), "text/csv")}, headers=headers)
    return {"status": answer.status_code, **answer.json()} if what == "import" else answer.json()


def test_the_register_is_added_to_imported_searched_and_retired_from(
    visit: Visit, events: Callable[[], list[str]]
) -> None:
    client = visit(Role.SUPERVISOR)
    anita = client.post(API, json={"name": "Anita Desai", "employee_code": "E-17", "valid_from": "2025-01-01"})
    assert anita.status_code == 201
    assert client.post(API, json={"name": "Somebody", "employee_code": "E-17"}).status_code == 409
    assert client.post(API, json={"name": "A", "valid_from": "2025-02-01", "valid_to": "2025-01-01"}).status_code == 422

    bad = send(client, "preview", "name,employee_code,valid_from\nRavi,E-18,soon\n,E-19,\nB,E-20,\nB,E-20,\n")
    assert [one["line"] for one in bad["refusals"]] == [2, 3, 5]  # type: ignore[attr-defined]
    good = "name,employee_code,designation\nAnita Desai,E-17,Manager\nRavi Kumar,E-18,\n"
    shown = send(client, "preview", good)
    assert [(one["line"], one["before"] is None) for one in shown["changes"]] == [(2, False), (3, True)]  # type: ignore[attr-defined]
    before = events()
    assert send(client, "import", good, **{"If-Match": '"of another register"'})["status"] == 409
    assert events() == before
    done = send(client, "import", good, **{"If-Match": f'"{shown["state"]}"'})
    assert (done["added"], done["changed"], done["unchanged"]) == (1, 1, 0)
    assert sorted(events()[len(before) :]) == ["endorser.added", "endorser.changed"]

    first = client.get(API, params={"limit": 1}).json()
    second = client.get(API, params={"limit": 1, "after": first["after"]}).json()
    assert [one["name"] for one in (*first["items"], *second["items"])] == ["Anita Desai", "Ravi Kumar"]
    assert second["after"] is None
    assert client.get(API, params={"after": "nowhere"}).status_code == 400
    assert [one["name"] for one in client.get(API, params={"search": "e-18"}).json()["items"]] == ["Ravi Kumar"]

    number = second["items"][0]["id"]
    assert client.post(f"{API}/{number}/retire", json={"on": "2026-01-31"}).json()["valid_to"] == "2026-01-31"
    assert client.post(f"{API}/{number}/retire", json={}).status_code == 404
    page = client.get("/endorsers", params={"retired": "true"})
    assert "Ravi Kumar" in page.text and "retired" in page.text
    assert "Ravi Kumar" not in visit(Role.REVIEWER).get("/endorsers").text
    assert 'id="import"' not in visit(Role.REVIEWER).get("/endorsers").text
