"""Drafts of document types, and labels that people give to documents; the register in the order of names."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Kept equal to `records.privacy.AADHAAR`, as of this revision.
AADHAAR = "(^|[^0-9])[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}([^0-9]|$)"

TABLES = rf"""
CREATE INDEX endorsers_by_place ON endorsers (name, id);

CREATE TABLE doctype_drafts (
    id text NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    state text DEFAULT 'making' NOT NULL,
    told text DEFAULT '' NOT NULL,
    body jsonb DEFAULT '{{}}' NOT NULL,
    pages bigint DEFAULT 0 NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT doctype_drafts_pkey PRIMARY KEY (id),
    CONSTRAINT doctype_drafts_id CHECK (id ~ '^[0-9a-f]{{32}}$'),
    CONSTRAINT doctype_drafts_state CHECK (state IN ('making', 'ready', 'failed', 'published', 'dropped')),
    CONSTRAINT doctype_drafts_pages CHECK (pages >= 0)
);

CREATE INDEX doctype_drafts_open ON doctype_drafts (changed_at) WHERE state NOT IN ('published', 'dropped');

CREATE TABLE label_sets (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    document_type text,
    created_by text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT label_sets_pkey PRIMARY KEY (id),
    CONSTRAINT label_sets_name CHECK (name <> '')
);

CREATE TABLE labels (
    id bigint GENERATED ALWAYS AS IDENTITY,
    document_id text NOT NULL,
    document_type text,
    fields jsonb NOT NULL,
    defects jsonb NOT NULL,
    labelled_by text NOT NULL,
    labelled_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT labels_pkey PRIMARY KEY (id),
    CONSTRAINT labels_no_aadhaar CHECK (CAST(fields AS text) !~ '{AADHAAR}'),
    CONSTRAINT labels_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id)
);

CREATE INDEX labels_of_document ON labels (document_id, id);

CREATE TABLE label_tasks (
    set_id bigint NOT NULL,
    document_id text NOT NULL,
    label_id bigint,
    taken_by text,
    taken_until timestamptz,
    CONSTRAINT label_tasks_pkey PRIMARY KEY (set_id, document_id),
    CONSTRAINT label_tasks_set_id_fkey FOREIGN KEY (set_id) REFERENCES label_sets (id),
    CONSTRAINT label_tasks_document_id_fkey FOREIGN KEY (document_id) REFERENCES documents (id),
    CONSTRAINT label_tasks_label_id_fkey FOREIGN KEY (label_id) REFERENCES labels (id),
    CONSTRAINT label_tasks_taken_is_whole CHECK ((taken_by IS NULL) = (taken_until IS NULL))
);

CREATE INDEX label_tasks_open ON label_tasks (set_id, document_id) WHERE label_id IS NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE label_tasks, labels, label_sets, doctype_drafts")
    op.execute("DROP INDEX endorsers_by_place")
