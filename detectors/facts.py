"""What every detector is given: the columns, and what the clock allows to be believed of them."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.class_hours import HourParts, Locator, cut_at_hours
from detectors.credit import Played, played
from detectors.policy import Policy
from detectors.trace import Trace


@dataclass(frozen=True, slots=True)
class Facts:
    """trace: the raw columns; played: what was possible by the server's clock, before any void;
    parts: the same, cut at the borders of class-hours; find: which part was played when."""

    trace: Trace
    played: Played
    parts: HourParts
    find: Locator


def facts(trace: Trace, policy: Policy) -> Facts:
    """The facts of a trace under a policy's pace."""
    watched = played(trace, policy)
    parts = cut_at_hours(trace, watched)
    return Facts(trace, watched, parts, Locator(parts))
