"""What happened in the county's sittings, as documents of timelines (`Timeline` in
app.domain.judging.timeline)."""

from __future__ import annotations

from typing import Any

from app.domain.judging import wording
from app.store.bodies import document
from tests.bodies import finding

MINUTE = 60_000

REASONS = {  # one that each rule gives
    "fast_forward": "outran",
    "multi_window": "overlap",
    "popup_gap": "ignored",
    "face_liveness": "other_person",
    "lesson_order": "ahead_of_order",
    "photo_retention": "photo_not_taken",
    "forged_telemetry": "forged_answer",
    "photo_reuse": "identical_bytes",
    "collusion": "answers_coincide",
    "marathon": "long_day",
}

QUOTES = {
    "fast_forward": "快进播放",
    "multi_window": "多窗口学习",
    "popup_gap": "连续5分钟内无弹窗管控",
    "face_liveness": "无法进行人脸活体比对",
    "lesson_order": "专业课程学习不按内容先后顺序设置管理",
    "photo_retention": "每课时无随机保留影像照片",
}


def honest(t0: int) -> dict[str, Any]:
    """45 minutes as they should be, with one look away and a pause."""
    samples, t, pos = [], t0, 0
    for beat in range(290):
        hidden = 100 <= beat < 108
        paused = hidden or 180 <= beat < 192
        samples.append([t, pos, 0 if hidden else 1])
        t += 10_000
        pos += 0 if paused else 10_000
    pos = min(pos, 45 * MINUTE)
    told = _told(t0, t, samples)
    told["credited"] = [
        [0, 1_000_000, t0, t0 + 1_000_000],
        [1_000_000, 1_720_000, t0 + 1_080_000, t0 + 1_800_000],
        [1_720_000, 2_690_000, t0 + 1_920_000, t0 + 2_890_000],
    ]
    told["controls"] = [_popup(t0 + i * 240_000, 4000) for i in range(1, 12)]
    told["photos"] = [_photo(t0 + at, "match") for at in (5_000, 700_000, 2_100_000)]
    told["photos"][0]["purpose"] = "start"
    return told


def fast_forward(t0: int) -> dict[str, Any]:
    """Normal for five minutes, then four times too fast."""
    samples = [[t0 + i * 10_000, i * 10_000, 1] for i in range(31)]
    samples += [[t0 + 300_000 + i * 2500, 300_000 + i * 10_000, 1] for i in range(1, 241)]
    end = samples[-1][0]
    told = _told(t0, end + 5000, samples)
    told["credited"] = [[0, 300_000, t0, t0 + 300_000]]
    told["voided"] = [{"t0_ms": t0 + 300_000, "t1_ms": end, "rule": "fast_forward", "finding": ""}]
    told["controls"] = [
        _popup(t0 + 230_000, 3000),
        _popup(t0 + 520_000, None),
        _popup(t0 + 600_000, None),
    ]
    told["controls"][2] |= {"shown_ms": None}
    told["photos"] = [_photo(t0 + 4000, "match"), _photo(t0 + 450_000, "low_quality")]
    told["findings"] = [
        said(
            "fast_forward",
            "violation",
            t0 + 300_000,
            end,
            2400,
            600,
            "s",
        ),
        said(
            "popup_gap",
            "violation",
            t0 + 300_000,
            end,
            605,
            300,
            "s",
        ),
    ]
    return told


def popup_gap(t0: int) -> dict[str, Any]:
    samples = [[t0 + i * 10_000, i * 10_000, 1] for i in range(150)]
    told = _told(t0, t0 + 1_495_000, samples)
    told["credited"] = [
        [0, 520_000, t0, t0 + 520_000],
        [1_240_000, 1_490_000, t0 + 1_240_000, t0 + 1_490_000],
    ]
    told["voided"] = [
        {"t0_ms": t0 + 520_000, "t1_ms": t0 + 1_240_000, "rule": "popup_gap", "finding": ""}
    ]
    told["controls"] = [
        _popup(t0 + 220_000, 2500),
        _popup(t0 + 515_000, None),
        _popup(t0 + 1_240_000, 6000),
    ]
    told["findings"] = [
        said(
            "popup_gap",
            "violation",
            t0 + 520_000,
            t0 + 1_240_000,
            720,
            300,
            "s",
        )
    ]
    return told


