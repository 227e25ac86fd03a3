"""The tables of the first release: arrivals, documents, scans, the outbox, findings, reviews, the audit trail."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = r"""
CREATE SEQUENCE scan_ids;

CREATE TABLE sources (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    location text NOT NULL,
    priority bigint DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT sources_pkey PRIMARY KEY (id),
    CONSTRAINT sources_kind_location_key UNIQUE (kind, location),
    CONSTRAINT sources_kind CHECK (kind IN ('folder', 's3', 'upload'))
);

CREATE TABLE documents (
    id text NOT NULL,
    size bigint NOT NULL,
    media_type text NOT NULL,
    status text DEFAULT 'in_flight' NOT NULL,
    reason text,
    scan_id bigint NOT NULL,
    priority bigint DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    verdict_at timestamptz,
    reviewed_at timestamptz,
    CONSTRAINT documents_pkey PRIMARY KEY (id),
    CONSTRAINT documents_id CHECK (id ~ '^[0-9a-f]{64}$'),
    CONSTRAINT documents_size CHECK (size >= 0),
    CONSTRAINT documents_status CHECK (status IN ('in_flight', 'clear', 'flagged', 'quarantined')),
    CONSTRAINT documents_quarantined_says_why CHECK ((status = 'quarantined') = (reason IS NOT NULL)),
    CONSTRAINT documents_verdict_has_a_time CHECK ((status = 'in_flight') = (verdict_at IS NULL)),
    CONSTRAINT documents_reviewed_was_flagged CHECK (reviewed_at IS NULL OR status = 'flagged'),
    CONSTRAINT documents_scan_id_key UNIQUE (scan_id)
);

CREATE INDEX documents_flagged ON documents ((- priority), verdict_at, id) WHERE status = 'flagged';

CREATE INDEX documents_in_flight ON documents (created_at) WHERE status = 'in_flight';

CREATE INDEX documents_to_review ON documents ((- priority), verdict_at, id)
    WHERE status = 'flagged' AND reviewed_at IS NULL;

CREATE INDEX documents_created ON documents (created_at, id);

CREATE INDEX documents_status ON documents (status);

CREATE TABLE endorsers (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    designation text,
    employee_code text,
    participant text,
    stamp_text text,
    document_types text[] DEFAULT '{}' NOT NULL,
    valid_from date,
    valid_to date,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    retired_at timestamptz,
    CONSTRAINT endorsers_pkey PRIMARY KEY (id),
    CONSTRAINT endorsers_name CHECK (name <> ''),
    CONSTRAINT endorsers_validity CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to),
    CONSTRAINT endorsers_retired_has_a_last_day CHECK (retired_at IS NULL OR valid_to IS NOT NULL)
);

CREATE UNIQUE INDEX endorsers_by_code ON endorsers (employee_code)
    WHERE retired_at IS NULL AND employee_code IS NOT NULL;

CREATE UNIQUE INDEX endorsers_by_name ON endorsers (name, participant) NULLS NOT DISTINCT
    WHERE retired_at IS NULL AND employee_code IS NULL;

CREATE TABLE doctype_versions (
    key text NOT NULL,
    digest text NOT NULL,
    body jsonb NOT NULL,
    registered_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT doctype_versions_pkey PRIMARY KEY (key, digest),
    CONSTRAINT doctype_versions_digest CHECK (digest ~ '^[0-9a-f]{64}$')
);

CREATE TABLE doctype_sets (
    version text NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    CONSTRAINT doctype_sets_pkey PRIMARY KEY (version, key),
    CONSTRAINT doctype_sets_version CHECK (version <> ''),
    CONSTRAINT doctype_sets_key_digest_fkey FOREIGN KEY (key, digest) REFERENCES doctype_versions (key, digest)
);

