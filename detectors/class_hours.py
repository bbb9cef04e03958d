"""Where in the frozen plan each played interval lies, and what of each class-hour is credited."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from detectors.credit import Played
from detectors.film import along_film, on_timeline
from detectors.segments import APART, locate
from detectors.trace import EPOCH_MS, NONE, Bools, Ints, Trace

Key = TypeVar("Key", int, Ints)


@dataclass(frozen=True, slots=True)
class HourParts:
    """Played intervals cut at the borders of class-hours, J rows in (case, hour, time) order.

    part      int64[J] row of the played interval
    case      int64[J]; hour int64[J] class-hour number in the trace, NONE outside the plan
    lesson    int64[J]
    p0_ms, p1_ms, t0_ms, t1_ms  as in Played, for the cut interval
    """

    part: Ints
    session: Ints
    case: Ints
    hour: Ints
    lesson: Ints
    p0_ms: Ints
    p1_ms: Ints
    t0_ms: Ints
    t1_ms: Ints

    def __len__(self) -> int:
        return len(self.part)

    def where(self, keep: Bools | Ints) -> HourParts:
        """The rows that a mask keeps, or that an array of rows picks."""
        if keep.dtype == np.bool_ and keep.all():
            return self
        return HourParts(*(getattr(self, name)[keep] for name in self.__slots__))

    def of_case(self, case: int) -> HourParts:
        """The parts of one case; rows are sorted by case."""
        low, high = np.searchsorted(self.case, (case, case + 1))
        return HourParts(*(getattr(self, name)[low:high] for name in self.__slots__))

    def spent(self, group: Ints, clock: Ints, of: Ints, at_ms: Ints) -> Ints:
        """Content played in groups of parts up to absolute times; `clock` runs within groups."""
        count = locate(group, self.t0_ms - EPOCH_MS, of, at_ms - EPOCH_MS)
        last = np.maximum(count - 1, 0)
        took = np.maximum(self.t1_ms - self.t0_ms, 1)[last]
        content = (self.p1_ms - self.p0_ms)[last]
        left = np.maximum(self.t1_ms[last] - np.maximum(at_ms, self.t0_ms[last]), 0)
        open_part = content * left // took
        return np.where((count > 0) & (group[last] == of), clock[last] - open_part, 0)


class Locator:
    """Finds the part that was being played at a given time; built once for a trace."""

    def __init__(self, parts: HourParts) -> None:
        self._by_session = _Timetable(parts.session, parts.t0_ms)
        self._by_case = _Timetable(parts.case, parts.t0_ms)

    def row_at(self, session: Ints, case: Ints, at_ms: Ints) -> Ints:
        """The part that each session was playing, or had last played, at an absolute time; before
        its first play, the part it began with; in a session without play, what the case had
        played last. NONE if there is nothing at all."""
        own = self._by_session.last_before(session, at_ms)
        return np.where(own == NONE, self._by_case.last_before(case, at_ms), own)


class _Timetable:
    def __init__(self, owner: Ints, t0_ms: Ints) -> None:
        times = t0_ms - EPOCH_MS
        key = owner * APART + times
        self._order: Ints | None = None
        if np.any(key[1:] < key[:-1]):
            self._order = np.argsort(key, kind="stable")
            key, owner = key[self._order], owner[self._order]
        self._key, self._owner = key, owner

    def last_before(self, wanted: Ints, at_ms: Ints) -> Ints:
        if not len(self._key):
            return np.full(len(wanted), NONE, np.int64)
        key = wanted * APART
        first = np.searchsorted(self._key, key)
        count = np.searchsorted(self._key, key + (at_ms - EPOCH_MS), side="right")
        place = np.minimum(np.maximum(count - 1, first), len(self._key) - 1)
        row = place if self._order is None else self._order[place]
        return np.where(self._owner[place] == wanted, row, NONE)


def cut_at_hours(trace: Trace, played: Played) -> HourParts:
    """Every played interval, cut so that each part lies in one class-hour."""
    sessions = trace.sessions
    session = played.session
    key = _key(trace, sessions["klass"][session], sessions["lesson"][session])
    pieces = trace.pieces
    piece_key = _key(trace, pieces["klass"], pieces["lesson"])
    order = np.lexsort((pieces["start_ms"], piece_key))
    piece_at = piece_key[order] + pieces["start_ms"][order].astype(np.int64)
    last = np.searchsorted(piece_at, key + played.p1_ms - 1, side="right") - 1
    first = np.searchsorted(piece_at, key + played.p0_ms, side="right") - 1
    count = np.maximum(last - first, 0) + 1
    part = np.repeat(np.arange(len(session), dtype=np.int64), count)
    step = np.arange(len(part)) - np.repeat(np.cumsum(count) - count, count)
    piece = np.repeat(first, count) + step
    valid = piece >= 0
    row = np.where(valid, order[np.maximum(piece, 0)] if len(order) else 0, 0)
    if len(pieces):
        mine = valid & (piece_key[row] == key[part])
        low = np.where(mine, pieces["start_ms"][row], 0).astype(np.int64)
        high = np.where(mine, pieces["end_ms"][row], np.iinfo(np.int64).max).astype(np.int64)
        hour = np.where(mine, pieces["hour"][row], NONE).astype(np.int64)
    else:
        low = np.zeros(len(part), np.int64)
        high = np.full(len(part), np.iinfo(np.int64).max)
        hour = np.full(len(part), NONE, np.int64)
    p0 = np.maximum(played.p0_ms[part], low)
    p1 = np.minimum(played.p1_ms[part], high)
    # Within one interval content and time run in step.
    content = np.maximum(played.p1_ms - played.p0_ms, 1)[part]
    took = (played.t1_ms - played.t0_ms)[part]
    offset = (p0 - played.p0_ms[part]) * took // content
    t0 = played.t0_ms[part] + offset
    t1 = t0 + (p1 - p0) * took // content
    keep = p1 > p0
    case = sessions["case"].astype(np.int64)[session[part]]
    parts = HourParts(
        part=part,
        session=session[part],
        case=case,
        hour=hour,
        lesson=sessions["lesson"].astype(np.int64)[session[part]],
        p0_ms=p0,
        p1_ms=p1,
        t0_ms=t0,
        t1_ms=t1,
    ).where(keep)
    return _sorted(parts)


def as_reported(trace: Trace, parts: HourParts) -> HourParts:
    """The parts at the positions that players told, cut where a film lacks a stretch."""
    for lesson, start, _ in trace.holes.tolist():
        of = np.full(1, lesson, np.int64)
        at = int(along_film(trace, of, np.full(1, start, np.int64))[0])
        across = (parts.lesson == lesson) & (parts.p0_ms < at) & (at < parts.p1_ms)
        if across.any():
            cut = parts.where(across)
            # Within one part content and time run in step.
            took = (at - cut.p0_ms) * (cut.t1_ms - cut.t0_ms) // (cut.p1_ms - cut.p0_ms)
            between, there = cut.t0_ms + took, np.full(len(cut), at, np.int64)
            before = replace(cut, p1_ms=there, t1_ms=between)
            behind = replace(cut, p0_ms=there, t0_ms=between)
            parts = _joined(parts.where(~across), _joined(before, behind))
    return replace(
        parts,
        p0_ms=on_timeline(trace, parts.lesson, parts.p0_ms, ends=False),
        p1_ms=on_timeline(trace, parts.lesson, parts.p1_ms, ends=True),
    )


def _key(trace: Trace, klass: Ints, lesson: Ints) -> Ints:
    """One number for a lesson in a class, with room below it for any position."""
    return (klass.astype(np.int64) * len(trace.lessons) + lesson) << 33


def without(
    parts: HourParts, fine: HourParts, voids: dict[int, list[tuple[int, int]]]
) -> HourParts:
    """The parts less the voided stretches of time; `voids` maps a session to [t0, t1) in ms, and
    `fine` are the parts of those sessions, interval by interval."""
    if not voids:
        return parts
    touched = np.isin(parts.session, np.fromiter(voids, np.int64, len(voids)))
    return _sorted(_joined(parts.where(~touched), _less(fine, voids)))


def _less(parts: HourParts, voids: dict[int, list[tuple[int, int]]]) -> HourParts:
    order = np.argsort(parts.session, kind="stable")
    session = parts.session[order]
    gone: list[Ints] = []
    cut: set[int] = set()
    for owner, stretches in voids.items():
        low, high = np.searchsorted(session, (owner, owner + 1))
        rows = order[low:high]
        t0, t1 = parts.t0_ms[rows], parts.t1_ms[rows]
        for start, end in stretches:
            hit = (t0 < end) & (t1 > start)
            whole = hit & (t0 >= start) & (t1 <= end)
            gone.append(rows[whole])
            cut.update(rows[hit & ~whole].tolist())
    keep = np.ones(len(parts), np.bool_)
    keep[np.concatenate(gone)] = False
    partial = np.array(sorted(row for row in cut if keep[row]), np.int64)
    keep[partial] = False
    return _joined(parts.where(keep), _remainder(parts, partial, voids))


def _remainder(
    parts: HourParts, partial: Ints, voids: dict[int, list[tuple[int, int]]]
) -> HourParts:
    """What is left of parts that were voided in part; content and time run in step in each."""
    rows: list[tuple[int, ...]] = []
    for row in partial.tolist():
        pieces = [(int(parts.t0_ms[row]), int(parts.t1_ms[row]))]
        for start, end in voids[int(parts.session[row])]:
            pieces = [
                left
                for low, high in pieces
                for left in ((low, min(high, start)), (max(low, end), high))
                if left[1] > left[0]
            ]
        t0, p0 = int(parts.t0_ms[row]), int(parts.p0_ms[row])
        content = int(parts.p1_ms[row]) - p0
        took = max(int(parts.t1_ms[row]) - t0, 1)
        for low, high in pieces:
            start_at = p0 + (low - t0) * content // took
            end_at = p0 + (high - t0) * content // took
            if end_at > start_at:
                rows.append((row, start_at, end_at, low, high))
    cut = np.array(rows, np.int64).reshape(-1, 5)
    return replace(
        parts.where(cut[:, 0]),
        p0_ms=cut[:, 1],
        p1_ms=cut[:, 2],
        t0_ms=cut[:, 3],
        t1_ms=cut[:, 4],
    )


def _joined(one: HourParts, other: HourParts) -> HourParts:
    return HourParts(
        *(np.concatenate([getattr(one, n), getattr(other, n)]) for n in HourParts.__slots__)
    )


def _sorted(parts: HourParts) -> HourParts:
    """In (case, hour, time) order, which sittings in their usual order already have."""
    same_case = parts.case[1:] == parts.case[:-1]
    same_hour = same_case & (parts.hour[1:] == parts.hour[:-1])
    before = (parts.case[1:] < parts.case[:-1]) | (same_case & (parts.hour[1:] < parts.hour[:-1]))
    if not np.any(before | (same_hour & (parts.t0_ms[1:] < parts.t0_ms[:-1]))):
        return parts
    return parts.where(np.lexsort((parts.t0_ms, parts.hour, parts.case)))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Credited content of every (case, hour) that has any, sorted by both."""

    case: Ints
    hour: Ints
    credited_ms: Ints

    def of(self, case: int, hour: int) -> int:
        row = np.flatnonzero((self.case == case) & (self.hour == hour))
        return int(self.credited_ms[row[0]]) if len(row) else 0


