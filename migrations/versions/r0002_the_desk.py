"""The reviewers' desk: cases with their claims and due times, rounds of reviews, misses, and what goes out."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = r"""
CREATE TABLE cases (
    scan_id bigint NOT NULL,
    document_id text NOT NULL,
    source_id bigint NOT NULL,
    cause text NOT NULL,
    probability double precision DEFAULT 1 NOT NULL,
    stage text DEFAULT 'open' NOT NULL,
    waiting boolean GENERATED ALWAYS AS (stage IN ('open', 'second', 'disputed')) STORED NOT NULL,
    priority bigint DEFAULT 0 NOT NULL,
    risk double precision NOT NULL,
    document_types text[] DEFAULT '{}' NOT NULL,
    checks text[] DEFAULT '{}' NOT NULL,
    asked bigint[] NOT NULL,
    undecided bigint[] NOT NULL,
    verdict_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz,
    assignee text,
    claimed_by text,
    claim_expires_at timestamptz,
    first_reviewers text[] DEFAULT '{}' NOT NULL,
    decided_at timestamptz,
    CONSTRAINT cases_pkey PRIMARY KEY (scan_id),
    CONSTRAINT cases_cause CHECK (cause IN ('flagged', 'drawn', 'reopened')),
    CONSTRAINT cases_stage CHECK (stage IN ('open', 'second', 'disputed', 'decided', 'superseded')),
    CONSTRAINT cases_probability CHECK (probability > 0 AND probability <= 1),
    CONSTRAINT cases_risk CHECK (risk BETWEEN 0 AND 1),
    CONSTRAINT cases_undecided_was_asked CHECK (undecided <@ asked),
    CONSTRAINT cases_claim_is_whole CHECK ((claimed_by IS NULL) = (claim_expires_at IS NULL)),
    CONSTRAINT cases_second_had_a_first CHECK (stage NOT IN ('second', 'disputed') OR first_reviewers <> '{}'),
    CONSTRAINT cases_decided_has_a_time CHECK ((stage = 'decided') <= (decided_at IS NOT NULL)),
    CONSTRAINT cases_scan_id_fkey FOREIGN KEY (scan_id) REFERENCES scans (id),
    CONSTRAINT cases_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id),
    CONSTRAINT cases_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources (id)
);

CREATE UNIQUE INDEX cases_one_waits ON cases (document_id) WHERE waiting;
CREATE INDEX cases_by_risk ON cases ((- priority), (- risk), scan_id) WHERE waiting;
CREATE INDEX cases_by_age ON cases ((- priority), verdict_at, scan_id) WHERE waiting;
CREATE INDEX cases_of_assignee ON cases (assignee, (- priority), (- risk), scan_id) WHERE waiting;
CREATE INDEX cases_of_source ON cases (source_id) WHERE waiting;
CREATE INDEX cases_of_checks ON cases USING gin (checks) WHERE waiting;
CREATE INDEX cases_of_types ON cases USING gin (document_types) WHERE waiting;
CREATE INDEX cases_due ON cases (due_at) WHERE waiting;
CREATE INDEX cases_claimed ON cases (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX cases_decided ON cases (decided_at, scan_id) WHERE decided_at IS NOT NULL;
CREATE INDEX cases_document ON cases (document_id);

CREATE TABLE tallies (
    dimension text NOT NULL,
    key text NOT NULL,
    waiting bigint NOT NULL,
    CONSTRAINT tallies_pkey PRIMARY KEY (dimension, key)
);

CREATE TABLE tally_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    dimension text NOT NULL,
    key text NOT NULL,
    change bigint NOT NULL,
    CONSTRAINT tally_changes_pkey PRIMARY KEY (id)
);

ALTER TABLE reviews ADD COLUMN round bigint DEFAULT 1 NOT NULL;
ALTER TABLE reviews ADD COLUMN box double precision[];
ALTER TABLE reviews ADD COLUMN withdrawn_at timestamptz;
ALTER TABLE reviews ADD CONSTRAINT reviews_round CHECK (round BETWEEN 1 AND 3);
ALTER TABLE reviews ADD CONSTRAINT reviews_box
    CHECK (box IS NULL OR cardinality(box) = 4 AND box[1] <= box[3] AND box[2] <= box[4]);
