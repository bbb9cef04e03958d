"""What every detector is given: the columns, and what the clock allows to be believed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.class_hours import HourParts, Locator, cut_at_hours
from detectors.credit import Played, joined, played
from detectors.photo_window import timely
from detectors.policy import Policy
from detectors.position_unit import thousandths
from detectors.trace import Bools, Ints, Trace


@dataclass(frozen=True, slots=True)
class Facts:
    """trace: the raw columns; played: what was possible by the server's clock, before any void,
    interval by interval; runs: the same, joined where play went on; parts: the runs cut at the
    borders of class-hours; find: which part was played when; timely: Bools[P], photos that came in
    the window of the control that they answer; in_thousandths: sittings whose positions are told in
    them, see `position_unit`."""

    trace: Trace
    played: Played
    runs: Played
    parts: HourParts
    find: Locator
    timely: Bools
    in_thousandths: Mapping[int, tuple[int, int]]

    def fine_parts(self, sessions: Ints) -> HourParts:
        """The play of some sessions, interval by interval, cut at the borders of class-hours."""
        return cut_at_hours(self.trace, self.played.of_sessions(sessions))


def facts(trace: Trace, policy: Policy) -> Facts:
    """The facts of a trace under a policy's pace."""
    watched = played(trace, policy)
    runs = joined(watched, policy["popup_gap"].ms("offline_gap_s"))
    parts = cut_at_hours(trace, runs)
    in_time = timely(trace, runs, policy)
    in_thousandths = thousandths(trace, watched.samples)
    return Facts(trace, watched, runs, parts, Locator(parts), in_time, in_thousandths)
