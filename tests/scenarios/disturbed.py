"""What networks and machines do to an honest record, done to import records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any

from app.simulation.honest import HonestScene
from detectors.assess import JudgedFacts, assess
from detectors.trace import Trace
from tests.detectors.columns import GRADED, Columns

Record = dict[str, Any]
STAMPS = ("received_at_ms", "at_ms", "issued_at_ms", "due_at_ms", "taken_at_ms")
WHEN = ("received_at_ms", "issued_at_ms", "started_at_ms")


def trace_of(scene: HonestScene, evidence: Iterable[Record]) -> Trace:
    learner = scene.setting.learner
    records = [*scene.catalogue, *evidence]
    return Columns(records, scene.photos, {learner.learner_id: learner.identity}).trace()


def judged(scene: HonestScene, evidence: Iterable[Record]) -> JudgedFacts:
    return assess(trace_of(scene, evidence), GRADED)


def _when(record: Record) -> int:
    return next(record[name] for name in WHEN if name in record)


def paused(evidence: list[Record], rng: Random) -> list[Record]:
    """Everything from some moment on happens later, as after a sleep or a pause."""
    moments = sorted(_when(record) for record in evidence)
    moment = rng.choice(moments)
    delay = rng.choice((700, 45_000, 400_000, 5_000_000))
    result = []
    for record in evidence:
        changed = dict(record)
        if _when(record) >= moment:
            for name in (*STAMPS, "started_at_ms"):
                if changed.get(name) is not None:
                    changed[name] += delay
            if "monotonic_ms" in changed:
                changed["monotonic_ms"] += delay
        if record["kind"] == "session" and (record["ended_at_ms"] or 0) >= moment:
            changed["ended_at_ms"] += delay
        result.append(changed)
    return result


def delayed(evidence: list[Record], rng: Random) -> list[Record]:
    """Some events in a row are sent again and again until they get through together, later.

    Only where nothing was held back already: a second outage in the middle of a backlog is a case
    of its own (see test_fast_forward).
    """
    late = held_back(evidence)
    events = [record for record in evidence if record["kind"] == "event"]
    first = rng.randrange(len(events))
    lost = events[first : first + rng.choice((1, 3, 12))]
    if any(id(record) in late for record in lost):
        return evidence
    until = max(r["received_at_ms"] for r in lost) + rng.choice((300, 9_000, 25_000))
    held = {id(record) for record in lost if record["session_id"] == lost[0]["session_id"]}
    return _stretched([{**r, "received_at_ms": until} if id(r) in held else r for r in evidence])


def held_back(evidence: list[Record]) -> set[int]:
    """Heartbeats that reached the service more than 5 s after the promptest of their sitting."""
    pages: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    counter: dict[str, tuple[int, int]] = {}
    beats = [record for record in evidence if record.get("type") == "progress"]
    for beat in sorted(beats, key=lambda beat: (beat["session_id"], beat["seq"])):
        name, now = beat["session_id"], beat["monotonic_ms"]
        page, before = counter.get(name, (0, now))
        page += now < before  # the page was loaded again: its counter begins anew
        counter[name] = page, now
        pages[name, page].append((beat["received_at_ms"] - now, id(beat)))
    late: set[int] = set()
    for lags in pages.values():
        promptest = min(lags)[0]
        late |= {beat for lag, beat in lags if lag - promptest > 5_000}
    return late


def doubled(evidence: list[Record], rng: Random) -> list[Record]:
    """Some events, or all, arrive once more, much later or at once."""
    events = [record for record in evidence if record["kind"] == "event"]
    again = events if rng.random() < 0.3 else rng.sample(events, rng.randint(1, len(events)))
    delay = rng.choice((0, 800, 60_000))
    last = max(record["received_at_ms"] for record in events)
    copies = [{**r, "received_at_ms": min(r["received_at_ms"] + delay, last)} for r in again]
    return [*evidence, *copies]


def reordered(evidence: list[Record], rng: Random) -> list[Record]:
    """Heartbeats are overtaken by those after them, where none was held back already."""
    result, late = list(evidence), held_back(evidence)
    beats = [n for n, r in enumerate(result) if r.get("type") == "progress"]
    for _ in range(rng.randint(1, 20)):
        place = rng.randrange(max(1, len(beats) - 1))
        one, other = result[beats[place]], result[beats[min(place + 1, len(beats) - 1)]]
        if one["session_id"] == other["session_id"] and not late & {id(one), id(other)}:
            late.add(id(other))
            later = max(one["received_at_ms"], other["received_at_ms"] + rng.choice((1, 900)))
            result[beats[place]] = {**one, "received_at_ms": later}
    return _stretched(result)


def _stretched(evidence: list[Record]) -> list[Record]:
    """Sessions that last until their last event was received."""
    last: dict[str, int] = {}
    for record in evidence:
        if record["kind"] == "event":
            key = record["session_id"]
            last[key] = max(last.get(key, 0), record["received_at_ms"])
    return [
        {**r, "ended_at_ms": max(r["ended_at_ms"], last.get(r["session_id"], 0))}
        if r["kind"] == "session" and r["ended_at_ms"] is not None
        else r
        for r in evidence
    ]