CREATE TABLE model_versions (
    version text NOT NULL,
    stage text DEFAULT 'candidate' NOT NULL,
    metrics jsonb DEFAULT '{}' NOT NULL,
    registered_at timestamptz DEFAULT now() NOT NULL,
    staged_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT model_versions_pkey PRIMARY KEY (version),
    CONSTRAINT model_versions_stage CHECK (stage IN ('candidate', 'shadow', 'canary', 'production', 'retired'))
);

CREATE UNIQUE INDEX model_versions_production ON model_versions (stage) WHERE stage = 'production';

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz DEFAULT now() NOT NULL,
    body text NOT NULL,
    kind text GENERATED ALWAYS AS ((body::jsonb) ->> 'kind') STORED NOT NULL,
    subject text GENERATED ALWAYS AS ((body::jsonb) ->> 'subject') STORED,
    CONSTRAINT events_pkey PRIMARY KEY (id)
);

CREATE INDEX events_subject ON events (subject, id) WHERE subject IS NOT NULL;

CREATE TABLE listings (
    source_id bigint NOT NULL,
    files bigint NOT NULL,
    arrived bigint NOT NULL,
    waiting bigint NOT NULL,
    listed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT listings_pkey PRIMARY KEY (source_id),
    CONSTRAINT listings_counts CHECK (files >= 0 AND arrived >= 0 AND waiting >= 0),
    CONSTRAINT listings_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources (id)
);

CREATE TABLE arrivals (
    id bigint GENERATED ALWAYS AS IDENTITY,
    source_id bigint NOT NULL,
    identity text NOT NULL,
    path text NOT NULL,
    status text NOT NULL,
    reason text,
    document_id text,
    arrived_at timestamptz NOT NULL,
    recorded_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT arrivals_pkey PRIMARY KEY (id),
    CONSTRAINT arrivals_source_id_identity_key UNIQUE (source_id, identity),
    CONSTRAINT arrivals_status CHECK (status IN ('refused', 'duplicate', 'document')),
    CONSTRAINT arrivals_refused_says_why CHECK ((status = 'refused') = (reason IS NOT NULL)),
    CONSTRAINT arrivals_refused_has_no_document CHECK ((status = 'refused') = (document_id IS NULL)),
    CONSTRAINT arrivals_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources (id),
    CONSTRAINT arrivals_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id)
);

CREATE INDEX arrivals_status ON arrivals (status);

CREATE INDEX arrivals_document ON arrivals (document_id, id);

CREATE UNIQUE INDEX arrivals_first ON arrivals (document_id) WHERE status = 'document';

CREATE TABLE unchained (
    event_id bigint NOT NULL,
    CONSTRAINT unchained_pkey PRIMARY KEY (event_id),
    CONSTRAINT unchained_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id)
);

CREATE TABLE chain (
    sequence bigint NOT NULL,
    event_id bigint NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    linked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT chain_pkey PRIMARY KEY (sequence),
    CONSTRAINT chain_sequence CHECK (sequence > 0),
    CONSTRAINT chain_hashes CHECK (octet_length(previous_hash) = 32 AND octet_length(hash) = 32),
    CONSTRAINT chain_event_id_key UNIQUE (event_id),
    CONSTRAINT chain_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id),
    CONSTRAINT chain_previous_hash_key UNIQUE (previous_hash),
    CONSTRAINT chain_hash_key UNIQUE (hash)
);