def runs(parts: HourParts) -> HourParts:
    """The same content in far fewer rows: parts that go on where the one before ended are joined,
    whatever the time between them."""
    if not len(parts):
        return parts
    head = changes(parts.case, parts.hour, parts.session)
    head[1:] |= parts.p0_ms[1:] != parts.p1_ms[:-1]
    first = np.flatnonzero(head)
    last = np.append(first[1:], len(parts)) - 1
    return replace(parts.where(first), p1_ms=parts.p1_ms[last], t1_ms=parts.t1_ms[last])


def coverage(parts: HourParts) -> Coverage:
    """Union of the parts' content per (case, hour): each second of content counts once."""
    joined = runs(parts)
    joined = joined.where(joined.hour >= 0)
    order = np.lexsort((joined.p0_ms, joined.lesson, joined.hour, joined.case))
    case, hour, lesson = joined.case[order], joined.hour[order], joined.lesson[order]
    gained = union_gain(joined.p0_ms[order], joined.p1_ms[order], changes(case, hour, lesson))
    heads = np.flatnonzero(changes(case, hour))
    total = np.add.reduceat(gained, heads) if len(heads) else gained
    return Coverage(case[heads], hour[heads], total)


def union_gain(p0: Ints, p1: Ints, new_run: Bools) -> Ints:
    """What each interval adds to the union of its run; intervals are sorted by start in runs."""
    own = np.cumsum(new_run) - 1
    lift = own << 33
    reach = np.maximum.accumulate(p1 + lift) - lift if len(own) else p1
    before = np.zeros_like(reach)
    before[1:] = reach[:-1]
    before = np.where(new_run, 0, before)
    return np.maximum(0, p1 - np.maximum(p0, before))


def changes(*columns: Ints) -> Bools:
    """True where any of the columns differs from the row before, and at the first row."""
    result = np.ones(len(columns[0]), np.bool_)
    result[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return result


def hour_key(case: Key, hour: Key) -> Key:
    """One number for a class-hour of a case, in (case, hour) order; hour may be NONE."""
    return case * (1 << 31) + hour
