"""What is learned: examples, golden sets, trainings, evaluations, shadow scans, bounds and drift over time."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: Kept equal to `records.privacy.AADHAAR`, as of this revision.
AADHAAR = "(^|[^0-9])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}([^0-9]|$)"

TABLES = rf"""
ALTER TABLE cases DROP CONSTRAINT cases_cause;
ALTER TABLE cases ADD CONSTRAINT cases_cause CHECK (cause IN ('flagged', 'drawn', 'selected', 'reopened'));

ALTER TABLE model_versions
    ADD parent text,
    ADD lineage jsonb DEFAULT '{{}}' NOT NULL,
    ADD key text,
    ADD share double precision,
    ADD was_production boolean DEFAULT false NOT NULL,
    ADD taken_back boolean DEFAULT false NOT NULL,
    ADD staged_by text DEFAULT '' NOT NULL,
    ADD CONSTRAINT model_versions_parent_fkey FOREIGN KEY (parent) REFERENCES model_versions (version);
ALTER TABLE model_versions
    ADD CONSTRAINT model_versions_canary_has_a_share CHECK ((stage = 'canary') = (share IS NOT NULL)),
    ADD CONSTRAINT model_versions_taken_back_is_retired CHECK (NOT taken_back OR stage = 'retired'),
    ADD CONSTRAINT model_versions_share CHECK (share > 0 AND share <= 1);
CREATE UNIQUE INDEX model_versions_trial ON model_versions ((true)) WHERE stage IN ('shadow', 'canary');

CREATE INDEX scans_judged_by ON scans (model_version, document_id) WHERE model_version IS NOT NULL;

CREATE TABLE golden_sets (
    id bigint GENERATED ALWAYS AS IDENTITY,
    digest text NOT NULL,
    examples bigint NOT NULL,
    frozen_by text NOT NULL,
    frozen_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT golden_sets_pkey PRIMARY KEY (id),
    CONSTRAINT golden_sets_digest CHECK (digest ~ '^[0-9a-f]{{64}}$'),
    CONSTRAINT golden_sets_digest_key UNIQUE (digest)
);

CREATE TABLE examples (
    id bigint GENERATED ALWAYS AS IDENTITY,
    picture text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    value text,
    label text,
    cells bigint,
    identifier text,
    "check" text NOT NULL,
    document_id text NOT NULL,
    source_id bigint,
    review_id bigint,
    reviewer text NOT NULL,
    confirmed boolean DEFAULT false NOT NULL,
    model_version text NOT NULL,
    "right" boolean NOT NULL,
    chosen text NOT NULL,
    held_out boolean NOT NULL,
    set_aside text,
    golden_set_id bigint,
    expires_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT examples_pkey PRIMARY KEY (id),
    CONSTRAINT examples_picture_kind_key UNIQUE (picture, kind),
    CONSTRAINT examples_picture CHECK (picture ~ '^[0-9a-f]{{64}}$'),
    CONSTRAINT examples_chosen CHECK (chosen IN ('flagged', 'drawn', 'selected', 'reopened', 'labelled')),
    CONSTRAINT examples_check CHECK ("check" ~ '^[a-z]+\.[a-z]+$'),
    CONSTRAINT examples_no_aadhaar CHECK (coalesce(value, '') !~ '{AADHAAR}'),
    CONSTRAINT examples_no_aadhaar_field CHECK (coalesce(identifier, '') !~ '^aadhaar'),
    CONSTRAINT examples_golden_is_held_out CHECK (golden_set_id IS NULL OR held_out),
    CONSTRAINT examples_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id),
    CONSTRAINT examples_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources (id),
    CONSTRAINT examples_review_id_fkey FOREIGN KEY (review_id) REFERENCES reviews (id),
    CONSTRAINT examples_golden_set_id_fkey FOREIGN KEY (golden_set_id) REFERENCES golden_sets (id)
);

