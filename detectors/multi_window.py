"""多窗口学习: credit runs in two places at one server time for one natural person.

Only what was really played counts: a second tab that stands still, a hidden page or another
program accuses nobody, and neither does a hand-over within the tolerance. Overlap that rests on a
backlog, delivered after a silence, may have happened earlier: it earns nothing twice, but it is no
accusation. Nor is one play that a log tells of two classes. Nor is overlap that is gone once either
side is laid out as early as the record allows: the last request of a page that was left may come
late. Accounts that share a number and bear two names may be two people, one of whom was entered
wrongly, and what this service timed itself is accused by no log alone, which anybody can write:
people decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detectors.credit import Played, Samples
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.segments import Segments, locate
from detectors.trace import Ints, SessionFlag, Trace, owners

RULE = "multi_window"
JOINED_MS = 30_000  # overlaps closer than this are one stretch
TWICE_MS = 2_000  # how far apart two logs of one play may tell it
DELIVERIES = 4  # of one page: fewer may all have come late, and show nothing of one another


@dataclass(frozen=True, slots=True)
class _Span:
    """Play, laid out as late as it was told, and as early as it can have been."""

    start: int
    end: int
    session: int
    fresh: bool
    early: tuple[int, int] = (0, 0)
    doubt: str = ""  # why an overlap accuses nobody until people have looked: the reason's name
    ahead: int = 0  # content less server time


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on the later of two overlapping sessions; evidence class S."""
    trace, played = facts.trace, facts.runs
    if not len(played):
        return []
    tolerance = policy[RULE].ms("handover_tolerance_s")
    offline = policy["popup_gap"].ms("offline_gap_s")
    findings: list[Finding] = []
    for rows in _overlapping_persons(trace, played):
        begins, ends = _earliest(trace, played, rows)
        spans = [
            _Span(
                int(played.t0_ms[row]),
                int(played.t1_ms[row]),
                int(played.session[row]),
                bool(played.stale_ms[row] <= offline),
                (begin, end),
                ahead=int(played.p0_ms[row] - played.t0_ms[row]),
            )
            for row, begin, end in zip(rows, begins.tolist(), ends.tolist(), strict=True)
        ]
        findings += _judge(spans, trace, tolerance)
    return findings


def _earliest(trace: Trace, played: Played, rows: Ints) -> tuple[Ints, Ints]:
    """When each interval can have begun and ended at the earliest, in absolute server time.

    Content takes its time from the sample before, and what came after a silence can be as old as
    that, or as the page's own counter tells.
    """
    every, session = played.samples, played.session[rows]
    mine = np.flatnonzero(np.isin(every.own, session))
    own, sittings = every.own[mine], Segments(every.own[mine])
    shown = ~every.jump[mine] & (every.unseen[mine] == 0)
    content = sittings.running_sum(np.where(shown, every.advance_ms[mine], 0))
    low = np.maximum(every.u_ms[mine] - every.stale_ms[mine], 0)
    low = np.maximum(low, _by_the_counter(trace, every, mine))
    finish = every.finish_ms[mine]
    spare = np.maximum(finish - content - sittings.running_max(low - content), 0)
    start = trace.sessions["start_ms"][session]
    t0, t1 = played.t0_ms[rows], played.t1_ms[rows]
    last = len(mine) - 1
    at_begin = np.minimum(locate(own, finish, session, t0 - start), last)
    at_end = np.minimum(locate(own, finish, session, t1 - start - 1), last)
    return t0 - spare[at_begin], t1 - spare[at_end]


def _by_the_counter(trace: Trace, samples: Samples, mine: Ints) -> Ints:
    """When samples happened by the counter that runs on while their page lives: what came fastest
    of a page tells how late the rest came. 0 where no counter tells it."""
    sessions = np.unique(samples.own[mine])
    events = np.flatnonzero(np.isin(owners(trace.events_at), sessions))
    beats = events[trace.events["mono_ms"][events] >= 0]
    told = np.zeros(len(trace.events), np.int64)
    if len(beats):
        counter = trace.events["mono_ms"][beats].astype(np.int64)
        received = trace.events["recv_ms"][beats].astype(np.int64)
        own = owners(trace.events_at)[beats]
        anew = (np.diff(own, prepend=-1) != 0) | (np.diff(counter, prepend=0) < 0)
        page = np.cumsum(anew) - 1
        base = np.full(page[-1] + 1, np.iinfo(np.int64).max)
        np.minimum.at(base, page, received - counter)
        deliveries = np.bincount(np.unique(np.stack([page, received]), axis=1)[0])
        told[beats] = np.where(deliveries[page] >= DELIVERIES, base[page] + counter, 0)
    return told[samples.row[mine]]


def _overlapping_persons(trace: Trace, played: Played) -> list[Ints]:
    """Rows of the played intervals of every person who has two at one time."""
    person = trace.sessions["person"].astype(np.int64)[played.session]
    order = np.lexsort((played.t0_ms, person))
    own = np.cumsum(np.concatenate([[0], np.diff(person[order]) != 0])).astype(np.int64)
    epoch = int(played.t0_ms.min())
    begin, end = played.t0_ms[order] - epoch, played.t1_ms[order] - epoch
    people = Segments(own)
    latest_before = people.previous(people.running_max(end), 0)
    double = np.unique(own[begin < latest_before])
    if not len(double):
        return []
    bounds = np.searchsorted(own, np.stack([double, double + 1]))
    return [order[low:high] for low, high in bounds.T]