def other_person(t0: int) -> dict[str, Any]:
    told = honest(t0)
    told["photos"][1] |= {"check": "mismatch", "score": 0.81, "limit": 0.6}
    told["photos"][2] |= {"check": "mismatch", "score": 0.79, "limit": 0.6}
    told["voided"] = [
        {"t0_ms": t0 + 5_000, "t1_ms": t0 + 2_100_000, "rule": "face_liveness", "finding": ""}
    ]
    told["credited"] = [[1_900_000, 2_690_000, t0 + 2_100_000, t0 + 2_890_000]]
    told["findings"] = [
        said(
            "face_liveness",
            "review",
            t0 + 5_000,
            t0 + 2_100_000,
            0.81,
            0.6,
            "distance",
        )
    ]
    return told


def two_windows(t0: int) -> dict[str, Any]:
    samples = [[t0 + i * 10_000, i * 10_000, 1] for i in range(60)]
    told = _told(t0, t0 + 600_000, samples)
    told["credited"] = [[0, 200_000, t0, t0 + 200_000]]
    told["voided"] = [
        {"t0_ms": t0 + 200_000, "t1_ms": t0 + 590_000, "rule": "multi_window", "finding": ""}
    ]
    told["findings"] = [
        said(
            "multi_window",
            "violation",
            t0 + 200_000,
            t0 + 590_000,
            390,
            10,
            "s",
        ),
        said("marathon", "review", t0, t0 + 590_000, 11, 10, "h"),
    ]
    return told


def _told(t0: int, t1: int, samples: list[list[int]]) -> dict[str, Any]:
    session = {
        "id": "s",
        "learner": "l",
        "lesson": "l1",
        "lesson_title": "托幼机构卫生保健",
        "class": "c1",
        "resume_ms": 0,
        "outcome": "valid",
        "standing": "valid",
        "opened_ms": t0,
        "closed_ms": t1,
        "ended_ms": t1,
        "state": "closed",
        "provenance": "live",
        "media_ms": 45 * MINUTE,
    }
    return {
        "session": session,
        "samples": samples,
        "credited": [],
        "voided": [],
        "controls": [],
        "photos": [],
        "findings": [],
        "notes": [],
        "breaks": [],
    }


def _popup(at: int, answered_after: int | None) -> dict[str, Any]:
    return {
        "kind": "popup",
        "issued_ms": at - 15_000,
        "due_ms": at,
        "shown_ms": at + 300,
        "answered_ms": None if answered_after is None else at + answered_after,
        "expired_ms": at + 60_000 if answered_after is None else None,
        "latency_ms": answered_after,
        "flags": ["service"],
        "source": "service",
    }


def _photo(at: int, check: str) -> dict[str, Any]:
    return {
        "id": 0,
        "snapshot_id": "p",
        "t_ms": at,
        "purpose": "random",
        "check": check,
        "score": 0.38,
        "limit": 0.6,
        "flags": ["bound", "random_time", "kept"],
    }


def said(
    rule: str,
    outcome: str,
    start: int,
    end: int,
    measured: float,
    limit: float,
    unit: str = "s",
) -> dict[str, Any]:
    body = finding(
        key=f"{rule}-{start}",
        rule=rule,
        outcome=outcome,
        reason=REASONS[rule],
        start_ms=start,
        end_ms=end,
        measured=measured,
        limit=limit,
        unit=unit,
        clause={
            "key": f"huangchuan-2021/{rule}",
            "quote": QUOTES.get(rule, "以虚假培训等套取、骗取资金"),
            "instrument": "潢技领办〔2021〕1号",
            "article": "二（四）21(2)",
        },
    )
    return document(wording.finding(body)) | {"id": None, "status": "open"}