CREATE TABLE scans (
    id bigint DEFAULT nextval('scan_ids') NOT NULL,
    document_id text NOT NULL,
    number bigint NOT NULL,
    arrival_id bigint NOT NULL,
    cause text NOT NULL,
    judged_on date NOT NULL,
    stage text DEFAULT 'prepare' NOT NULL,
    verdict text,
    state text GENERATED ALWAYS AS (CASE WHEN stage = 'done' THEN verdict ELSE 'in_flight' END) STORED NOT NULL,
    model_version text,
    rules_version text,
    doctypes_version text,
    repeated boolean DEFAULT false NOT NULL,
    document_types text[] DEFAULT '{}' NOT NULL,
    lease_owner text,
    lease_expires_at timestamptz,
    token bigint DEFAULT 0 NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    deaths bigint DEFAULT 0 NOT NULL,
    alone boolean DEFAULT false NOT NULL,
    error text,
    manifest jsonb,
    timings jsonb,
    created_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT scans_pkey PRIMARY KEY (id),
    CONSTRAINT scans_document_id_number_key UNIQUE (document_id, number),
    CONSTRAINT scans_state_key UNIQUE (document_id, id, state),
    CONSTRAINT scans_stage_key UNIQUE (id, stage, alone),
    CONSTRAINT scans_stage CHECK (stage IN ('prepare', 'infer', 'done')),
    CONSTRAINT scans_cause CHECK (cause IN ('arrival', 'again', 'retry', 'rescan')),
    CONSTRAINT scans_verdict CHECK (verdict IS NULL OR verdict IN ('clear', 'flagged', 'quarantined')),
    CONSTRAINT scans_done_has_a_verdict CHECK ((stage = 'done') = (verdict IS NOT NULL)),
    CONSTRAINT scans_done_has_a_time CHECK ((stage = 'done') = (finished_at IS NOT NULL)),
    CONSTRAINT scans_lease_is_whole CHECK ((lease_owner IS NULL) = (lease_expires_at IS NULL)),
    CONSTRAINT scans_done_is_not_leased CHECK (stage <> 'done' OR lease_owner IS NULL),
    CONSTRAINT scans_leased_has_a_token CHECK (lease_owner IS NULL OR token > 0),
    CONSTRAINT scans_quarantined_says_why CHECK (verdict <> 'quarantined' OR error IS NOT NULL),
    CONSTRAINT scans_manifest_comes_of_preparing CHECK (stage <> 'prepare' OR manifest IS NULL),
    CONSTRAINT scans_model_needs_a_manifest
        CHECK (stage = 'prepare' OR verdict IS NOT DISTINCT FROM 'quarantined' OR manifest IS NOT NULL),
    CONSTRAINT scans_versions_come_with_the_verdict
        CHECK (verdict IS NOT DISTINCT FROM 'quarantined' OR (verdict IS NULL) = (model_version IS NULL)),
    CONSTRAINT scans_versions_are_whole CHECK (num_nulls(model_version, rules_version, doctypes_version) IN (0, 3)),
    CONSTRAINT scans_first_is_not_repeated CHECK (NOT repeated OR cause <> 'arrival'),
    CONSTRAINT scans_counts CHECK (number > 0 AND token >= 0 AND attempts >= 0 AND deaths >= 0),
    CONSTRAINT scans_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id),
    CONSTRAINT scans_arrival_id_fkey FOREIGN KEY (arrival_id) REFERENCES arrivals (id)
);

CREATE UNIQUE INDEX scans_in_flight ON scans (document_id) WHERE stage <> 'done';

CREATE INDEX scans_flagged_types ON scans USING gin (document_types) WHERE verdict = 'flagged';

CREATE UNIQUE INDEX scans_once_by_versions ON scans (document_id, model_version, rules_version, doctypes_version)
    WHERE model_version IS NOT NULL AND NOT repeated;

CREATE INDEX scans_leased ON scans (lease_expires_at) WHERE lease_owner IS NOT NULL;

CREATE TABLE outbox (
    scan_id bigint NOT NULL,
    queue text NOT NULL,
    alone boolean DEFAULT false NOT NULL,
    priority bigint NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    not_before timestamptz DEFAULT now() NOT NULL,
    published_at timestamptz,
    taken_at timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (scan_id),
    CONSTRAINT outbox_queue_is_the_stage FOREIGN KEY (scan_id, queue, alone)
        REFERENCES scans (id, stage, alone) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT outbox_queue CHECK (queue IN ('prepare', 'infer')),
    CONSTRAINT outbox_taken_was_published CHECK (taken_at IS NULL OR published_at IS NOT NULL)
);

CREATE INDEX outbox_waiting ON outbox (queue, alone, priority DESC, created_at, scan_id) WHERE published_at IS NULL;