ALTER TABLE reviews DROP CONSTRAINT reviews_corrected_says_what;
ALTER TABLE reviews ADD CONSTRAINT reviews_corrected_says_what
    CHECK ((decision = 'corrected') = (num_nonnulls(value, box) > 0));
UPDATE reviews SET withdrawn_at = now()
    WHERE EXISTS (SELECT FROM reviews newer WHERE newer.finding_id = reviews.finding_id AND newer.id > reviews.id);
CREATE UNIQUE INDEX reviews_standing ON reviews (finding_id, round) WHERE withdrawn_at IS NULL;
CREATE INDEX reviews_decided ON reviews (decided_at, id);

CREATE TABLE misses (
    id bigint GENERATED ALWAYS AS IDENTITY,
    scan_id bigint NOT NULL,
    document_id text NOT NULL,
    page bigint NOT NULL,
    field text,
    "check" text NOT NULL,
    box double precision[],
    note text,
    finding_id bigint,
    probability double precision,
    reporter text NOT NULL,
    reported_at timestamptz DEFAULT now() NOT NULL,
    withdrawn_at timestamptz,
    CONSTRAINT misses_pkey PRIMARY KEY (id),
    CONSTRAINT misses_check CHECK ("check" ~ '^[a-z]+\.[a-z]+$'),
    CONSTRAINT misses_page CHECK (page > 0),
    CONSTRAINT misses_reporter CHECK (reporter <> ''),
    CONSTRAINT misses_probability CHECK (probability IS NULL OR probability > 0 AND probability <= 1),
    CONSTRAINT misses_box CHECK (box IS NULL OR cardinality(box) = 4 AND box[1] <= box[3] AND box[2] <= box[4]),
    CONSTRAINT misses_no_aadhaar
        CHECK (coalesce(note, '') !~ '(^|[^0-9])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}([^0-9]|$)'),
    CONSTRAINT misses_scan_id_fkey FOREIGN KEY (scan_id) REFERENCES scans (id),
    CONSTRAINT misses_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id),
    CONSTRAINT misses_finding_id_fkey FOREIGN KEY (finding_id) REFERENCES findings (id)
);

CREATE INDEX misses_of_document ON misses (document_id, id);
CREATE INDEX misses_of_check ON misses ("check", reported_at) WHERE withdrawn_at IS NULL;

CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    url text NOT NULL,
    sequence bigint NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT webhooks_pkey PRIMARY KEY (id),
    CONSTRAINT webhooks_url_key UNIQUE (url),
    CONSTRAINT webhooks_sequence CHECK (sequence >= 0)
);

CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    webhook_id bigint NOT NULL,
    event_id bigint NOT NULL,
    kind text NOT NULL,
    document_id text NOT NULL,
    body text NOT NULL,
    status text DEFAULT 'waiting' NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    not_before timestamptz DEFAULT now() NOT NULL,
    error text,
    created_at timestamptz DEFAULT now() NOT NULL,
    settled_at timestamptz,
    CONSTRAINT deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT deliveries_webhook_id_event_id_key UNIQUE (webhook_id, event_id),
    CONSTRAINT deliveries_status CHECK (status IN ('waiting', 'delivered', 'dead', 'void')),
    CONSTRAINT deliveries_settled_has_a_time CHECK ((status = 'waiting') = (settled_at IS NULL)),
    CONSTRAINT deliveries_attempts CHECK (attempts >= 0),
    CONSTRAINT deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks (id),
    CONSTRAINT deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id)
);

CREATE INDEX deliveries_waiting ON deliveries (not_before, id) WHERE status = 'waiting';
CREATE INDEX deliveries_dead ON deliveries (settled_at) WHERE status = 'dead';

