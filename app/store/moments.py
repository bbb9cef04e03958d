"""Moments that were written down under a machine's clock that was wrong, and set right since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_

from app.clock import DAY_MS

_FARTHEST_MS = DAY_MS  # longer than any next attempt is put off, or any claim lasts


def has_come(moment: Any, now_ms: int) -> ColumnElement[bool]:
    """Whether a time to try again, or the end of a claim, has come. One further ahead than any is
    ever set came of a clock that ran ahead: nobody waits a month for it."""
    return or_(moment <= now_ms, moment > now_ms + _FARTHEST_MS)
