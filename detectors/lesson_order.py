"""专业课程学习不按内容先后顺序设置管理: a lesson was played before the one before it was complete.

Judged on what was played by the server's clock, before any later void: once a lesson was complete,
taking credit away from it later does not make its successors wrong. A refused attempt leaves no
play and therefore no finding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectors.class_hours import HourParts, changes, runs, union_gain
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import NONE, Ints, Trace

RULE = "lesson_order"
NEVER = np.iinfo(np.int64).max


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on sessions that played ahead in a professional course; evidence class S."""
    trace, parts = facts.trace, runs(facts.parts)
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
    trace, parts = facts.trace, facts.parts.of_case(case)
    media = int(trace.lessons["media_ms"][before])
    earlier = parts.where(parts.lesson == before)
    complete = _completion(earlier, facts.runs.stale_ms[earlier.part], media * share)
    ahead = parts.where((parts.lesson == lesson) & (parts.t0_ms < complete))
    early = _until(ahead, complete)
    if int(np.sum(early.p1_ms - early.p0_ms)) <= tolerance:
        return []
    locked = bool(trace.lessons["sequential_lock"][lesson])
    seen = _union(_until(earlier, int(ahead.t0_ms.min())))
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


def _completion(earlier: HourParts, stale: Ints, needed: float) -> int:
    """When the union of the parts can have reached `needed` ms of content, NEVER if it did not.

    What was told may be as old as the silence before it, and is given that benefit.
    """
    if _union(earlier) < needed:
        return int(NEVER)
    possible = replace(earlier, t0_ms=earlier.t0_ms - stale, t1_ms=earlier.t1_ms - stale)
    low, high = int(possible.t0_ms.min()), int(possible.t1_ms.max())
    while low < high:
        middle = (low + high) // 2
        if _union(_until(possible, middle)) >= needed:
            high = middle
        else:
            low = middle + 1
    return high


def _until(parts: HourParts, at_ms: int) -> HourParts:
    """What of the parts had been played by an absolute time."""
    begun = parts.where(parts.t0_ms < at_ms)
    share = np.minimum(at_ms - begun.t0_ms, begun.t1_ms - begun.t0_ms)
    content = begun.p1_ms - begun.p0_ms
    played = content * share // np.maximum(begun.t1_ms - begun.t0_ms, 1)
    return replace(begun, p1_ms=begun.p0_ms + played)


def _union(parts: HourParts) -> int:
    order = np.argsort(parts.p0_ms, kind="stable")
    one_run = np.zeros(len(order), np.bool_)
    one_run[:1] = True
    return int(union_gain(parts.p0_ms[order], parts.p1_ms[order], one_run).sum())
