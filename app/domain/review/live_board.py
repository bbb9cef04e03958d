"""The county now (远程巡查): which classes study, who is on line, whose face check waits.

What stands here accuses nobody: a check that is overdue may still come, and one that did not match
is judged with the whole sitting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.clock import day
from app.domain.accounts.users import User
from app.domain.review.inspections import SILENT_MS, may_read
from app.store.sittings import live
from app.store.sittings.live import LiveClass, OpenFaceCheck

MOST_SHOWN = 50  # face checks; the rest is counted


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One class: `overdue` and `unmatched` count sittings by their last face check."""

    row: LiveClass
    overdue: int
    unmatched: int

    @property
    def incidents(self) -> int:
        return self.overdue + self.unmatched


@dataclass(frozen=True, slots=True)
class LiveBoard:
    """Classes with incidents come first, then those with most heads on line."""

    lines: Sequence[BoardLine]
    checks: Sequence[OpenFaceCheck]
    now_ms: int

    @property
    def studying(self) -> int:
        """How many classes have somebody on line."""
        return sum(it.row.online > 0 for it in self.lines)

    @property
    def online(self) -> int:
        return sum(it.row.online for it in self.lines)

    @property
    def roster(self) -> int:
        """Heads on the rosters of all classes shown."""
        return sum(it.row.roster for it in self.lines)

    @property
    def silent(self) -> int:
        return sum(it.row.silent for it in self.lines)

    @property
    def overdue(self) -> int:
        return sum(it.overdue for it in self.lines)

    @property
    def unmatched(self) -> int:
        return sum(it.unmatched for it in self.lines)


def board(connection: Connection, user: User, now_ms: int) -> LiveBoard:
    """What this person's counties do now. Raises NotAllowed for who is not of the authority."""
    may_read(user)
    since_ms = now_ms - SILENT_MS
    checks = live.face_checks(connection, user.scope, since_ms, now_ms)
    unmatched = Counter(it.class_id for it in checks if it.unmatched)
    overdue = Counter(it.class_id for it in checks if not it.unmatched)
    rows = live.classes(connection, user.scope, day(now_ms).isoformat(), since_ms)
    lines = [BoardLine(row, overdue[row.id], unmatched[row.id]) for row in rows]
    lines.sort(key=lambda it: (-it.incidents, -it.row.online, it.row.id))
    checks = sorted(checks, key=lambda it: not it.unmatched)
    return LiveBoard(lines, checks[:MOST_SHOWN], now_ms)
