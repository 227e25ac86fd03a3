"""The desk over HTTP: its pages, claims, decisions, second opinions, misses, and what each person gets to see."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from pipeline.desk import DeskRules
from pipeline.doctypes.load import builtin
from pipeline.findings import Outcome
from pipeline.sentences import say
from records import registry
from records.objects import FolderStore
from tests.integration.docvigil.cli.conftest import judge_with_pages
from tests.integration.records.casework import PASS, let_claims_run_out, put
from tests.integration.records.steps import VERSIONS, finding, sha
from tests.integration.web.conftest import Visit
from web import clauses
from web.access import Role
from web.config import WebConfig

RULES = DeskRules(four_eyes=frozenset({"signature.missing"}))


@pytest.fixture
def config(config: WebConfig) -> WebConfig:
    import dataclasses

    return dataclasses.replace(config, rules=RULES)


@pytest.fixture
def asha(visit: Visit) -> TestClient:
    return visit(Role.REVIEWER, subject="asha")


@pytest.fixture
def binod(visit: Visit) -> TestClient:
    return visit(Role.REVIEWER, subject="binod")


@pytest.fixture
def chitra(visit: Visit) -> TestClient:
    return visit(Role.SUPERVISOR, subject="chitra")


def take(client: TestClient, **wanted: Any) -> str | None:
    found: str | None = client.post("/api/v1/queue/next", json=wanted).json()["document_id"]
    return found


def open_findings(client: TestClient, document_id: str) -> list[int]:
    told = client.get(f"/api/v1/queue/{document_id}").json()
    return [one["id"] for one in told["findings"] if one["undecided"]]


def decide(client: TestClient, number: int, decision: str = "confirmed", **more: Any) -> Any:
    return client.post("/api/v1/reviews", json={"finding_id": number, "decision": decision, **more})


def test_a_page_says_what_was_found_why_and_where(
    sessions: sessionmaker[Session], store: FolderStore, asha: TestClient
) -> None:
    id_ = judge_with_pages(sessions, store, "form", [finding("date.impossible", page=2, value="31022026"), PASS])
    page = asha.get(f"/documents/{id_}")
    assert page.status_code == 200
    assert "Date that doesn&#39;t exist" in page.text and "31022026" in page.text and "97 % sure" in page.text
    assert "No bound yet on how many such defects are missed." in page.text
    assert "1 checks passed" in page.text
    # The page of the finding is shown, and only its picture is asked for.
    assert re.findall(r'<image [^>]*href="([^"]+)"', page.text) == [f"/api/v1/documents/{id_}/pages/2"]
    assert '<rect x="62.0" y="175.4" width="124.0"' in page.text
    assert "<script>" not in page.text and " style=" not in page.text and " onclick=" not in page.text


def test_a_hindi_desk_tells_findings_in_hindi_and_old_ones_as_they_were_written(
    sessions: sessionmaker[Session], store: FolderStore, asha: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clauses, "_known", {})
    with sessions.begin() as session:
        registry.record_doctypes(session, builtin(), VERSIONS.doctypes)
    label = "Date of the declaration"
    passed = say("date.recent", label=label)
    stale = say("date.stale", label=label, day="01/01/2026", days=90, on="01/06/2026")
    found = [
        finding("date.stale", field="declaration_date", message=stale),
        finding("date.future", Outcome.PASS, field="declaration_date", message=passed),
        finding("ink.unexpected", field="unexpected", message="Somebody has scribbled here."),
    ]
    id_ = judge_with_pages(sessions, store, "form", [replace(one, rule="desk.age") for one in found])
    english, hindi = (asha.get(f"/documents/{id_}", headers={"Accept-Language": code}).text for code in ("en", "hi"))
    assert found[0].message in english and passed in english and "within three months of its declaration" in english
    assert "घोषणा की तारीख़, 01/01/2026, 01/06/2026 से 90 दिन से अधिक पहले का है।" in hindi
    assert "घोषणा की तारीख़ बहुत पुराना नहीं है।" in hindi
    assert "प्रपत्र घोषणा से तीन महीने के भीतर डेस्क पर पहुँचता है।" in hindi
    assert "परिचालन डेस्कों की रीति" in hindi
    assert label not in hindi and "declaration" not in hindi
    assert "Somebody has scribbled here." in hindi
    # Programs get the sentence as it is kept.
    told = asha.get(f"/api/v1/queue/{id_}", headers={"Accept-Language": "hi"}).json()["findings"]
    assert {one["message"] for one in told} == {one.message for one in found}


def test_opening_a_document_takes_it_and_others_are_told_a_way_on(
    sessions: sessionmaker[Session], asha: TestClient, binod: TestClient, chitra: TestClient, visit: Visit
) -> None:
    id_ = put(sessions, "form")
    auditor = visit(Role.AUDITOR, subject="dev")
    assert "post_review" not in auditor.get(f"/documents/{id_}").text
    assert 'data-decides="yes"' in asha.get(f"/documents/{id_}").text
    page = binod.get(f"/documents/{id_}").text
    assert 'data-decides=""' in page and "somebody else&#39;s hands" in page and "Next for me" in page
    assert decide(binod, open_findings(binod, id_)[0]).status_code == 409
    assert binod.put(f"/api/v1/documents/{id_}/claim").status_code == 409
    assert asha.put(f"/api/v1/documents/{id_}/claim").status_code == 200
    assert binod.post(f"/api/v1/documents/{id_}/claim", json={"take_over": True}).status_code == 409
    assert chitra.post(f"/api/v1/documents/{id_}/claim", json={"take_over": True}).status_code == 200
    assert asha.put(f"/api/v1/documents/{id_}/claim").status_code == 409
    let_claims_run_out(sessions)
    assert 'data-decides="yes"' in asha.get(f"/documents/{id_}").text
    assert asha.delete(f"/api/v1/documents/{id_}/claim").status_code == 204
    assert take(binod) == id_


def test_the_queue_is_narrowed_sorted_and_paged(
    sessions: sessionmaker[Session], asha: TestClient, chitra: TestClient
) -> None:
    for number in range(5):
        put(sessions, f"signature {number}")
    put(sessions, "date", [finding("date.missing")], priority=5, types=["delivery-instruction-slip"])
    assert sha("date")[:12] in asha.get("/?check=date.missing&type=&sla=&assignee=").text
    assert sha("date")[:12] not in asha.get("/?check=signature.missing").text
    nothing = asha.get("/?check=date.order").text
    assert "Nothing that waits for you is like that." in nothing and "Show all" in nothing
    assert "Date missing (1)" in asha.get("/").text
    seen, address = [], "/?limit=4&sort=age"
    while address:
        page = asha.get(address).text
        seen += re.findall(r'href="/documents/([0-9a-f]{64})', page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        address = more[1].replace("&amp;", "&") + "&limit=4" if more else ""
    assert len(seen) == len(set(seen)) == 6 and seen[0] == sha("date")
    assert asha.get("/?after=nonsense").status_code == 400
    assert asha.get("/?check=no+check").status_code == 422

    ticked = [sha("signature 1"), sha("signature 2")]
    assert asha.post("/assign", data={"document": ticked, "to": "asha"}).status_code == 403
    assert chitra.post("/assign", data={"document": ticked, "to": "asha"}).headers["location"].endswith("count=2")
    assert {one["document_id"] for one in asha.get("/api/v1/queue?assignee=asha").json()["items"]} == set(ticked)
    assert len(asha.get("/api/v1/queue?assignee=-").json()["items"]) == 4
    assert (
        asha.post("/next", data={"check": "date.missing"})
        .headers["location"]
        .startswith(f"/documents/{sha('date')}?check=")
    )
    assert asha.post("/next", data={"check": "date.order"}).headers["location"] == "/?check=date.order&told=none"
    assert asha.get("/api/v1/queue/counts").json()["assignee"] == {"asha": 2, "": 4}


def test_a_second_opinion_is_blind_and_a_supervisor_settles_what_differs(
    sessions: sessionmaker[Session], asha: TestClient, binod: TestClient, chitra: TestClient
) -> None:
    id_ = put(sessions, "form", [finding(value=None)])
    number = open_findings(asha, id_)[0]
    first = decide(asha, number, note="nothing there")
    assert (first.status_code, first.json()["done"]) == (201, False)
    assert take(asha) is None
    assert "nothing there" not in binod.get(f"/documents/{id_}").text
    assert binod.get(f"/api/v1/queue/{id_}").json()["findings"][0]["reviews"] == []
    assert decide(binod, number, "dismissed").json()["done"] is False
    assert take(binod) is None and "somebody" not in asha.get("/").text
    assert id_[:12] in chitra.get("/oversight").text
    page = chitra.get(f"/documents/{id_}").text
    assert "nothing there" in page and "binod" in page and "Two reviewers differ" in page
    done = decide(chitra, number, "corrected", box=[0.1, 0.2, 0.3, 0.5]).json()
    assert done["done"] and done["box"] == [0.1, 0.2, 0.3, 0.5] and done["round"] == 3


def test_a_decision_is_taken_back_in_time(sessions: sessionmaker[Session], asha: TestClient, binod: TestClient) -> None:
    id_ = put(sessions, "form", [finding("date.missing")])
    number = open_findings(asha, id_)[0]
    assert decide(asha, number).json()["done"]
    assert decide(binod, number).status_code == 409, "nobody decides twice"
    assert binod.post("/api/v1/reviews/undo", json={"finding_id": number}).status_code == 409
    assert "Take back" in asha.get(f"/documents/{id_}").text
    assert asha.post("/api/v1/reviews/undo", json={"finding_id": number}).json() == {"document_id": id_}
    assert open_findings(asha, id_) == [number]
    assert take(binod) is None, "it is in the hands of the one who took it back"


def test_a_missed_defect_leads_to_others_like_it(
    sessions: sessionmaker[Session], asha: TestClient, chitra: TestClient
) -> None:
    for name in ("seen", "other", "third"):
        put(sessions, name, [PASS])
    report = {"page": 1, "check": "signature.missing", "box": [0.1, 0.2, 0.3, 0.4], "note": "blank"}
    assert asha.post(f"/api/v1/documents/{sha('seen')}/misses", json={**report, "box": [2, 0, 1, 1]}).status_code == 422
    made = asha.post(f"/api/v1/documents/{sha('seen')}/misses", json=report).json()
    assert "Signature missing" in asha.get(f"/documents/{sha('seen')}").text
    assert asha.get(f"/misses/{made['id']}").status_code == 403
    assert f"/misses/{made['id']}" in chitra.get("/oversight").text
    page = chitra.get(f"/misses/{made['id']}").text
    assert sha("other")[:12] in page and sha("third")[:12] in page and sha("seen")[:12] not in page
    done = chitra.post(f"/misses/{made['id']}/reopen", data={"document": [sha("other"), sha("third")]})
    assert done.headers["location"].endswith("reopened=2")
    assert take(asha) in (sha("other"), sha("third"))
    assert "No clear document is left" in chitra.get(f"/misses/{made['id']}").text
    assert asha.delete(f"/api/v1/misses/{made['id']}").status_code == 204


def test_what_is_dismissed_again_and_again_is_told_to_the_supervisor(
    sessions: sessionmaker[Session], asha: TestClient, chitra: TestClient
) -> None:
    for number in range(RULES.dismissals):
        id_ = put(sessions, f"form {number}", [finding("date.stale", field="slip_date")])
        assert decide(asha, open_findings(asha, id_)[0], "dismissed").status_code == 201
    assert "slip_date" in chitra.get("/oversight").text
    assert chitra.get("/api/v1/analytics/suggestions").json()["items"][0]["about"] == "template"
