"""What routes work with: connections, the way in for files, who signs in. One a process, at `app.state.context`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from ingest.intake import Intake
from records.database import engine, sessions
from records.objects import ObjectStore, open_store
from web.config import WebConfig
from web.identity import Identity
from web.limits import Limits
from web.oidc import Issuer

#: Requests that are worked on at the same time; as many connections to the database.
THREADS = 20
#: Redis is near, or it is away.
REDIS_SECONDS = 2.0


@dataclass(frozen=True)
class Context:
    config: WebConfig
    database: Engine
    sessions: sessionmaker[Session]
    store: ObjectStore
    redis: Redis
    intake: Intake
    identity: Identity
    limits: Limits

    @classmethod
    def of(cls, config: WebConfig) -> Context:
        """Connections are made when they are needed; `close` ends them."""
        database = engine(config.database_url, pool_size=THREADS, plan_for_values=True)
        store = open_store(config.object_store, endpoint_url=config.object_store_endpoint)
        redis = Redis.from_url(config.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
        made = sessions(database)
        return cls(
            config=config,
            database=database,
            sessions=made,
            store=store,
            redis=redis,
            intake=Intake(made, store, timezone=config.timezone, max_bytes=config.max_file_bytes),
            identity=Identity(config, made, None if config.oidc is None else Issuer(config.oidc)),
            limits=Limits(redis),
        )

    def close(self) -> None:
        self.database.dispose()
        self.redis.close()
        if self.identity.issuer is not None:
            self.identity.issuer.close()


def context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


Desk = Annotated[Context, Depends(context)]
