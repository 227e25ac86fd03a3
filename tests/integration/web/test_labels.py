"""Labelling over HTTP: handed out once, judged by the checks of the type, the same after a way out and in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from docvigil.measure import labels as measured
from pipeline.doctypes.load import builtin
from records.objects import FolderStore
from tests.integration.docvigil.cli.conftest import judge_with_pages
from tests.integration.records import steps
from tests.integration.web.conftest import Visit
from web.access import Role

API = "/api/v1/labels"
KYC = "kyc-individual"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


def make(client: TestClient, **more: Any) -> int:
    return int(client.post(f"{API}/sets", json={"name": "Pilot", "document_type": KYC, **more}).json()["id"])


def export(client: TestClient, number: int, form: str) -> bytes:
    answer = client.get(f"{API}/sets/{number}/export", params={"format": form})
    assert answer.status_code == 200, answer.text
    return answer.content


def field(name: str, value: str | None) -> dict[str, Any]:
    one = next(each for one in builtin() if one.name == KYC for each in one.fields if each.name == name)
    return {"name": name, "kind": one.kind.value, "page": one.page, "box": one.box, "value": value}


def first(kind: str, *, identifier: str | None = None, required: bool | None = None) -> str:
    (kyc,) = (one for one in builtin() if one.name == KYC)
    return next(
        one.name
        for one in kyc.fields
        if one.kind.value == kind
        and (identifier is None or (one.identifier is not None and one.identifier.value == identifier))
        and (required is None or one.required is required)
    )


def test_a_document_is_labelled_once_and_goes_out_and_in(
    sessions: sessionmaker[Session],
    store: FolderStore,
    visit: Visit,
    events: Callable[[], list[str]],
) -> None:
    document_id = judge_with_pages(sessions, store, "form", [steps.finding()])
    boss, other = visit(Role.SUPERVISOR), visit(Role.REVIEWER, subject="binod")
    number = make(boss, count=10, status="flagged")
    assert boss.post(f"{API}/sets/{number}/next").json() == {"document_id": document_id}
    assert other.post(f"{API}/sets/{number}/next").json() == {"document_id": None}, "it is in somebody's hands"
    assert boss.post(f"{API}/sets/{number}/next").json() == {"document_id": document_id}
    work = boss.get(f"{API}/documents/{document_id}", params={"set_id": number}).json()
    assert (work["document_type"], len(work["pages"]), work["label"]) == (KYC, 2, None)
    assert len(work["fields"]) > 20

    missing, there = first("signature", required=True), first("date")
    last_four = first("identifier", identifier="aadhaar_last4")
    fields = [field(missing, None), field(there, "32132025"), field(last_four, "2345 6789 0124")]
    said = {"set_id": number, "document_type": KYC, "fields": fields, "defects": []}
    kept = boss.post(f"{API}/documents/{document_id}", json=said)
    assert kept.status_code == 201, kept.text
    defects = {(one["field"], one["check"]) for one in kept.json()["defects"]}
    assert (missing, "signature.missing") in defects
    assert (there, "date.impossible") in defects
    with sessions.begin() as session:
        assert "6789" not in session.execute(text("SELECT fields::text FROM labels")).scalar_one()
    assert boss.post(f"{API}/sets/{number}/next").json() == {"document_id": None}

    ours = export(boss, number, "labels")
    line = json.loads(ours)
    assert line["path"].startswith(document_id)
    assert line["on"] == "2026-03-02"
    for form in ("labels", "coco", "label-studio"):
        body = export(boss, number, form)
        taken = boss.post(f"{API}/sets/{number}/import", files={"file": ("labels", body)})
        assert taken.json() == {"labelled": 1, "unknown": 0}, form
        again = json.loads(export(boss, number, "labels"))
        assert _near(again["fields"], line["fields"]), form
    assert boss.post(f"{API}/sets/{number}/import", files={"file": ("x", b"{}")}).status_code == 422
    assert events().count("label.imported") == 3
    assert events().count("export") == 7
    assert other.get(f"{API}/sets/{number}/export").status_code == 403


def test_uploaded_documents_are_exported_as_a_folder_that_can_be_measured(visit: Visit, tmp_path: Any) -> None:
    boss = visit(Role.SUPERVISOR)
    number = make(boss)
    added = boss.post(f"{API}/sets/{number}/documents", files={"file": ("a.png", PNG)})
    assert added.status_code == 201, added.text
    document_id = added.json()["document_id"]
    assert boss.post(f"{API}/sets/{number}/next").json()["document_id"] is None, "it has not been prepared yet"
    line = {"path": f"{document_id}.png", "document_type": KYC, "fields": [field(first("signature"), "signature")]}
    body = json.dumps(line).encode() + b"\n" + json.dumps({**line, "path": "0" * 64}).encode()
    taken = boss.post(f"{API}/sets/{number}/import", files={"file": ("labels.jsonl", body)})
    assert taken.json() == {"labelled": 1, "unknown": 1}
    with zipfile.ZipFile(io.BytesIO(export(boss, number, "folder"))) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / f"{document_id}.png").read_bytes() == PNG
    (read,) = measured(tmp_path)
    assert (read["document_type"], read["fields"][0]["value"]) == (KYC, "signature")


def _near(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """The same fields in any order, their boxes rounded otherwise."""
    pairs = list(zip(*(sorted(each, key=lambda field: field["name"]) for each in (one, other)), strict=True))
    plain = all({**x, "box": None} == {**y, "box": None} for x, y in pairs)
    return plain and all(abs(a - b) < 0.002 for x, y in pairs for a, b in zip(x["box"], y["box"], strict=True))
