"""Places that a player shows for a moment, and where play was not."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from detectors.trace import Bools, Ints, Kind, Kinds

EXCURSION_MS = 45_000  # a place ahead that a player shows for a moment
ADVERTISEMENT_MS = 75_000  # a film of a minute that counts from 0, and a heartbeat on the way back
EXCURSION_ROWS = 1024  # four minutes of a player that tells of four places a second
SNAP_BACK_MS = 15_000  # a player that blocks a jump returns within a heartbeat
SEEK_MS = 5_000  # so long a seek may take, until it is told
AT_ONCE = 4  # events in which a player tells that its film is over
STRAY_MS = 1_000  # a place this near is the same one, as players round it


@dataclass(frozen=True, slots=True)
class ToldPlaces:
    """Events that tell a place, K rows in session order: int64[K], `kind` uint8[K].

    `arrive` and `leave` are the place before and after the event, `blocked` (bool[K]) is a seek
    that led nowhere; `u` and `earliest` bound when it was, by the server's clock.
    """

    own: Ints
    kind: Kinds
    arrive: Ints
    leave: Ints
    blocked: Bools
    u: Ints
    earliest: Ints

    def of(self, rows: Bools) -> ToldPlaces:
        """Some of them."""
        return ToldPlaces(*(getattr(self, it.name)[rows] for it in fields(self)))

    def excursions(self, strict: float, tolerance: int) -> Bools:
        """Events during which a player showed another place for a moment, and then went on.

        While a source is loaded again, its quality changes or an advertisement runs, players report
        0, a stale place or the clock of another film. Play has left its line and is back on it
        within `EXCURSION_MS` (`ADVERTISEMENT_MS` where it fell behind), no seek between: what was
        told meanwhile tells nothing of the lesson. News of one delivery may be as old as the
        silence before it, so times are bounds and not receipts. A client gains nothing by it: it
        need not have told of the place.
        """
        odd = np.zeros(len(self.own), np.bool_)
        if len(odd) < 3:
            return odd
        step = self.arrive[1:] - self.leave[:-1]
        same = self.own[1:] == self.own[:-1]
        possible = strict * (self.u[1:] - self.earliest[:-1]) + tolerance
        strays = same & ((step < -STRAY_MS) | (step > possible))
        odd[1:] = strays & (step > 0) & self._before_seek(same)
        odd |= self._ends_of_another_film()
        # All but seeks show a place and move to none; an end after which play goes on was none.
        strays &= self.kind[1:] != Kind.SEEK
        back = 0
        for row in (np.flatnonzero(strays) + 1).tolist():
            # The first row back on the line looks like a stray too.
            if row <= back:
                continue
            found = self._return(row, strict)
            stood = found and self.arrive[found - 1] - self.arrive[row] <= STRAY_MS
            if not stood and self._goes_on(row, strict):
                odd[row - 1] = True
            elif found:
                back = found
                odd[row:back] = True
        return odd

    def _ends_of_another_film(self) -> Bools:
        """Where a sitting begins with an end, and play then begins farther back: a page told the
        end of the lesson before once it had opened the next."""
        odd = np.zeros(len(self.own), np.bool_)
        heads = np.flatnonzero(np.diff(self.own, prepend=-1))
        ends = np.flatnonzero(self.kind == Kind.ENDED)
        begins = heads[np.searchsorted(heads, ends, side="right") - 1]
        early = ends - begins < AT_ONCE  # most ends come last
        for end, begin in zip(ends[early].tolist(), begins[early].tolist(), strict=True):
            after = end + 1
            if after == len(odd) or self.own[after] != self.own[begin]:
                continue
            stood = np.abs(self.arrive[begin:after] - self.arrive[begin]) <= STRAY_MS
            behind = self.leave[after] < self.arrive[begin] - STRAY_MS
            if behind and stood.all() and self.u[after] <= self.u[begin] + SNAP_BACK_MS:
                odd[begin:after] = True
        return odd

    def _goes_on(self, row: int, strict: float) -> bool:
        """Whether play at `row` is where it was but one event before, which showed a place ahead
        that the time would have allowed."""
        before = row - 2
        if before < 0 or self.own[before] != self.own[row] or self.kind[row - 1] == Kind.SEEK:
            return False
        moved = self.arrive[row] - self.leave[before]
        reach = strict * (self.u[row] - self.earliest[before])
        return bool(-STRAY_MS <= moved <= reach + STRAY_MS)

    def _before_seek(self, same: Bools) -> Bools:
        """A beat at the place to which a seek leads that is told behind it, and of it alone."""
        soon = np.append(self.u[2:] - self.u[1:-1] <= SEEK_MS, False)
        on = np.append(self.arrive[2:] - self.arrive[1:-1], -1)
        led = (self.kind == Kind.SEEK) & (self.leave == self.arrive)
        behind_it = np.append(led[2:], False) & np.append(same[1:], False) & soon
        return behind_it & (on >= 0) & (on <= SEEK_MS + STRAY_MS)

    def _return(self, row: int, strict: float) -> int:
        """Where play that left its line at `row` is back on it; 0 if it is not in time."""
        before = row - 1
        later = slice(row + 1, row + 1 + EXCURSION_ROWS)
        u, arrive = self.u[later], self.arrive[later]
        origin = self.leave[before]
        behind = self.arrive[row] < origin
        since, longest = (self.earliest, ADVERTISEMENT_MS) if behind else (self.u, EXCURSION_MS)
        late = self.earliest[later] > self.u[row] + SNAP_BACK_MS
        late &= since[later] > self.u[before] + longest
        over = late | (self.own[later] != self.own[row])
        over[1:] |= self.kind[later][:-1] == Kind.SEEK  # a seek tells where play was, and ends it
        over |= self._told_where_it_led(later)
        moved = arrive - origin
        reach = strict * (u - self.earliest[before])
        on_line = (moved >= -STRAY_MS) & (moved <= reach + STRAY_MS)
        last = slice(row, row + len(u))
        leap = arrive - self.arrive[last]
        left = (leap < -STRAY_MS) | (leap > strict * (u - self.u[last]) + STRAY_MS)
        ends = np.flatnonzero(over | (on_line & left))
        return 0 if not len(ends) or over[ends[0]] else row + 1 + int(ends[0])

    def _told_where_it_led(self, rows: slice) -> Bools:
        """Seeks that say nothing of where play was."""
        seeks = (self.kind[rows] == Kind.SEEK) & ~self.blocked[rows]
        return seeks & (self.leave[rows] == self.arrive[rows])
