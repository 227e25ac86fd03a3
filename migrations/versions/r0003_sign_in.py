"""Signing in: users of docvigil's own sign-in, links by which they choose a secret, who is signed in, and answers that
were given under an idempotency key."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = r"""
CREATE TABLE users (
    name text NOT NULL,
    kind text DEFAULT 'person' NOT NULL,
    roles text[] NOT NULL,
    secret text,
    failures bigint DEFAULT 0 NOT NULL,
    locked_until timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (name),
    CONSTRAINT users_name CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    CONSTRAINT users_kind CHECK (kind IN ('person', 'machine')),
    CONSTRAINT users_failures CHECK (failures >= 0),
    CONSTRAINT users_roles CHECK (cardinality(roles) > 0)
);

CREATE TABLE invitations (
    digest bytea NOT NULL,
    name text,
    roles text[] NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT invitations_pkey PRIMARY KEY (digest),
    CONSTRAINT invitations_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT invitations_name_fkey FOREIGN KEY (name) REFERENCES users (name)
);

CREATE INDEX invitations_open ON invitations (name) WHERE used_at IS NULL;

CREATE TABLE signins (
    digest bytea NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    roles text[] NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    refresh_at timestamptz,
    sealed bytea,
    CONSTRAINT signins_pkey PRIMARY KEY (digest),
    CONSTRAINT signins_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT signins_kind CHECK (kind IN ('browser', 'token')),
    CONSTRAINT signins_sealed_is_refreshed CHECK ((sealed IS NULL) = (refresh_at IS NULL))
);

CREATE INDEX signins_expired ON signins (expires_at);

CREATE INDEX signins_subject ON signins (subject) WHERE ended_at IS NULL;

CREATE TABLE replies (
    subject text NOT NULL,
    key text NOT NULL,
    request text NOT NULL,
    body jsonb NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT replies_pkey PRIMARY KEY (subject, key)
);

CREATE INDEX replies_created ON replies (created_at);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE replies, signins, invitations, users")
