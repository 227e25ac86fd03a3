"""A scan's way through the workers' hands: taken up, handed on, judged, each in one statement of SQL.

A document costs as many ways to the database as there are statements, and each is Python's work too; so that what
belongs together is written together. Every part of a statement reads what the part before returned, from the scan on:
where the lease is no longer ours the scan is not found, and nothing is written at all; and rows are locked in the one
order, scan, place in the queue, document, case.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipeline.desk import DeskRules
from pipeline.findings import Finding, Verdict
from records.audit import body
from records.cases import Opening, opening
from records.privacy import masked
from records.words import Lease, Versions

# A lease counts by the clock, from the moment it is written, and not from the transaction's start.
_TAKE = text("""
    WITH taken AS (
        UPDATE scans
           SET lease_owner = :owner, token = token + 1,
               lease_expires_at = clock_timestamp() + make_interval(secs => :seconds)
          FROM documents
         WHERE scans.id = :scan_id AND stage = :stage AND lease_owner IS NULL AND alone = :alone
           AND documents.id = scans.document_id
           AND EXISTS (SELECT FROM outbox WHERE outbox.scan_id = scans.id AND not_before <= now())
        RETURNING scans.id AS scan_id, document_id, arrival_id, number, stage, lease_owner AS owner, token,
                  lease_expires_at AS expires_at, judged_on, media_type, size, attempts, deaths, alone, manifest,
                  priority
    ), noted AS (
        UPDATE outbox SET published_at = coalesce(published_at, now()), taken_at = now()
          FROM taken WHERE outbox.scan_id = taken.scan_id
    )
    SELECT * FROM taken
""")

_PREPARED = text("""
    WITH held AS (
        UPDATE scans
           SET stage = 'infer', manifest = CAST(:manifest AS jsonb), lease_owner = NULL, lease_expires_at = NULL
         WHERE id = :scan_id AND token = :token AND lease_owner = :owner AND stage = 'prepare'
        RETURNING id
    ), queued AS (
        UPDATE outbox SET queue = 'infer', published_at = NULL, taken_at = NULL, not_before = now()
          FROM held WHERE scan_id = held.id
    ), told AS (
        INSERT INTO events (body) SELECT :event FROM held
    )
    SELECT id FROM held
""")

_PLACE = text("""
    SELECT sources.id AS source_id, sources.location, now() AS at, model_versions.stage AS judge
      FROM arrivals JOIN sources ON sources.id = source_id LEFT JOIN model_versions ON version = :model
     WHERE arrivals.id = :arrival_id
""")

_JUDGED = text("""
    WITH held AS (
        UPDATE scans
           SET stage = 'done', verdict = :verdict, finished_at = now(), lease_owner = NULL, lease_expires_at = NULL,
               model_version = :model, rules_version = :rules, doctypes_version = :doctypes,
               repeated = EXISTS (
                   SELECT FROM scans other
                    WHERE other.document_id = scans.document_id AND other.id <> scans.id
                      AND (other.model_version, other.rules_version, other.doctypes_version)
                        = (:model, :rules, :doctypes)),
               document_types = CAST(:document_types AS text[]), timings = CAST(:timings AS jsonb)
         WHERE id = :scan_id AND token = :token AND lease_owner = :owner AND stage = 'infer'
        RETURNING id, document_id
    ), found AS (
        INSERT INTO findings (scan_id, page, field, "check", ordinal, outcome, confidence, value, box, rule, message,
                              evidence_key)
        SELECT held.id, page, field, "check", ordinal, outcome, confidence, value, box, rule, message, evidence_key
          FROM held, jsonb_to_recordset(CAST(:findings AS jsonb)) AS one (
               place bigint, page bigint, field text, "check" text, ordinal bigint, outcome text, confidence float8,
               value text, box float8[], rule text, message text, evidence_key text)
         ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING id, page, field, "check", ordinal
    ), settled AS (
        DELETE FROM outbox USING held WHERE scan_id = held.id RETURNING scan_id
    ), shown AS (
        UPDATE documents SET status = :verdict, reason = NULL, verdict_at = now(), updated_at = now()
          FROM held LEFT JOIN settled ON scan_id = held.id
         WHERE documents.id = document_id
        RETURNING held.id AS scan_id, document_id, priority, verdict_at
    ), opened AS (
        INSERT INTO cases (scan_id, document_id, source_id, cause, probability, priority, risk, document_types, checks,
                           asked, undecided, verdict_at, due_at)
        SELECT scan_id, document_id, :source_id, CAST(:cause AS text), CAST(:probability AS float8), priority,
               CAST(:risk AS float8), CAST(:document_types AS text[]), CAST(:checks AS text[]), ids, ids, verdict_at,
               CAST(:due_at AS timestamptz)
          FROM shown, (
               SELECT coalesce(array_agg(found.id ORDER BY found.id), '{}') AS ids
                 FROM found JOIN jsonb_to_recordset(CAST(:asked AS jsonb)) AS one (
                      page bigint, field text, "check" text, ordinal bigint)
                   ON found.page = one.page AND found.field IS NOT DISTINCT FROM one.field
                  AND found."check" = one."check" AND found.ordinal = one.ordinal) AS asked
         WHERE :opens
    ), told AS (
        INSERT INTO events (body)
        SELECT one FROM held, unnest(CAST(:events AS text[])) WITH ORDINALITY AS told (one, place) ORDER BY place
    )
    SELECT id FROM held