CREATE TABLE digests (
    day date NOT NULL,
    sent_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT digests_pkey PRIMARY KEY (day)
);
"""

#: How many cases wait, by what they can be filtered by. Writers append changes and never wait for each other; the sum
#: of tallies and changes is exact in every snapshot, and `records.tallies.fold` keeps the changes few.
TALLIES = """
CREATE FUNCTION tally(one cases, by bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tally_changes (dimension, key, change)
        SELECT 'stage', one.stage, by
        UNION ALL SELECT 'source', one.source_id::text, by
        UNION ALL SELECT 'assignee', coalesce(one.assignee, ''), by
        UNION ALL SELECT 'check', each, by FROM unnest(one.checks) each
        UNION ALL SELECT 'type', each, by FROM unnest(one.document_types) each
$$;

CREATE FUNCTION tally_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.waiting THEN
        PERFORM tally(OLD, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.waiting THEN
        PERFORM tally(NEW, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER cases_are_tallied AFTER INSERT OR DELETE ON cases
    FOR EACH ROW EXECUTE FUNCTION tally_case();

CREATE TRIGGER cases_are_tallied_again AFTER UPDATE ON cases
    FOR EACH ROW WHEN (OLD.stage <> NEW.stage OR OLD.assignee IS DISTINCT FROM NEW.assignee)
    EXECUTE FUNCTION tally_case();
"""

#: Documents flagged before there was a desk, those decided too.
FLAGGED_BEFORE = """
INSERT INTO cases (scan_id, document_id, source_id, cause, stage, priority, risk, document_types, checks, asked,
                   undecided, verdict_at, decided_at)
SELECT s.id, d.id, a.source_id, 'flagged', CASE WHEN d.reviewed_at IS NULL THEN 'open' ELSE 'decided' END,
       d.priority, f.risk, s.document_types, f.checks, f.asked, f.undecided, d.verdict_at, d.reviewed_at
  FROM documents d
  JOIN scans s ON s.id = d.scan_id
  JOIN arrivals a ON a.id = s.arrival_id
 CROSS JOIN LATERAL (
       SELECT coalesce(max(CASE outcome WHEN 'anomaly' THEN confidence ELSE 0.5 END), 0.5) AS risk,
              coalesce(array_agg(DISTINCT "check"), '{}') AS checks,
              coalesce(array_agg(id ORDER BY id), '{}') AS asked,
              coalesce(array_agg(id ORDER BY id) FILTER (
                  WHERE NOT EXISTS (SELECT FROM reviews r WHERE r.finding_id = findings.id)), '{}') AS undecided
         FROM findings WHERE findings.scan_id = s.id AND outcome <> 'pass') f
 WHERE d.status = 'flagged';
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TALLIES)
    op.execute(FLAGGED_BEFORE)


def downgrade() -> None:
    op.execute("DROP TRIGGER cases_are_tallied ON cases")
    op.execute("DROP TRIGGER cases_are_tallied_again ON cases")
    op.execute("DROP FUNCTION tally_case")
    op.execute("DROP FUNCTION tally")
    for table in ("digests", "deliveries", "webhooks", "misses", "tally_changes", "tallies", "cases"):
        op.execute(f"DROP TABLE {table}")
    # What the older tables can't hold goes: withdrawn reviews, second opinions, and corrections of a box alone.
    op.execute("DROP INDEX reviews_decided")
    op.execute("DROP INDEX reviews_standing")
    op.execute("DELETE FROM reviews WHERE withdrawn_at IS NOT NULL")
    op.execute("DELETE FROM reviews WHERE decision = 'corrected' AND value IS NULL")
    op.execute("ALTER TABLE reviews DROP CONSTRAINT reviews_corrected_says_what")
    for column in ("round", "box", "withdrawn_at"):
        op.execute(f"ALTER TABLE reviews DROP COLUMN {column} CASCADE")
    op.execute(
        "ALTER TABLE reviews ADD CONSTRAINT reviews_corrected_says_what"
        " CHECK ((decision = 'corrected') = (value IS NOT NULL))"
    )