CREATE INDEX examples_document ON examples (document_id);
CREATE INDEX examples_expiring ON examples (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX examples_golden ON examples (golden_set_id) WHERE golden_set_id IS NOT NULL;
CREATE INDEX examples_review ON examples (review_id);

CREATE TABLE trainings (
    id bigint GENERATED ALWAYS AS IDENTITY,
    cause text NOT NULL,
    asked_by text NOT NULL,
    due_on date,
    stage text DEFAULT 'waiting' NOT NULL,
    parent text,
    candidate text,
    golden_set_id bigint,
    progress jsonb DEFAULT '{{}}' NOT NULL,
    error text,
    lease_owner text,
    lease_expires_at timestamptz,
    token bigint DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT trainings_pkey PRIMARY KEY (id),
    CONSTRAINT trainings_cause CHECK (cause IN ('scheduled', 'asked', 'drift')),
    CONSTRAINT trainings_stage CHECK (
        stage IN ('waiting', 'gathering', 'training', 'evaluating', 'passed', 'refused', 'failed', 'cancelled')
    ),
    CONSTRAINT trainings_lease_is_whole CHECK ((lease_owner IS NULL) = (lease_expires_at IS NULL)),
    CONSTRAINT trainings_finished_has_a_time CHECK (
        (stage IN ('passed', 'refused', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT trainings_passed_has_a_candidate CHECK (stage <> 'passed' OR candidate IS NOT NULL),
    CONSTRAINT trainings_failed_says_why CHECK (stage <> 'failed' OR error IS NOT NULL),
    CONSTRAINT trainings_parent_fkey FOREIGN KEY (parent) REFERENCES model_versions (version),
    CONSTRAINT trainings_candidate_fkey FOREIGN KEY (candidate) REFERENCES model_versions (version),
    CONSTRAINT trainings_golden_set_id_fkey FOREIGN KEY (golden_set_id) REFERENCES golden_sets (id)
);

CREATE UNIQUE INDEX trainings_once_a_quarter ON trainings (due_on) WHERE due_on IS NOT NULL;
CREATE UNIQUE INDEX trainings_one_runs ON trainings ((true)) WHERE stage IN ('gathering', 'training', 'evaluating');

CREATE TABLE evaluations (
    id bigint GENERATED ALWAYS AS IDENTITY,
    version text NOT NULL,
    baseline text,
    training_id bigint,
    set text NOT NULL,
    golden_set_id bigint,
    classes jsonb NOT NULL,
    passed boolean,
    reasons text[] DEFAULT '{{}}' NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT evaluations_pkey PRIMARY KEY (id),
    CONSTRAINT evaluations_set CHECK ("set" IN ('golden', 'fresh', 'shadow', 'canary')),
    CONSTRAINT evaluations_golden_names_its_set CHECK (("set" = 'golden') = (golden_set_id IS NOT NULL)),
    CONSTRAINT evaluations_version_fkey FOREIGN KEY (version) REFERENCES model_versions (version),
    CONSTRAINT evaluations_baseline_fkey FOREIGN KEY (baseline) REFERENCES model_versions (version),
    CONSTRAINT evaluations_training_id_fkey FOREIGN KEY (training_id) REFERENCES trainings (id),
    CONSTRAINT evaluations_golden_set_id_fkey FOREIGN KEY (golden_set_id) REFERENCES golden_sets (id)
);

CREATE INDEX evaluations_of_version ON evaluations (version, at);

CREATE TABLE shadow_scans (
    scan_id bigint NOT NULL,
    version text NOT NULL,
    verdict text NOT NULL,
    findings jsonb NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT shadow_scans_pkey PRIMARY KEY (scan_id, version),
    CONSTRAINT shadow_scans_verdict CHECK (verdict IN ('clear', 'flagged')),
    CONSTRAINT shadow_scans_scan_id_fkey FOREIGN KEY (scan_id) REFERENCES scans (id),
    CONSTRAINT shadow_scans_version_fkey FOREIGN KEY (version) REFERENCES model_versions (version)
);

CREATE INDEX shadow_scans_of ON shadow_scans (version);

CREATE TABLE bound_readings (
    id bigint GENERATED ALWAYS AS IDENTITY,
    version text NOT NULL,
    "check" text NOT NULL,
    labels double precision NOT NULL,
    missed double precision NOT NULL,
    upper double precision NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT bound_readings_pkey PRIMARY KEY (id),
    CONSTRAINT bound_readings_counts CHECK (missed >= 0 AND labels >= 0),
    CONSTRAINT bound_readings_upper CHECK (upper BETWEEN 0 AND 1),
    CONSTRAINT bound_readings_version_check_labels_missed_key UNIQUE (version, "check", labels, missed),
    CONSTRAINT bound_readings_version_fkey FOREIGN KEY (version) REFERENCES model_versions (version)
);

CREATE INDEX bound_readings_at ON bound_readings (version, "check", at);

CREATE TABLE drift_readings (
    id bigint GENERATED ALWAYS AS IDENTITY,
    version text NOT NULL,
    "check" text NOT NULL,
    findings bigint NOT NULL,
    index double precision NOT NULL,
    drifted boolean NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT drift_readings_pkey PRIMARY KEY (id),
    CONSTRAINT drift_readings_version_fkey FOREIGN KEY (version) REFERENCES model_versions (version)
);

CREATE INDEX drift_readings_at ON drift_readings (version, "check", at);
"""


def upgrade() -> None:
    # Nothing was ever a canary or in shadow before.
    op.execute("UPDATE model_versions SET stage = 'retired' WHERE stage IN ('shadow', 'canary')")
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE drift_readings, bound_readings, shadow_scans, evaluations, trainings, examples, golden_sets")
    op.execute("DROP INDEX model_versions_trial, scans_judged_by")
    op.execute(
        "ALTER TABLE model_versions DROP parent, DROP lineage, DROP key, DROP share, DROP was_production,"
        " DROP taken_back, DROP staged_by"
    )
    # To the version before, a document selected for its doubt is one opened again: found on purpose, not by chance.
    op.execute("UPDATE cases SET cause = 'reopened' WHERE cause = 'selected'")
    op.execute("ALTER TABLE cases DROP CONSTRAINT cases_cause")
    op.execute("ALTER TABLE cases ADD CONSTRAINT cases_cause CHECK (cause IN ('flagged', 'drawn', 'reopened'))")
