"""Postgres is the record: every state of every document stands here, and each change of state is one function.

A function takes a session and leaves the transaction to its caller; it writes the audit event beside the change.

**A document** is `in_flight`, then `clear`, `flagged` or `quarantined`: the state of its newest scan, by foreign key.

    arrival ──► in_flight ──► clear | flagged ──(retry, rescan)──► in_flight
                    └───────► quarantined ──(retry, or it arrives again)──► in_flight

**A scan** goes through stages, one at a time for each document:

    prepare ──prepared()──► infer ──judged()──► done (clear | flagged)
       └────────── quarantine(), failed(), reap() ──► done (quarantined)

**Its row in the outbox** says whose turn it is, and goes when the scan is done:

    waiting ──publishable()──► published ──take()──► taken
       ▲          └─expire_published()─┘               │
       └──── prepared(), failed(), release(), reap() ──┘

**A lease** is owner, expiry and a token that rises with every `take()`. What a worker writes counts only while its
token is the newest and nobody has reaped it. Locks are taken in one order: scan, place in the queue, document.

Modules: `tables`, `words` (the values handed out), `database`, `migrate`; `intake`, `outbox`, `handing`, `leases`,
`scans`; `cases`, `claims`, `reviews`, `misses` (what people decide on; `desk_tables`), `desk`, `tallies`, `suggestions`
(what they look at), `deliveries`, `digest`, `exports`, `memos` (what goes out); `queue`, `endorsers`, `registry` (what
versions stand for); `audit`, `anchors`, `canonical`, `privacy`; `balance`; `objects` (the object store).
"""
