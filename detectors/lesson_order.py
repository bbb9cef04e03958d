"""专业课程学习不按内容先后顺序设置管理: a lesson was played before the one before it was complete.

Judged on what was played by the server's clock, before any later void: once a lesson was complete,
taking credit away from it later does not make its successors wrong. A refused attempt leaves no
play and therefore no finding.
"""

from __future__ import annotations

import numpy as np

from detectors.class_hours import HourParts, changes, union_gain
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import NONE, Bools, Ints, Trace

RULE = "lesson_order"
NEVER = np.iinfo(np.int64).max


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on sessions that played ahead in a professional course; evidence class S."""
    trace, parts = facts.trace, facts.parts
    before = _predecessors(trace)
    order = np.lexsort((parts.p0_ms, parts.lesson, parts.case))
    case, lesson = parts.case[order], parts.lesson[order]
    head = changes(case, lesson)
    heads = np.flatnonzero(head)
    if not len(heads):
        return []
    seen = np.add.reduceat(union_gain(parts.p0_ms[order], parts.p1_ms[order], head), heads)
    began = np.minimum.reduceat(parts.t0_ms[order], heads)
    ended = np.maximum.reduceat(parts.t1_ms[order], heads)
    case, lesson = case[heads], lesson[heads]

    share = policy[RULE]["lesson_done_coverage"]
    earlier = _row_of(case, lesson, before[lesson])
    known = np.maximum(earlier, 0)
    needed = (trace.lessons["media_ms"][before[lesson]] * share).astype(np.int64)
    in_order = (earlier != NONE) & (seen[known] >= needed) & (ended[known] <= began)
    suspicious = np.flatnonzero((before[lesson] != NONE) & ~in_order)
    tolerance = policy["fast_forward"].ms("abs_tolerance_s")
    findings: list[Finding] = []
    for row in suspicious:
        findings += _judge(
            facts, int(case[row]), int(lesson[row]), int(before[lesson[row]]), share, tolerance
        )
    return findings


def _predecessors(trace: Trace) -> Ints:
    """For every lesson the one before it in its professional course, NONE where there is none."""
    lessons = trace.lessons
    order = np.lexsort((lessons["order"], lessons["course"]))
    result = np.full(len(lessons), NONE, np.int64)
    same = lessons["course"][order][1:] == lessons["course"][order][:-1]
    result[order[1:]] = np.where(same, order[:-1], NONE)
    result[lessons["professional"] == 0] = NONE
    return result


def _row_of(case: Ints, lesson: Ints, wanted: Ints) -> Ints:
    """Row of (case, wanted lesson) among the sorted (case, lesson) rows, NONE if absent."""
    key = (case << 32) + lesson
    target = (case << 32) + wanted
    row = np.minimum(np.searchsorted(key, target), len(key) - 1)
    return np.where((wanted != NONE) & (key[row] == target), row, NONE)


def _judge(
    facts: Facts, case: int, lesson: int, before: int, share: float, tolerance: int
) -> list[Finding]:
    trace, parts = facts.trace, facts.parts
    mine = parts.case == case
    media = int(trace.lessons["media_ms"][before])
    complete, seen = _completion(facts, mine & (parts.lesson == before), media * share)
    ahead = parts.where(mine & (parts.lesson == lesson) & (parts.t0_ms < complete))
    if int(np.sum(ahead.p1_ms - ahead.p0_ms)) <= tolerance:
        return []
    locked = bool(trace.lessons["sequential_lock"][lesson])
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.VIOLATION,
            reason="ahead_of_order" if locked else "no_lock",
            fault=Fault.LEARNER if locked else Fault.PLATFORM,
            evidence=Evidence.SERVER,
            session=int(session),
            start_ms=int(part.t0_ms.min()),
            end_ms=int(min(part.t1_ms.max(), complete)),
            measured=round(seen / media * 100, 1),
            limit=share * 100,
            unit="%",
            voids=True,
            numbers={"lesson": float(lesson), "before": float(before)},
        )
        for session in np.unique(ahead.session)
        for part in (ahead.where(ahead.session == session),)
    ]


def _completion(facts: Facts, rows: Bools, needed: float) -> tuple[int, int]:
    """When the union of the rows reached `needed` ms of content, and how much there is of it.

    What came with a backlog may be as old as the silence before it, and is given that benefit.
    """
    earlier: HourParts = facts.parts.where(rows)
    stale = facts.played.stale_ms[earlier.part]
    offline = 30_000
    possible = earlier.t1_ms - np.where(stale > offline, stale, 0)
    covered: list[tuple[int, int]] = []
    total = 0
    complete = int(NEVER)
    for row in np.argsort(possible, kind="stable"):
        low, high = int(earlier.p0_ms[row]), int(earlier.p1_ms[row])
        total += (high - low) - sum(
            max(0, min(high, right) - max(low, left)) for left, right in covered
        )
        covered = _merged([*covered, (low, high)])
        if total >= needed:
            complete = int(possible[row])
            break
    return complete, total


def _merged(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
