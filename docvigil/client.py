"""A thin client of the API, for programs in Python. Values are those of /api/openapi.json, as plain dictionaries.

with Client("https://docvigil.example.org", credentials=("feed", secret)) as docvigil:
    document = docvigil.upload(Path("form.pdf"))
    for one in docvigil.queue(check="signature.missing"):
        print(one["document_id"], one["checks"])
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

#: Times that a request is sent while the server is away or asks to wait; a decision is never taken twice.
ATTEMPTS = 4
#: The longest wait that a server may ask for, in seconds.
LONGEST_WAIT = 60.0
#: A token is renewed so long before it ends, in seconds.
MARGIN_SECONDS = 30.0


class ApiProblem(Exception):
    """The API says no. `status` is HTTP's, the message a sentence, `request_id` stands in the server's log."""

    def __init__(self, status: int, detail: str, request_id: str | None) -> None:
        super().__init__(detail)
        self.status, self.request_id = status, request_id


class Client:
    """Signs in by a bearer `token` of your issuer, or by `credentials` (id and secret) of docvigil itself."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        credentials: tuple[str, str] | None = None,
        client: httpx2.Client | None = None,
        seconds: float = 60.0,
    ) -> None:
        if (token is None) == (credentials is None):
            raise ValueError("give a token or credentials, one of the two")
        self._url, self._token, self._credentials = url.rstrip("/"), token or "", credentials
        self._until = float("inf") if credentials is None else 0.0
        self._client = client or httpx2.Client(timeout=seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def documents(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        """Documents, the newest first, page after page."""
        return self._all("/documents", status=status)

    def document(self, document_id: str) -> dict[str, Any]:
        """A document with everything about it; under `etag` its state, for `review`."""
        answer = self._ask("GET", f"/documents/{document_id}")
        return {**answer.json(), "etag": answer.headers["etag"]}

    def upload(self, file: Path) -> dict[str, Any]:
        """Hands a file over. `status` is `document`, or `duplicate` where the content was known."""
        with file.open("rb") as body:
            told: dict[str, Any] = self._ask("POST", "/documents", files={"file": (file.name, body)}).json()
        return told

    def page(self, document_id: str, number: int) -> bytes:
        """The picture of a page, as JPEG."""
        return self._ask("GET", f"/documents/{document_id}/pages/{number}").content

    def queue(self, check: str | None = None, type: str | None = None) -> Iterator[dict[str, Any]]:
        """Flagged documents that wait for a decision."""
        return self._all("/queue", check=check, type=type)

    def findings(self, check: str | None = None, outcome: str | None = None) -> Iterator[dict[str, Any]]:
        """Findings that didn't pass (or of `outcome`), in the order of scanning."""
        return self._all("/findings", check=check, outcome=outcome)

    def review(
        self,
        finding_id: int,
        decision: str,
        *,
        value: str | None = None,
        note: str | None = None,
        etag: str | None = None,
    ) -> dict[str, Any]:
        """Decides on a finding: `confirmed`, `dismissed`, or `corrected` with the `value` that is right. With the
        document's `etag` only if nothing has changed since."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), **({"If-Match": etag} if etag else {})}
        body = {"finding_id": finding_id, "decision": decision, "value": value, "note": note}
        told: dict[str, Any] = self._ask("POST", "/reviews", json=body, headers=headers).json()
        return told

    def models(self) -> list[dict[str, Any]]:
        """Model versions, the last one staged first."""
        items: list[dict[str, Any]] = self._ask("GET", "/models").json()["items"]
        return items

    def _all(self, path: str, **query: str | None) -> Iterator[dict[str, Any]]:
        given = {name: value for name, value in query.items() if value is not None}
        after: dict[str, str] = {}
        while True:
            page = self._ask("GET", path, params={**given, **after}).json()
            yield from page["items"]
            if page["after"] is None:
                return
            after = {"after": page["after"]}

    def _ask(self, method: str, path: str, **what: Any) -> httpx2.Response:
        headers = what.pop("headers", {})
        # A file that was read can't be sent again from where it stands.
        attempts = 1 if "files" in what else ATTEMPTS
        for attempt in range(1, attempts + 1):
            sent = {"Authorization": f"Bearer {self._bearer()}", **headers}
            answer = self._client.request(method, f"{self._url}/api/v1{path}", headers=sent, **what)
            if answer.status_code not in (429, 503) or attempt == attempts:
                return _good(answer)
            time.sleep(min(LONGEST_WAIT, float(answer.headers.get("retry-after", attempt))))
        raise AssertionError("the last attempt returns")

    def _bearer(self) -> str:
        if time.monotonic() >= self._until and self._credentials is not None:
            form = {"grant_type": "client_credentials"}
            answer = _good(self._client.post(f"{self._url}/oauth/token", data=form, auth=self._credentials))
            told = answer.json()
            self._token, self._until = told["access_token"], time.monotonic() + told["expires_in"] - MARGIN_SECONDS
        return self._token


def _good(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    try:
        told = answer.json()
    except ValueError:
        told = {}
    detail = told.get("detail") or told.get("error_description") or answer.reason_phrase
    raise ApiProblem(answer.status_code, detail, answer.headers.get("x-request-id"))