def _judge(spans: list[_Span], trace: Trace, tolerance: int) -> list[Finding]:
    starts = trace.sessions["start_ms"]
    sessions = sorted({span.session for span in spans}, key=lambda row: (int(starts[row]), row))
    occupied: list[_Span] = []
    findings: list[Finding] = []
    forgiven = 0
    for session in sessions:
        mine = [span for span in spans if span.session == session]
        others = [it for span in occupied for it in _beside(trace, mine, span)]
        told = _overlaps(mine, others, trace)
        moved = [
            _overlaps(_earlier(mine), others, trace),
            _overlaps(mine, _earlier(others), trace),
        ]
        for stretch in _stretches(told):
            certain = [stretch, *(_near(stretch, parts) for parts in moved)]
            fresh = min(_length([part for part in parts if part.fresh]) for parts in certain)
            whole = _length(stretch)
            if fresh <= tolerance and forgiven + whole <= tolerance:
                forgiven += whole
                continue
            sure = min(
                _length([part for part in parts if part.fresh and not part.doubt])
                for parts in certain
            )
            doubt = next((it.doubt for parts in certain for it in parts if it.doubt), "")
            lengths = sure, fresh, whole
            findings.append(_finding(session, stretch, lengths, doubt, tolerance))
        occupied = sorted([*occupied, *mine], key=lambda span: span.start)
    return findings


def _beside(trace: Trace, mine: list[_Span], other: _Span) -> list[_Span]:
    """What of another sitting's play is beside `mine`. Of one that is the same play, told twice,
    nothing in the same class, where it counts once; in another one it is no second window, and is
    counted once all the same."""
    if not _told_twice(trace, mine, other):
        return [other]
    cases = trace.sessions["case"]
    same = cases[mine[0].session] == cases[other.session]
    return [] if same else [replace(other, fresh=False)]


def _told_twice(trace: Trace, mine: list[_Span], other: _Span) -> bool:
    """Whether a log that came twice, under two names, tells of one play of one window."""
    one, two = trace.sessions[mine[0].session], trace.sessions[other.session]
    attested = bool(one["flags"] & two["flags"] & SessionFlag.ATTESTED)
    if not attested or any(one[name] != two[name] for name in ("lesson", "device", "window")):
        return False
    return any(abs(it.ahead - other.ahead) <= TWICE_MS for it in mine if _meet(it, other))


def _meet(one: _Span, other: _Span) -> bool:
    return one.start < other.end and other.start < one.end


def _near(stretch: list[_Span], parts: list[_Span]) -> list[_Span]:
    """What of other overlaps belongs to a stretch, once either side is laid out earlier."""
    begin, end = stretch[0].start - JOINED_MS, max(part.end for part in stretch)
    return [part for part in parts if begin < part.end and part.start < end]


def _earlier(spans: list[_Span]) -> list[_Span]:
    moved = [replace(span, start=span.early[0], end=span.early[1]) for span in spans]
    return sorted(moved, key=lambda span: span.start)


def _overlaps(mine: list[_Span], occupied: list[_Span], trace: Trace) -> list[_Span]:
    """Overlaps of `mine` with what other sessions hold, in order of time.

    Each carries the rival's session, is fresh when both sides are, and says what is doubtful.
    """
    parts: list[_Span] = []
    begin = 0
    for span in mine:
        while begin < len(occupied) and occupied[begin].end <= span.start:
            begin += 1
        for rival in occupied[begin:]:
            if rival.start >= span.end:
                break
            low, high = max(span.start, rival.start), min(span.end, rival.end)
            if high > low:
                fresh = span.fresh and rival.fresh
                doubt = _doubt(trace, span.session, rival.session)
                parts.append(_Span(low, high, rival.session, fresh, doubt=doubt))
    return parts


def _doubt(trace: Trace, mine: int, rival: int) -> str:
    """The reason for which people have to look first; empty: none."""
    if len(trace.named) and trace.named[mine] != trace.named[rival]:
        return "two_names"
    flags = trace.sessions["flags"]
    by_log = flags[rival] & ~flags[mine] & SessionFlag.ATTESTED
    return "log_alone" if by_log else ""


def _stretches(parts: list[_Span]) -> list[list[_Span]]:
    """Overlaps joined into stretches of time."""
    stretches: list[list[_Span]] = []
    end = 0
    for part in parts:
        if stretches and part.start - end <= JOINED_MS:
            stretches[-1].append(part)
        else:
            stretches.append([part])
        end = max(end, part.end)
    return stretches


def _length(parts: list[_Span]) -> int:
    """Time covered by parts, which are in order of their start; three windows count as two."""
    covered = until = 0
    for part in parts:
        covered += max(0, part.end - max(part.start, until))
        until = max(until, part.end)
    return covered


def _finding(
    session: int, stretch: list[_Span], lengths: tuple[int, int, int], doubt: str, tolerance: int
) -> Finding:
    """What overlaps beyond the tolerance: for sure, for people to look at, or perhaps."""
    sure, fresh, whole = lengths
    outcome, reason, fault, measured = Outcome.CLEAR, "possible_overlap", Fault.ENVIRONMENT, whole
    rivals = stretch
    if sure > tolerance:
        outcome, reason, fault, measured = Outcome.VIOLATION, "overlap", Fault.LEARNER, sure
        rivals = [part for part in stretch if not part.doubt]
    elif fresh > tolerance:
        rivals = [part for part in stretch if part.doubt == doubt] or stretch
        outcome, reason, fault = Outcome.REVIEW, doubt, Fault.UNDETERMINED
        measured = fresh
    return Finding(
        rule=RULE,
        outcome=outcome,
        reason=reason,
        fault=fault,
        evidence=Evidence.SERVER,
        session=session,
        start_ms=stretch[0].start,
        end_ms=max(part.end for part in stretch),
        measured=measured / 1000,
        limit=tolerance / 1000,
        voids=True,
        rival=rivals[0].session,
    )
