"""A second opinion on honest records, from the records alone and unlike the detectors' way.

Times are seconds after the session's start by the server, positions content seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
OFFLINE_AFTER_S = 5.0


@dataclass(frozen=True)
class Told:
    """A sitting as its client told it: events in its own order, each with its first receipt."""

    session: Record
    events: list[Record]

    @property
    def delays_s(self) -> dict[int, float]:
        """By seq, how much later than the promptest heartbeat each heartbeat was received."""
        pages: list[dict[int, float]] = [{}]
        counter = float("-inf")
        for event in self.events:
            if event["type"] == "progress":
                if event["monotonic_ms"] < counter:  # the page was loaded again
                    pages.append({})
                counter = event["monotonic_ms"]
                lag = (event["received_at_ms"] - event["monotonic_ms"]) / 1000
                pages[-1][event["seq"]] = lag
        return {
            seq: lag - min(lags.values()) for lags in pages if lags for seq, lag in lags.items()
        }


def sittings(records: list[Record]) -> list[Told]:
    """The sittings of one learner in one lesson, in order of their start."""
    by_session: dict[str, dict[int, Record]] = {}
    for record in records:
        if record["kind"] == "event":
            by_session.setdefault(record["session_id"], {}).setdefault(record["seq"], record)
    sessions = [record for record in records if record["kind"] == "session"]
    sessions.sort(key=lambda session: session["started_at_ms"])
    return [
        Told(session, sorted(by_session.get(session["session_id"], {}).values(), key=_seq))
        for session in sessions
    ]


def _seq(event: Record) -> int:
    return int(event["seq"])


def lead_over_the_server_s(told: Told) -> float:
    """The most by which content played since the start exceeded the server's elapsed time."""
    started_ms = told.session["started_at_ms"]
    played, position, lead = 0.0, None, float("-inf")
    for event in told.events:
        if event["type"] == "seek":
            position = event["from"] if event.get("blocked") else event["to"]
        elif "position" in event:
            if position is not None:
                played += max(0.0, event["position"] - position)
            position = event["position"]
            lead = max(lead, played - (event["received_at_ms"] - started_ms) / 1000)
    return lead


def longest_gap_s(all_told: list[Told]) -> float:
    """The longest stretch of visible play of a lesson, told in time, without a pop-up shown."""
    gaps: dict[str, float] = {}
    longest = 0.0
    for told in all_told:
        lesson = told.session["lesson_id"]
        gap = gaps.get(lesson, 0.0)
        delays = told.delays_s
        position, playing, visible = None, False, True
        for event in told.events:
            kind = event["type"]
            online = delays.get(event["seq"], 0.0) < OFFLINE_AFTER_S
            if "position" in event:
                if position is not None and playing and visible and online:
                    gap += max(0.0, event["position"] - position)
                    longest = max(longest, gap)
                position = event["position"]
            if kind == "seek":
                position = event["from"] if event.get("blocked") else event["to"]
            elif kind == "visibility":
                visible = event["visible"]
            elif kind in ("play", "pause", "ended"):
                playing = kind == "play"
            elif kind == "popup_shown":
                gap = 0.0
        gaps[lesson] = gap
    return longest


def played_under_open_popups_s(told: Told) -> float:
    """Content played between a pop-up's display and its answer or expiry."""
    open_at: list[float] = []
    is_open, moved = False, 0.0
    for event in told.events:
        if is_open and "position" in event:
            open_at.append(event["position"])
        if event["type"] == "popup_shown":
            is_open, open_at = True, []
        elif event["type"] in ("popup_answered", "popup_expired"):
            is_open = False
            moved += max(open_at, default=0.0) - min(open_at, default=0.0)
    return moved


def seq_gaps(told: Told) -> Iterator[int]:
    """Sequence numbers missing between the first and the last."""
    seen = {event["seq"] for event in told.events}
    yield from set(range(max(seen, default=-1) + 1)) - seen