""")


def take(
    session: Session, scan_id: int, stage: str, owner: str, lease_seconds: float, *, alone: bool = False
) -> Lease | None:
    """Take up a stage of a scan. None when it is done, at another stage, in other hands, or not due yet: a message
    delivered twice does nothing. Only a worker that runs nothing else beside it passes `alone`."""
    row = session.execute(
        _TAKE, {"scan_id": scan_id, "stage": stage, "owner": owner, "seconds": lease_seconds, "alone": alone}
    ).one_or_none()
    return None if row is None else Lease(**row._mapping)


def prepared(session: Session, lease: Lease, manifest: Mapping[str, Any]) -> bool:
    """The pages and evidence that `manifest` names are stored: on to the model's queue, with the age it has."""
    if lease.stage != "prepare":
        return False
    told = body("scan.prepared", lease.document_id, scan=lease.scan_id, token=lease.token)
    return _written(session, _PREPARED, lease, manifest=json.dumps(dict(manifest)), event=told)


def judged(
    session: Session,
    lease: Lease,
    verdict: Verdict,
    findings: Sequence[Finding],
    *,
    evidence_keys: Sequence[str | None] | None = None,
    versions: Versions,
    document_types: Collection[str] = (),
    timings: Mapping[str, float] | None = None,
    rules: DeskRules | None = None,
) -> bool:
    """Write findings and verdict, end the scan, and put it before people where `rules` of the desk say so.
    `evidence_keys` goes along with `findings`, one each.

    A verdict is clear or flagged here; `leases.quarantine` is for what can't be scanned.
    """
    if verdict is Verdict.QUARANTINED:
        raise ValueError("a scan that was judged is clear or flagged; use quarantine() for one that could not be")
    keys = [None] * len(findings) if evidence_keys is None else list(evidence_keys)
    if len(keys) != len(findings):
        raise ValueError(f"{len(findings)} findings came with {len(keys)} evidence keys")
    if lease.stage != "infer":
        return False
    place = session.execute(_PLACE, {"arrival_id": lease.arrival_id, "model": versions.model}).one()
    case = opening(lease, verdict, findings, rules or DeskRules(), place.judge == "canary")
    types = sorted(set(document_types))
    told = body(
        "verdict",
        lease.document_id,
        scan=lease.scan_id,
        token=lease.token,
        verdict=verdict.value,
        findings=len(findings),
        model=versions.model,
        rules=versions.rules,
        doctypes=versions.doctypes,
    )
    return _written(
        session,
        _JUDGED,
        lease,
        verdict=verdict.value,
        model=versions.model,
        rules=versions.rules,
        doctypes=versions.doctypes,
        document_types=types,
        timings=None if timings is None else json.dumps(dict(timings)),
        findings=json.dumps([_row(number, *one) for number, one in enumerate(zip(findings, keys, strict=True))]),
        source_id=place.source_id,
        due_at=(rules or DeskRules()).due_at(place.at, types, place.location),
        events=[told] if case is None else [told, _told(lease, case)],
        **_case(case),
    )


def _written(session: Session, statement: Any, lease: Lease, **values: Any) -> bool:
    """Whether the lease was still the newest and unreaped; nothing is written where it wasn't."""
    held = {"scan_id": lease.scan_id, "token": lease.token, "owner": lease.owner}
    return session.execute(statement, {**held, **values}).one_or_none() is not None


def _told(lease: Lease, case: Opening) -> str:
    return body("case.opened", lease.document_id, scan=lease.scan_id, cause=case.cause, asked=len(case.asked))


def _case(case: Opening | None) -> dict[str, Any]:
    if case is None:
        return {"opens": False, "cause": None, "probability": None, "risk": None, "checks": [], "asked": "[]"}
    asked = [dict(zip(("page", "field", "check", "ordinal"), one, strict=True)) for one in case.asked]
    return {
        "opens": True,
        "cause": case.cause,
        "probability": case.probability,
        "risk": case.risk,
        "checks": sorted({check for _, _, check, _ in case.asked}),
        "asked": json.dumps(asked),
    }


def _row(place: int, finding: Finding, evidence_key: str | None) -> dict[str, Any]:
    return {
        "place": place,
        "page": finding.page,
        "field": finding.field,
        "check": finding.check,
        "ordinal": finding.ordinal,
        "outcome": finding.outcome.value,
        "confidence": float(finding.confidence),
        "value": None if finding.value is None else masked(finding.value),
        "box": None if finding.box is None else finding.box.as_list(),
        "rule": finding.rule,
        "message": masked(finding.message),
        "evidence_key": evidence_key,
    }
