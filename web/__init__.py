"""The reviewers' desk and the API: what people and programs see of the records.

A request goes through, in this order: `observe` (id, log line, metrics), `headers` (security headers, size of the body,
name of the host), then its route. Before a route runs, `access.admit` looks up who asks (`identity`) and whether the
one table there lets them in; a route without a row keeps the application from starting.

`api/` answers under /api/v1 with JSON, errors as problem+json; `pages/` with HTML. Both find what they work with in the
`Context`. How to add a route: docs/decisions/0014-one-table-says-who-may.md.
"""
