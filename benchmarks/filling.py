"""Fills a database with documents that were never scanned, as quickly as the server can write them."""

from __future__ import annotations

import psycopg

FILL = """
SET session_replication_role = replica;
INSERT INTO sources (kind, location) SELECT 'folder', '/drop/' || n FROM generate_series(1, 8) n;
CREATE TEMP TABLE d AS
SELECT n, encode(sha256(n::text::bytea), 'hex') AS id,
       CASE WHEN n %% 3 = 0 THEN 'flagged' ELSE 'clear' END AS status,
       now() - make_interval(secs => (%(documents)s - n) * 20) AS at,
       n %% 10 = 0 AND n %% 3 = 0 AS decided_not,
       ARRAY[(ARRAY['kyc-individual', 'delivery-instruction', 'transmission', 'nomination', 'pledge', 'closure'])
             [1 + (n * 7919 %% 13) %% 6]] AS types
  FROM generate_series(1, %(documents)s::bigint) n;
INSERT INTO arrivals (id, source_id, identity, path, status, document_id, arrived_at)
OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 8, n::text, '/drop/' || n || '.pdf', 'document', id, at FROM d;
INSERT INTO scans (id, document_id, number, arrival_id, cause, judged_on, stage, verdict, model_version, rules_version,
                   doctypes_version, document_types, manifest, created_at, finished_at)
SELECT n, id, 1, n, 'arrival', at::date, 'done', status, 'model-1', 'rules-1', 'types-1', types, '{"pages": []}', at, at
  FROM d;
INSERT INTO documents (id, size, media_type, status, scan_id, created_at, verdict_at, reviewed_at)
SELECT id, 1, 'application/pdf', status, n, at, at, CASE WHEN status = 'flagged' AND NOT decided_not THEN at END FROM d;
INSERT INTO findings (id, scan_id, page, field, "check", ordinal, outcome, confidence, box, message)
OVERRIDING SYSTEM VALUE
SELECT n * 6 + k, n, 1, 'field_' || k,
       (ARRAY['signature.missing', 'date.missing', 'date.stale', 'endorsement.missing', 'ink.unexpected', 'page.poor'])
       [1 + k], 0,
       CASE WHEN status = 'flagged' AND (k = (n / 3) %% 6 OR k = (n / 7) %% 5)
            THEN CASE WHEN n %% 2 = 0 THEN 'anomaly' ELSE 'uncertain' END ELSE 'pass' END,
       0.5 + (n * 31 + k * 17) %% 500 / 1000.0, '{0.1,0.1,0.2,0.2}', 'A sentence about what was found on the page.'
  FROM d CROSS JOIN generate_series(0, 5) k;
INSERT INTO cases (scan_id, document_id, source_id, cause, stage, risk, document_types, checks, asked, undecided,
                   verdict_at, due_at, assignee, decided_at)
SELECT n, id, 1 + n %% 8, 'flagged', CASE WHEN decided_not THEN 'open' ELSE 'decided' END,
       (n * 104729 %% 100000) / 100000.0, types, f.checks, f.asked,
       CASE WHEN decided_not THEN f.asked ELSE '{}' END, at, at + interval '2 days',
       CASE WHEN n %% 4 = 0 THEN 'reviewer-' || n %% 20 END,
       CASE WHEN NOT decided_not THEN at END
  FROM d CROSS JOIN LATERAL (SELECT array_agg(DISTINCT "check") AS checks, array_agg(findings.id) AS asked
                               FROM findings WHERE scan_id = n AND outcome <> 'pass') f
 WHERE status = 'flagged';
INSERT INTO tallies
SELECT 'stage', stage, count(*) FROM cases WHERE waiting GROUP BY stage
UNION ALL SELECT 'source', source_id::text, count(*) FROM cases WHERE waiting GROUP BY source_id
UNION ALL SELECT 'assignee', coalesce(assignee, ''), count(*) FROM cases WHERE waiting GROUP BY assignee
UNION ALL SELECT 'check', c, count(*) FROM cases, unnest(checks) c WHERE waiting GROUP BY c
UNION ALL SELECT 'type', t, count(*) FROM cases, unnest(document_types) t WHERE waiting GROUP BY t
UNION ALL SELECT 'due', to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), count(*) FROM cases WHERE waiting GROUP BY 2;
"""


def fill(url: str, documents: int) -> None:
    """Writes everything in the server itself, as the owner, and leaves the tables as if they had been there for long:
    rows visible to all, statistics made, everything on the disk. Otherwise whoever asks first does so beside the
    checkpoint that so much writing has brought on."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement.replace("%%", "%").replace("%(documents)s", str(documents)))
        connection.execute("DROP TABLE d")
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")
