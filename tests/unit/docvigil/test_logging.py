"""Logs: one line a message, ids bound, JSON where nobody reads along, and nothing in them that identifies a person."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from docvigil.logging import set_up
from docvigil.settings import Settings

ROOT = Path(__file__).parents[3]

#: What a log line may carry beside its event: ids, numbers, names of our own things. `path`, `name`, `file`, `value`
#: and `text` are not among them, and must not be.
ALLOWED = {
    "after_seconds", "arrival", "attempts", "batch", "body", "cause", "check", "checks", "child", "dead_letters",
    "deaths", "delivery", "device", "digest", "document", "documents", "done", "drawing", "due_on", "endorser",
    "entries", "errno", "error", "every_seconds", "examples", "hint", "in_place", "inode", "kept", "line", "loss",
    "message", "model", "number", "of", "outcome", "owner", "pages", "parameters", "pid", "port", "program",
    "questions", "reason", "recipients", "rows", "rules", "samples", "scan", "scans", "seconds", "sequence", "shard",
    "shards", "signed", "size", "source", "stage", "state", "status", "step", "steps", "task", "times", "token",
    "training", "types", "version", "webhooks", "where", "window",
}  # fmt: skip

#: Lines whose `error` or `reason` is a sentence of our own about our own things: types, anchors, buckets, messages.
SENTENCES = {
    "types.unreadable",
    "audit.forged",
    "bucket.unreadable",
    "queue.malformed",
    "queue.unreadable",
    "webhook.not_taken",
}

METHODS = {"debug", "info", "warning", "error", "critical", "exception"}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Other tests keep the logging they had."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_gets_json_with_the_ids_bound(tmp_path: Path) -> None:
    set_up(Settings(home=tmp_path, log_file=tmp_path / "a.log"))
    with structlog.contextvars.bound_contextvars(document="d1", arrival=3, task="t1", model="m1"):
        structlog.get_logger("workers.x").info("prepare.done", seconds=1.5)
        logging.getLogger("celery.worker").warning("lost the %s", "broker")
    ours, theirs = lines(tmp_path / "a.log")
    ids = {"document": "d1", "arrival": 3, "task": "t1", "model": "m1"}
    assert ours.items() >= {**ids, "event": "prepare.done", "seconds": 1.5, "logger": "workers.x"}.items()
    assert theirs.items() >= {**ids, "event": "lost the broker", "level": "warning"}.items()
    assert str(ours["timestamp"]).endswith("Z")


def test_an_error_stays_on_one_line(tmp_path: Path) -> None:
    set_up(Settings(home=tmp_path, log_file=tmp_path / "a.log"))
    try:
        raise RuntimeError("broken")
    except RuntimeError as error:
        structlog.get_logger().error("samples.failed", exc_info=error)
    (line,) = lines(tmp_path / "a.log")
    assert "RuntimeError: broken" in str(line["exception"])


def test_a_terminal_gets_words(tmp_path: Path) -> None:
    set_up(Settings(home=tmp_path, log_file=tmp_path / "a.log", log_format="console"))
    structlog.get_logger().info("relay.started", window=8)
    text = (tmp_path / "a.log").read_text()
    assert "relay.started" in text and not text.startswith("{")


def test_a_command_logs_warnings_only_unless_the_user_wants_more(tmp_path: Path) -> None:
    set_up(Settings(home=tmp_path, log_file=tmp_path / "a.log"), least="warning")
    structlog.get_logger().info("child.started")
    structlog.get_logger().warning("child.died")
    set_up(Settings(home=tmp_path, log_file=tmp_path / "b.log", log_level="info"), least="warning")
    structlog.get_logger().info("child.started")
    assert [line["event"] for line in lines(tmp_path / "a.log")] == ["child.died"]
    assert [line["event"] for line in lines(tmp_path / "b.log")] == ["child.started"]


def test_a_log_that_is_rotated_away_is_opened_anew(tmp_path: Path) -> None:
    set_up(Settings(home=tmp_path, log_file=tmp_path / "a.log"))
    structlog.get_logger().info("first")
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    structlog.get_logger().info("second")
    assert [line["event"] for line in lines(tmp_path / "a.log")] == ["second"]


def calls() -> Iterator[tuple[str, str, list[ast.keyword]]]:
    """Every log line in the code: where, its event, what it carries."""
    for package in ("docvigil", "workers", "ingest", "records", "models", "pipeline"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                if node.func.attr not in METHODS or not ast.unparse(node.func.value).endswith("log"):
                    continue
                event = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
                yield f"{path.relative_to(ROOT)}:{node.lineno}", str(event), node.keywords


def test_log_lines_carry_ids_only() -> None:
    found = list(calls())
    assert len(found) > 30, "the search for log lines finds none any more"
    wrong = []
    for where, event, keywords in found:
        for keyword in keywords:
            said = ast.unparse(keyword.value)
            if keyword.arg is None or keyword.arg == "exc_info":
                # Where samples are drawn from nothing, an error can quote nobody.
                if event != "samples.failed":
                    wrong.append(f"{where}: {said} may quote what was read")
            elif keyword.arg not in ALLOWED:
                wrong.append(f"{where}: {keyword.arg} is not known to be an id or a number")
            elif keyword.arg in ("error", "reason") and said.startswith("str(") and event not in SENTENCES:
                wrong.append(f"{where}: {said} may quote what was read")
    assert wrong == []
