"""Canonical bytes of an event: one way to write it, so that its hash means something (after RFC 8785).

Keys sorted, no spaces, whole numbers only. Strings must look like ids or digests: a sentence, a file name with a
space or a name in another script is refused here, which keeps personal data out of the audit trail by construction.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Plain: TypeAlias = "str | int | bool | list[Plain] | tuple[Plain, ...] | dict[str, Plain] | None"

#: What an id looks like; 200 characters hold the longest of ours.
_ID = re.compile(r"[A-Za-z0-9._:@/+=-]{1,200}")
#: Whole numbers that every JSON reader keeps exactly.
_LARGEST = 2**53 - 1


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes of an event. Raises ValueError where a value is neither id, digest, whole number, bool nor None."""
    return json.dumps(_plain(dict(value), "event"), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(value: Any) -> str:
    """SHA-256 in hex of any JSON value, written in one way: keys sorted, UTF-8, no spaces."""
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def as_id(text: str) -> str:
    """The text itself where it looks like an id, else its SHA-256 (a reviewer may be called by a full name)."""
    if _ID.fullmatch(text):
        return text
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any, where: str) -> Plain:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError(f"{where} holds {value}, which not every reader of JSON keeps exactly; write it as text")
        return value
    if isinstance(value, str):
        if not _ID.fullmatch(value):
            raise ValueError(f"{where} holds text that is neither id nor digest; events carry nothing else")
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(one, f"{where}[{place}]") for place, one in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", key):
                raise ValueError(f"{where} has the key {key!r}; keys are words in lower case")
        return {key: _plain(one, f"{where}.{key}") for key, one in value.items()}
    raise ValueError(f"{where} holds a {type(value).__name__}; events carry ids, digests and whole numbers only")
