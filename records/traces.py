"""Where an error came from, for logs: its text may quote a file's name, so only the place in our code is told."""

from __future__ import annotations

import traceback
from pathlib import PurePath

#: Steps told, from the innermost outwards.
MOST = 6


def where(error: BaseException) -> str:
    """The innermost lines of the traceback, as `module.py:12 < module.py:34`."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST:]
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
