"""Recorded and simulated sittings in one shape, and what is compared of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
CARRIED = {"seek", "waiting"}  # what a busy player adds anywhere


@dataclass
class Told:
    """One sitting as it was told: events in the client's order, each with its first receipt.

    `opened` are the seqs with which a page began; `at` and `received` are seconds, of the device
    and of the service.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    conflicts: int = 0  # the same number with other content

    @property
    def kinds(self) -> list[str]:
        return [word(event) for event in self.events]

    @property
    def beats(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "progress"]


def word(event: dict[str, Any]) -> str:
    """An event's type, and which way where there are two."""
    kind = str(event["type"])
    if kind in ("visibility", "focus"):
        return kind + ("+" if event[{"visibility": "visible", "focus": "focused"}[kind]] else "-")
    return kind


def _kept(told: Told, known: dict[int, dict[str, Any]], event: dict[str, Any], at_ms: int) -> None:
    seq = event["seq"]
    if seq in known:
        told.conflicts += any(known[seq][name] != value for name, value in event.items())
        return
    known[seq] = {**event, "at": event["at_ms"] / 1000, "received": at_ms / 1000}


def recorded(name: str) -> list[Told]:
    """The sittings of a recording, in order."""
    made = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    told: dict[str, Told] = defaultdict(Told)
    known: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for exchange in made["exchanges"]:
        session = exchange["session"]
        if exchange["to"] == "open" and exchange["status"] in (200, 201):
            told[session].opened.append(exchange["answer"].get("next_seq", 0))
        elif exchange["to"] == "events":
            for event in exchange["body"]["events"]:
                _kept(told[session], known[session], event, exchange["at_ms"])
    for session, events in known.items():
        told[session].events = [events[seq] for seq in sorted(events)]
    return list(told.values())


def simulated(evidence: Iterable[dict[str, Any]], start_ms: int) -> list[Told]:
    """The same of the records of a simulated service."""
    told: dict[str, Told] = defaultdict(Told)
    known: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for record in evidence:
        if record["kind"] == "event":
            skipped = ("kind", "session_id", "received_at_ms")
            event = {name: value for name, value in record.items() if name not in skipped}
            session, at_ms = record["session_id"], record["received_at_ms"] - start_ms
            _kept(
                told[session], known[session], {**event, "at_ms": event["at_ms"] - start_ms}, at_ms
            )
    for session, events in known.items():
        told[session].events = [events[seq] for seq in sorted(events)]
    return list(told.values())


# -- what is said around what happens ----


def openings(told: Told) -> set[tuple[str, ...]]:
    """The first words of a sitting that a learner plays."""
    kinds = [kind for kind in told.kinds if kind not in ("rate", "focus+")]
    return {tuple(kinds[:3])} if kinds[1:2] == ["play"] else set()


def endings(told: Told) -> set[tuple[str, ...]]:
    """From the pause of the end on."""
    if "ended" not in told.kinds:
        return set()
    at = told.kinds.index("ended")
    return {tuple(kind for kind in told.kinds[at - 1 :] if not kind.startswith("popup"))}


def popups(told: Told) -> set[tuple[str, ...]]:
    """From each pop-up's display to the play, the end or the next display after it."""
    return set(_phrases(told, {"popup_shown"}, {"playing", "popup_shown"}))


def hidings(told: Told) -> set[tuple[str, ...]]:
    """From the loss of the focus until the film plays on."""
    return {_level(phrase) for phrase in _phrases(told, {"focus-"}, {"playing"})}


def leavings(told: Told) -> set[tuple[str, ...]]:
    """The last words of a page that is loaded again, and the first of the next."""
    kinds, seqs = told.kinds, [event["seq"] for event in told.events]
    cuts = [seqs.index(seq) for seq in told.opened if seq]
    return {tuple(kinds[at - 2 : at + 3]) for at in cuts}


def _phrases(told: Told, begin: set[str], end: set[str]) -> Iterator[tuple[str, ...]]:
    phrase: list[str] = []
    for kind in [*told.kinds, ""]:
        if phrase and (kind in end or not kind):
            if kind == "playing":
                phrase.append(kind)
            if "ended" not in phrase:
                yield tuple(phrase)
            phrase = []
        if kind in begin and not phrase:
            phrase = [kind]
        elif phrase and kind != "progress" and kind not in CARRIED:
            phrase.append(kind)


def _level(phrase: tuple[str, ...]) -> tuple[str, ...]:
    """Focus and visibility change together: browsers tell them in either order."""
    words = list(phrase)
    for at in range(len(words) - 1):
        if {words[at][:-1], words[at + 1][:-1]} == {"focus", "visibility"}:
            words[at : at + 2] = sorted(words[at : at + 2])
    return tuple(words)


# -- numbers ----


def beat_gaps(told: Told) -> list[float]:
    """Seconds by the device between heartbeats of one page, but for the one at its very end."""
    gaps = []
    for one, other in zip(told.beats, told.beats[1:], strict=False):
        if other["monotonic_ms"] > one["monotonic_ms"] and other["seq"] not in told.opened:
            gaps.append(other["at"] - one["at"])
    return gaps[:-1]


def lags(told: Told) -> list[float]:
    """How long after it happened each event was received."""
    return [event["received"] - event["at"] for event in told.events]


def stops(told: Told) -> list[tuple[float, float]]:
    """Of each pop-up: seconds until the film stopped, and content that played until it went on."""
    found = []
    for at, event in enumerate(told.events):
        if event["type"] != "popup_shown":
            continue
        later = told.events[at + 1 :]
        stop = next((it for it in later if it["type"] in ("pause", "popup_shown", "play")), None)
        on = next((it for it in later if it["type"] in ("play", "popup_shown", "ended")), None)
        if stop and stop["type"] == "pause" and on and on["type"] == "play":
            found.append((stop["at"] - event["at"], on["position"] - stop["position"]))
    return found


def latency_errors(told: Told) -> list[float]:
    """What an answer's own latency differs from its stamps."""
    shown: dict[str, float] = {}
    errors = []
    for event in told.events:
        if event["type"] == "popup_shown":
            shown[event["challenge_id"]] = event["at"]
        elif event["type"] == "popup_answered":
            errors.append(event["at"] - shown[event["challenge_id"]] - event["latency_ms"] / 1000)
    return errors


def pace(told: Told) -> list[float]:
    """Content a second between two beats without anything but play between them."""
    found = []
    for one, other in zip(told.events, told.events[1:], strict=False):
        if one["type"] == other["type"] == "progress" and other["position"] > one["position"]:
            found.append((other["position"] - one["position"]) / (other["at"] - one["at"]))
    return found


def digits(told: Told) -> int:
    """The most digits after the point that a position has."""
    shown = [repr(event["position"]) for event in told.events if "position" in event]
    return max((len(text.partition(".")[2]) for text in shown if "e" not in text), default=0)


__all__ = ["Told", "median", "recorded", "simulated"]
