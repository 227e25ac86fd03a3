#!/usr/bin/env bash
# Runs once, when the database server is set up. Two roles beside the superuser, which docvigil never uses:
# docvigil_owner owns the database and, through `docvigil migrate`, the tables; docvigil works with them and owns none,
# so that it can't change the audit trail. `docvigil migrate` grants it what it needs.
set -euo pipefail
# The passwords stand in the environment and not on a command line, where other processes could read them.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv application_password APPLICATION_PASSWORD
CREATE ROLE docvigil_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE docvigil LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'application_password';
CREATE DATABASE docvigil OWNER docvigil_owner TEMPLATE template0 ENCODING 'UTF8'
    LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE docvigil FROM PUBLIC;
GRANT CONNECT ON DATABASE docvigil TO docvigil;
SQL
