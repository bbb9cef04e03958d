"""Where in the frozen plan each played interval lies, and what of each class-hour is credited."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detectors.credit import Played
from detectors.segments import locate
from detectors.trace import EPOCH_MS, NONE, Bools, Ints, Trace


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
        return HourParts(*(getattr(self, name)[keep] for name in self.__slots__))

    def row_at(self, session: Ints, case: Ints, at_ms: Ints) -> Ints:
        """The part that each session was playing, or had last played, at an absolute time; before
        its first play, the part it began with; in a session without play, what the case had
        played last. NONE if there is nothing at all."""
        if not len(self):
            return np.full(len(session), NONE, np.int64)
        own = self._last_before(self.session, session, at_ms)
        return np.where(own == NONE, self._last_before(self.case, case, at_ms), own)

    def _last_before(self, owners: Ints, wanted: Ints, at_ms: Ints) -> Ints:
        by_time = np.lexsort((self.t0_ms, owners))
        owner, times = owners[by_time], self.t0_ms[by_time] - EPOCH_MS
        first = np.searchsorted(owner, wanted)
        count = locate(owner, times, wanted, at_ms - EPOCH_MS)
        place = np.minimum(np.maximum(count - 1, first), len(owner) - 1)
        return np.where(owner[place] == wanted, by_time[place], NONE)

    def spent(self, group: Ints, clock: Ints, of: Ints, at_ms: Ints) -> Ints:
        """Learning time of groups of parts up to absolute times; `clock` runs within groups."""
        count = locate(group, self.t0_ms - EPOCH_MS, of, at_ms - EPOCH_MS)
        last = np.maximum(count - 1, 0)
        open_part = np.maximum(self.t1_ms[last] - np.maximum(at_ms, self.t0_ms[last]), 0)
        return np.where((count > 0) & (group[last] == of), clock[last] - open_part, 0)


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


def _key(trace: Trace, klass: Ints, lesson: Ints) -> Ints:
    """One number for a lesson in a class, with room below it for any position."""
    return (klass.astype(np.int64) * len(trace.lessons) + lesson) << 33


def without(parts: HourParts, voids: dict[int, list[tuple[int, int]]]) -> HourParts:
    """The parts less the voided stretches of time; `voids` maps a session to [t0, t1) in ms."""
    touched = np.isin(parts.session, np.fromiter(voids, np.int64, len(voids)))
    if not touched.any():
        return parts
    rows: list[tuple[int, ...]] = []
    for row in np.flatnonzero(touched):
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
    remainder = replace(
        parts.where(cut[:, 0]),
        p0_ms=cut[:, 1],
        p1_ms=cut[:, 2],
        t0_ms=cut[:, 3],
        t1_ms=cut[:, 4],
    )
    return _sorted(_joined(parts.where(~touched), remainder))


def _joined(one: HourParts, other: HourParts) -> HourParts:
    return HourParts(
        *(np.concatenate([getattr(one, n), getattr(other, n)]) for n in HourParts.__slots__)
    )


def _sorted(parts: HourParts) -> HourParts:
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


def coverage(parts: HourParts) -> Coverage:
    """Union of the parts' content per (case, hour): each second of content counts once."""
    parts = parts.where(parts.hour >= 0)
    order = np.lexsort((parts.p0_ms, parts.lesson, parts.hour, parts.case))
    case, hour, lesson = parts.case[order], parts.hour[order], parts.lesson[order]
    gained = union_gain(parts.p0_ms[order], parts.p1_ms[order], changes(case, hour, lesson))
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


def hour_key(case: Ints, hour: Ints) -> Ints:
    """One number for a class-hour of a case, in (case, hour) order; hour may be NONE."""
    return (case << 31) + hour
