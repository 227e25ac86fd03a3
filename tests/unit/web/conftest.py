"""The application without services: it connects when it is first needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from web.config import WebConfig


@pytest.fixture
def config(tmp_path: Path) -> WebConfig:
    return WebConfig("postgresql://nobody@localhost:1/none", "redis://localhost:1/0", str(tmp_path), "http://desk.test")