CREATE INDEX outbox_published ON outbox (queue, alone, published_at)
    WHERE published_at IS NOT NULL AND taken_at IS NULL;

CREATE TABLE findings (
    id bigint GENERATED ALWAYS AS IDENTITY,
    scan_id bigint NOT NULL,
    page bigint NOT NULL,
    field text,
    "check" text NOT NULL,
    ordinal bigint DEFAULT 0 NOT NULL,
    outcome text NOT NULL,
    confidence double precision NOT NULL,
    value text,
    box double precision[],
    rule text,
    message text NOT NULL,
    evidence_key text,
    CONSTRAINT findings_pkey PRIMARY KEY (id),
    CONSTRAINT findings_scan_id_page_field_check_ordinal_key
        UNIQUE NULLS NOT DISTINCT (scan_id, page, field, "check", ordinal),
    CONSTRAINT findings_check CHECK ("check" ~ '^[a-z]+\.[a-z]+$'),
    CONSTRAINT findings_outcome CHECK (outcome IN ('pass', 'anomaly', 'uncertain')),
    CONSTRAINT findings_confidence CHECK (confidence BETWEEN 0 AND 1),
    CONSTRAINT findings_place CHECK (page > 0 AND ordinal >= 0),
    CONSTRAINT findings_box CHECK (box IS NULL OR cardinality(box) = 4 AND box[1] <= box[3] AND box[2] <= box[4]),
    CONSTRAINT findings_no_aadhaar
        CHECK (coalesce(value, '') || '|' || message !~ '(^|[^0-9])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}([^0-9]|$)'),
    CONSTRAINT findings_scan_id_fkey FOREIGN KEY (scan_id) REFERENCES scans (id)
);

CREATE INDEX findings_to_review ON findings ("check", scan_id) WHERE outcome <> 'pass';

CREATE TABLE reviews (
    id bigint GENERATED ALWAYS AS IDENTITY,
    finding_id bigint NOT NULL,
    reviewer text NOT NULL,
    decision text NOT NULL,
    value text,
    note text,
    decided_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT reviews_pkey PRIMARY KEY (id),
    CONSTRAINT reviews_decision CHECK (decision IN ('confirmed', 'dismissed', 'corrected')),
    CONSTRAINT reviews_corrected_says_what CHECK ((decision = 'corrected') = (value IS NOT NULL)),
    CONSTRAINT reviews_reviewer CHECK (reviewer <> ''),
    CONSTRAINT reviews_no_aadhaar
        CHECK (coalesce(value, '') || '|' || coalesce(note, '')
            !~ '(^|[^0-9])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}([^0-9]|$)'),
    CONSTRAINT reviews_finding_id_fkey FOREIGN KEY (finding_id) REFERENCES findings (id)
);

CREATE INDEX reviews_latest ON reviews (finding_id, id DESC);

ALTER TABLE documents ADD CONSTRAINT documents_status_is_that_of_the_scan FOREIGN KEY (id, scan_id, status)
    REFERENCES scans (document_id, id, state) DEFERRABLE INITIALLY DEFERRED;
"""

#: The audit trail only grows, whoever asks: the owner of the tables too.
AUDIT = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the audit trail only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER events_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER chain_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION note_unchained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unchained (event_id) SELECT id FROM fresh;
    RETURN NULL;
END $$;

CREATE TRIGGER events_wait_for_the_chain AFTER INSERT ON events
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_unchained();
"""

EVERY_TABLE = (
    "reviews", "findings", "outbox", "scans", "arrivals", "documents", "listings", "sources", "endorsers",
    "doctype_sets", "doctype_versions", "model_versions", "unchained", "chain", "events",
)  # fmt: skip


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(AUDIT)


def downgrade() -> None:
    op.execute("ALTER TABLE documents DROP CONSTRAINT documents_status_is_that_of_the_scan")
    for table in EVERY_TABLE:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SEQUENCE scan_ids")
    op.execute("DROP FUNCTION refuse_change, note_unchained")
