"""Logging: structlog everywhere, JSON in production, readable in a terminal. Ids only, never names or values read."""

from __future__ import annotations

import logging
import sys
from logging.handlers import WatchedFileHandler

import structlog

from docvigil.settings import Settings, settings

#: Libraries that tell more than anybody needs at their level `info`.
CHATTY = (
    "alembic",
    "amqp",
    "boto3",
    "botocore",
    # A line for each message; `workers.observe` says the same with the document's ids.
    "celery.app.trace",
    "celery.redirected",
    "celery.worker.strategy",
    "kombu",
    "urllib3",
    "watchfiles",
)


def set_up(chosen: Settings | None = None, *, least: str | None = None) -> None:
    """Sends every log line of this process, ours and the libraries', one way. May be called again after a fork.

    `least` is the level of a process whose log nobody asked for; a level set by the user goes before it.
    """
    chosen = chosen or settings()
    level = least if least and "log_level" not in chosen.model_fields_set else chosen.log_level
    readable = chosen.log_format == "console" or (
        chosen.log_format == "auto" and chosen.log_file is None and sys.stderr.isatty()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # A traceback with its variables would show what was read.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    last: structlog.typing.Processor = console if readable else structlog.processors.JSONRenderer()
    finish: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not readable:
        finish.append(structlog.processors.format_exc_info)
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*finish, last])
    # The file may be renamed by whoever rotates it; it is then opened anew.
    handler = logging.StreamHandler(sys.stderr) if chosen.log_file is None else WatchedFileHandler(chosen.log_file)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers:
        if isinstance(old, WatchedFileHandler):
            old.close()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
