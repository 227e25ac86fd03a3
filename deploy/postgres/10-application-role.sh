#!/usr/bin/env bash
# Runs once, when the database is made: the role docvigil works with, which owns no table.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
     --set password="$DOCVIGIL_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE docvigil LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE docvigil TO docvigil;
SQL
