"""Document types over HTTP: a blank becomes a draft, the draft is drawn, tried and saved as a version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from pipeline.doctypes.load import BUILTIN, load_all
from pipeline.sheet import blank_image
from tests.integration.web.conftest import Visit
from web import workshop
from web.access import Role
from web.app import create
from web.config import WebConfig

API = "/api/v1/doctypes"
DRAFTS = f"{API}/drafts"


@pytest.fixture
def types(tmp_path: Path) -> Path:
    return tmp_path / "types"


@pytest.fixture
def app(config: WebConfig, types: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    monkeypatch.setattr(workshop, "PRINTED", None)
    made = create(replace(config, doctypes_folder=types, max_file_bytes=20 * 2**20))
    yield made
    made.state.context.close()


@pytest.fixture
def client(visit: Visit) -> TestClient:
    return visit(Role.SUPERVISOR)


def blank() -> bytes:
    slip = next(one for one in load_all(BUILTIN) if one.name == "delivery-instruction-slip")
    return cv2.imencode(".png", blank_image(slip, 1))[1].tobytes()


def made(client: TestClient, *files: bytes, name: str = "transfer") -> dict[str, Any]:
    """A draft once it is no longer being made."""
    sent = [("files", (f"{number}.png", body, "image/png")) for number, body in enumerate(files)]
    begun = client.post(DRAFTS, data={"name": name, "title": "Transfer"}, files=sent)
    assert begun.status_code == 202, begun.text
    until = time.monotonic() + 240
    while (draft := client.get(f"{DRAFTS}/{begun.json()['id']}").json())["state"] == "making":
        assert time.monotonic() < until
        time.sleep(0.5)
    found: dict[str, Any] = draft
    return found


def test_a_blank_becomes_a_version(
    client: TestClient, types: Path, events: Callable[[], list[str]], visit: Visit
) -> None:
    draft = made(client, blank())
    assert draft["state"] == "ready", draft["told"]
    assert len(draft["body"]["fields"]) > 5
    path = f"{DRAFTS}/{draft['id']}"
    assert client.get(f"{path}/pages/1").headers["content-type"] == "image/png"
    assert client.get(f"/doctypes/drafts/{draft['id']}").status_code == 200

    field = {"name": "sign", "label": "Signature", "kind": "signature", "page": 1, "box": [0.1, 0.9, 0.4, 0.95]}
    body = {**draft["body"], "fields": [{**field, "required": True}, {**field, "name": "Wrong Name"}]}
    etag = client.get(path).headers["etag"]
    kept = client.put(path, json={"body": body}, headers={"If-Match": etag})
    remarks = kept.json()["remarks"]
    assert [(one["field"], one["part"], one["stops"]) for one in remarks] == [(1, "name", True)]
    assert client.post(f"{path}/publish").status_code == 422
    assert not types.exists(), "what is wrong is not saved"

    assert client.put(path, json={"body": body}, headers={"If-Match": etag}).status_code == 412, "somebody was faster"
    body["fields"] = [{**field, "required": True}]
    etag = kept.headers["etag"]
    kept = client.put(path, json={"body": body}, headers={"If-Match": etag})
    assert "signature.missing" in kept.json()["remarks"][0]["message"]
    assert not kept.json()["remarks"][0]["stops"]

    assert client.post(f"{path}/publish", headers={"If-Match": kept.headers["etag"]}).json() == {"key": "transfer@1"}
    assert [one.key for one in load_all(types)] == ["transfer@1"]
    assert [one["own"] for one in client.get(API).json()["items"] if one["name"] == "transfer"] == [True]
    assert "doctype.published" in events() and "doctype.recorded" in events()
    assert client.post(f"{path}/publish").status_code == 409, "a draft is saved once"

    again = client.post(f"{DRAFTS}/copy", json={"type": "transfer"}).json()
    assert client.post(f"{DRAFTS}/{again['id']}/publish").json() == {"key": "transfer@2"}
    assert [one.key for one in load_all(types)] == ["transfer@2"]
    assert {one["key"] for one in client.get(f"{API}/transfer").json()["versions"]} == {"transfer@1", "transfer@2"}
    assert [path.name for path in types.iterdir()] == ["transfer"], "nothing is left beside it"
    assert "Signature" in visit(Role.AUDITOR).get("/doctypes/transfer").text


def test_files_that_are_no_forms_are_told(client: TestClient) -> None:
    assert made(client, b"%PDF-1.4 nothing")["state"] == "failed"
    draft = made(client, blank(), blank())
    assert draft["state"] == "failed"
    assert "neither one blank form nor" in draft["told"]
    assert client.delete(f"{DRAFTS}/{draft['id']}").status_code == 204
    assert client.get(f"{DRAFTS}/{draft['id']}").status_code == 404
    assert client.post(DRAFTS, data={"name": "kyc-individual", "title": "K"}, files={"files": b"x"}).status_code == 422


def test_a_draft_is_tried_on_a_sample(client: TestClient) -> None:
    draft = client.post(f"{DRAFTS}/copy", json={"type": "delivery-instruction-slip"}).json()
    sample = {"file": ("sample.png", blank(), "image/png")}
    tried = client.post(f"{DRAFTS}/{draft['id']}/try", files=sample)
    assert tried.status_code == 200, tried.text
    (page,) = tried.json()["pages"]
    assert page["sure"] and len(page["fields"]) == len(draft["body"]["fields"])
    assert tried.json()["picture"]
    broken = {"file": ("sample.png", b"no picture", "image/png")}
    assert client.post(f"{DRAFTS}/{draft['id']}/try", files=broken).status_code == 422
