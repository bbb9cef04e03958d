"""A small county in rows: people who sign in, learners, sittings, and what was found on them.

Lin studies honestly. Wu plays four times too fast. Zhao and Sun review in Huangchuan, Qian in
Guangshan, Feng looks after the first platform, Root keeps the users. Written straight into the
tables, because the console is tested before anything that fills them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, Connection, insert, null
from sqlalchemy.types import TypeEngine

import models
from app.domain import users
from models.base import Base

NOW = 1_775_650_000_000  # 2026-04-08 20:06:40 in Shanghai
MINUTE = 60_000
HERE, THERE = "潢川县", "光山县"
PASSWORD = "correct-horse-7"
HOSTILE = "<script>alert(1)</script>"
PACK = "huangchuan-2021-graded@1.0.0"

QUOTES = {
    "fast_forward": "快进播放",
    "multi_window": "多窗口学习",
    "popup_gap": "连续5分钟内无弹窗管控",
    "face_liveness": "无法进行人脸活体比对",
    "lesson_order": "专业课程学习不按内容先后顺序设置管理",
    "photo_retention": "每课时无随机保留影像照片",
}


@dataclass
class County:
    """Ids of the rows that tests speak of, and the timelines of its sittings."""

    platforms: list[int] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    learners: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    snapshots: dict[str, int] = field(default_factory=dict)
    timelines: dict[int, dict[str, Any]] = field(default_factory=dict)


def add(connection: Connection, model: type[Base], **columns: Any) -> int:
    """Insert one row; what is not given is null, or empty where null is not allowed."""
    blank = {
        column.name: null() if column.nullable else _empty(column.type)
        for column in model.__table__.columns
        if not column.primary_key
    }
    result = connection.execute(insert(model).values(**(blank | columns)))
    return int(result.inserted_primary_key[0])


def _empty(kind: TypeEngine[Any]) -> Any:
    return {} if isinstance(kind, JSON) else kind.python_type()


def build(connection: Connection) -> County:
    county = County()
    _people(connection, county)
    _classes(connection, county)
    _sittings(connection, county)
    return county


def _people(connection: Connection, county: County) -> None:
    for slug, name, where in (("yunke", "云课在线", HERE), ("zhixue", "智学网校", THERE)):
        county.platforms.append(
            add(connection, models.Platform, slug=slug, name=name, county=where, created_ms=NOW)
        )
    for username, name, role, counties, platform in (
        ("zhao", "赵明", "auditor", [HERE], None),
        ("sun", "孙丽", "reviewer", [HERE], None),
        ("qian", "钱卫", "auditor", [THERE], None),
        ("feng", "冯平", "platform_viewer", [], "yunke"),
        ("root", "系统管理", "admin", [], None),
    ):
        users.add_user(
            connection,
            username=username,
            display_name=name,
            password=PASSWORD,
            role=role,
            counties=counties,
            platform=platform,
            actor="system",
            now_ms=NOW - 86_400_000,
        )


def _classes(connection: Connection, county: County) -> None:
    for name, platform, where, occupation in (
        ("HC-2026-014", 0, HERE, "保育员"),
        ("HC-2026-015", 0, HERE, "养老护理员（含失智老年人照护与居家适老化改造方向）"),
        ("GS-2026-003", 1, THERE, "中式面点师"),
    ):
        county.classes[name] = add(
            connection,
            models.TrainingClass,
            platform_id=county.platforms[platform],
            external_id=name,
            official_class_no=f"4115{name[-3:]}",
            institution=f"{where}阳光职业培训学校",
            occupation=occupation,
            county=where,
            controls="service",
            pack_id="huangchuan-2021-graded",
            pack_version="1.0.0",
            pack_digest="0" * 64,
            starts_on="2026-04-01",
            ends_on="2026-04-20",
            assessment_on="2026-04-28",
            terms={"teachers": 2},
            course_version_ids=[1],
            plan_digest=bytes(32),
            opened_ms=NOW - 7 * 86_400_000,
        )
    course = add(connection, models.Course, platform_id=county.platforms[0], external_id="C1")
    version = add(
        connection,
        models.CourseVersion,
        course_id=course,
        version=1,
        digest=bytes(32),
        title="婴幼儿照护",
        course_kind="professional",
        sequential_lock=True,
        created_ms=NOW,
    )
    for position in range(3):
        add(
            connection,
            models.Lesson,
            course_version_id=version,
            external_id=f"L{position + 1}",
            position=position,
            title=("托幼机构卫生保健", "婴幼儿喂养", "意外伤害的预防与处理")[position],
            media_ms=45 * MINUTE,
            class_hours=1,
        )
    for class_id in county.classes.values():
        for number in range(1, 4):
            add(
                connection,
                models.ClassHour,
                class_id=class_id,
                course_version_id=version,
                number=number,
                media_ms=45 * MINUTE,
                pieces=[{"lesson_id": number, "start_ms": 0, "end_ms": 45 * MINUTE}],
            )
    for name, klass in (
        ("林静", "HC-2026-014"),
        ("吴强", "HC-2026-014"),
        (HOSTILE, "HC-2026-014"),
        ("阿卜杜热合曼·买买提依明江·吾斯曼", "HC-2026-015"),
        ("何芳", "GS-2026-003"),
    ):
        person = add(connection, models.Person, id_hash=None)
        platform = county.platforms[1 if klass.startswith("GS") else 0]
        learner = add(
            connection,
            models.Learner,
            platform_id=platform,
            external_id=f"u{person}",
            person_id=person,
            name=name,
            id_last4=f"{1000 + person}",
            real_name_verified=True,
            face_consent=True,
            created_ms=NOW,
        )
        county.learners[name] = learner
        add(
            connection,
            models.Enrolment,
            class_id=county.classes[klass],
            learner_id=learner,
            enrolled_ms=NOW,
            popup_ms=0,
            category="农村转移就业劳动者",
        )


def _sittings(connection: Connection, county: County) -> None:
    open_sitting(connection, county, "honest", "林静", "HC-2026-014", "valid", honest)
    open_sitting(connection, county, "fast", "吴强", "HC-2026-014", "invalid", fast_forward)
    open_sitting(connection, county, "gap", HOSTILE, "HC-2026-014", "invalid", popup_gap)
    open_sitting(
        connection,
        county,
        "other",
        "阿卜杜热合曼·买买提依明江·吾斯曼",
        "HC-2026-015",
        "pending_review",
        other_person,
    )
    open_sitting(connection, county, "far", "何芳", "GS-2026-003", "not_proven", two_windows)


def open_sitting(
    connection: Connection,
    county: County,
    key: str,
    learner: str,
    klass: str,
    outcome: str,
    story: Any,
) -> None:
    """One sitting, its findings and verdict as rows, and the timeline that goes with them."""
    told = story(NOW - 90 * MINUTE)
    class_id, learner_id = county.classes[klass], county.learners[learner]
    platform_id = county.platforms[1 if klass.startswith("GS") else 0]
    session = told["session"]
    session_id = add(
        connection,
        models.Session,
        platform_id=platform_id,
        external_id=f"s-{key}",
        class_id=class_id,
        learner_id=learner_id,
        person_id=learner_id,
        lesson_id=1,
        device_id=f"device-{key}",
        window_id="w1",
        client={"user_agent": "Mozilla/5.0 Edge"},
        provenance="live",
        state="closed",
        close_reason="ended",
        opened_ms=session["opened_ms"],
        last_recv_ms=session["closed_ms"],
        closed_ms=session["closed_ms"],
        resume_ms=0,
        chain=bytes(range(32)),
        batch_count=12,
        event_count=len(told["samples"]),
        next_seq=300,
        seq_conflict=False,
        learning_ms=0,
        play_pos_ms=0,
        play_recv_ms=0,
    )
    county.sessions[key] = session_id
    session |= {
        "id": session_id,
        "learner": learner,
        "lesson": "托幼机构卫生保健",
        "class": klass,
        "outcome": outcome,
    }
    for it in told["findings"]:
        it["id"] = add_finding(
            connection,
            county,
            platform_id=platform_id,
            class_id=class_id,
            learner_id=learner_id,
            session_id=session_id,
            said=it,
        )
        county.findings[f"{key}:{it['rule']}"] = it["id"]
        for void in told["voided"]:
            if void["rule"] == it["rule"]:
                void["finding"] = it["id"]
    for number, photo in enumerate(told["photos"]):
        photo["id"] = add(
            connection,
            models.Snapshot,
            session_id=session_id,
            external_id=f"p{number}",
            purpose=photo["purpose"],
            frame=0,
            received_ms=photo["t_ms"],
            sha256=bytes(32),
            media_type="image/jpeg",
            size=1,
            status="done",
            attempts=1,
            check=1,
        )
        county.snapshots[f"{key}:{number}"] = photo["id"]
    add(
        connection,
        models.Verdict,
        subject_kind="session",
        subject_id=session_id,
        hour=0,
        class_id=class_id,
        outcome=outcome,
        pack=PACK,
        pack_digest="0" * 64,
        facts_digest=bytes(32),
        body=b"{}",
        digest=bytes(range(32)),
        created_ms=session["closed_ms"] + 2000,
    )
    county.timelines[session_id] = told


def add_finding(
    connection: Connection,
    county: County,
    *,
    platform_id: int,
    class_id: int,
    learner_id: int | None,
    session_id: int | None,
    said: Mapping[str, Any],
    age_ms: int = 30 * MINUTE,
) -> int:
    return add(
        connection,
        models.Finding,
        key=f"k{class_id}-{session_id}-{said['rule']}-{said['start_ms']}",
        platform_id=platform_id,
        class_id=class_id,
        learner_id=learner_id,
        session_id=session_id,
        hour=1,
        rule=said["rule"],
        reason=said["reason"],
        outcome=said["outcome"],
        fault=said["fault"],
        evidence=said["evidence"],
        needs_two_reviewers=said["rule"] == "face_liveness",
        shadow=said["rule"] == "marathon",
        start_ms=said["start_ms"],
        end_ms=said["end_ms"],
        body=dict(said),
        pack=PACK,
        status="open",
        created_ms=NOW - age_ms,
        updated_ms=NOW - age_ms,
    )


def crowd(connection: Connection, county: County, count: int) -> None:
    """Many findings of one class, to see how the queue bears it."""
    rules, outcomes = list(QUOTES), ("violation", "review", "not_proven")
    for i in range(count):
        rule = rules[i % len(rules)]
        said = _said(rule, outcomes[i % 3], NOW - i * 1000, NOW - i * 1000 + MINUTE, 301.5, 300)
        add_finding(
            connection,
            county,
            platform_id=county.platforms[0],
            class_id=county.classes["HC-2026-014"],
            learner_id=county.learners["吴强"],
            session_id=county.sessions["fast"],
            said=said,
            age_ms=i * MINUTE,
        )


# ------------------------------------------------------------------------------------ timelines


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
    told["voided"] = [{"t0_ms": t0 + 300_000, "t1_ms": end, "rule": "fast_forward", "finding": 0}]
    told["controls"] = [
        _popup(t0 + 230_000, 3000),
        _popup(t0 + 520_000, None),
        _popup(t0 + 600_000, None),
    ]
    told["controls"][2] |= {"shown_ms": None}
    told["photos"] = [_photo(t0 + 4000, "match"), _photo(t0 + 450_000, "low_quality")]
    told["findings"] = [
        _said(
            "fast_forward",
            "violation",
            t0 + 300_000,
            end,
            4.0,
            1.02,
            "ratio",
            "20:41:40至20:51:40，内容前进40分00秒，服务器只过了10分00秒，播放速度约4倍，该段不计学时。",
        ),
        _said(
            "popup_gap",
            "violation",
            t0 + 300_000,
            end,
            605,
            300,
            "s",
            "20:40:34至20:51:40连续605秒无有效弹窗应答，超过300秒。",
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
        {"t0_ms": t0 + 520_000, "t1_ms": t0 + 1_240_000, "rule": "popup_gap", "finding": 0}
    ]
    told["controls"] = [
        _popup(t0 + 220_000, 2500),
        _popup(t0 + 515_000, None),
        _popup(t0 + 1_240_000, 6000),
    ]
    told["findings"] = [
        _said(
            "popup_gap",
            "violation",
            t0 + 520_000,
            t0 + 1_240_000,
            720,
            300,
            "s",
            "19:45:20至19:57:20连续720秒无弹窗管控，超过300秒。",
        )
    ]
    return told


def other_person(t0: int) -> dict[str, Any]:
    told = honest(t0)
    told["photos"][1] |= {"check": "mismatch", "score": 0.81, "limit": 0.6}
    told["photos"][2] |= {"check": "mismatch", "score": 0.79, "limit": 0.6}
    told["voided"] = [
        {"t0_ms": t0 + 5_000, "t1_ms": t0 + 2_100_000, "rule": "face_liveness", "finding": 0}
    ]
    told["credited"] = [[1_900_000, 2_690_000, t0 + 2_100_000, t0 + 2_890_000]]
    told["findings"] = [
        _said(
            "face_liveness",
            "review",
            t0 + 5_000,
            t0 + 2_100_000,
            0.81,
            0.6,
            "distance",
            "19:36与19:59两次随机抓拍与登记照片距离0.81，超过阈值0.60，须两人复核是否为本人。",
        )
    ]
    return told


def two_windows(t0: int) -> dict[str, Any]:
    samples = [[t0 + i * 10_000, i * 10_000, 1] for i in range(60)]
    told = _told(t0, t0 + 600_000, samples)
    told["credited"] = [[0, 200_000, t0, t0 + 200_000]]
    told["voided"] = [
        {"t0_ms": t0 + 200_000, "t1_ms": t0 + 590_000, "rule": "multi_window", "finding": 0}
    ]
    told["findings"] = [
        _said(
            "multi_window",
            "violation",
            t0 + 200_000,
            t0 + 590_000,
            390,
            10,
            "s",
            "与另一窗口同时计时390秒，超过10秒。",
        ),
        _said("marathon", "review", t0, t0 + 590_000, 11, 10, "h", "当日有效学习11小时。"),
    ]
    return told


def _told(t0: int, t1: int, samples: list[list[int]]) -> dict[str, Any]:
    session = {
        "opened_ms": t0,
        "closed_ms": t1,
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
        "flags": ["service"],
        "source": "service",
    }


def _photo(at: int, check: str) -> dict[str, Any]:
    return {
        "id": 0,
        "t_ms": at,
        "purpose": "random",
        "check": check,
        "score": 0.38,
        "limit": 0.6,
        "flags": ["bound", "random_time", "kept"],
    }


def _said(
    rule: str,
    outcome: str,
    start: int,
    end: int,
    measured: float,
    limit: float,
    unit: str = "s",
    sentence: str = "测试用事实描述。",
) -> dict[str, Any]:
    return {
        "rule": rule,
        "outcome": outcome,
        "fault": "learner",
        "evidence": "S",
        "reason": "test",
        "start_ms": start,
        "end_ms": end,
        "measured": measured,
        "limit": limit,
        "unit": unit,
        "sentence": sentence,
        "status": "open",
        "clause": {
            "key": f"huangchuan-2021/{rule}",
            "quote": QUOTES.get(rule, "以虚假培训等套取、骗取资金"),
            "instrument": "潢技领办〔2021〕1号 二（四）21(2)",
        },
    }


def full_class(connection: Connection, county: County, learners: int, hours: int) -> int:
    """A class as large as they get, every class-hour judged one way or another."""
    class_id = add(
        connection, models.TrainingClass, platform_id=county.platforms[0], external_id="HC-2026-020",
        institution="潢川县职业技术教育中心", occupation="养老护理员", county=HERE,
        controls="service", pack_id="huangchuan-2021-graded", pack_version="1.0.0",
        pack_digest="0" * 64, starts_on="2026-04-01", ends_on="2026-04-30", plan_digest=bytes(32),
        opened_ms=NOW,
    )
    county.classes["HC-2026-020"] = class_id
    for number in range(1, hours + 1):
        add(connection, models.ClassHour, class_id=class_id, course_version_id=1, number=number,
            media_ms=45 * MINUTE)
    codes = ["valid"] * 12 + ["invalid", "incomplete", "not_proven", "pending_review"]
    surnames, given = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗", "敏静丽强磊洋艳勇军杰"
    for i in range(learners):
        learner_id = add(
            connection, models.Learner, platform_id=county.platforms[0], external_id=f"f{i}",
            person_id=1, name=surnames[i % 20] + given[i % 10] + given[(i * 7) % 10],
            id_last4=f"{2000 + i}",
        )
        enrolment_id = add(connection, models.Enrolment, class_id=class_id, learner_id=learner_id)
        reached = hours - (i * 7) % 11
        for number in range(1, reached + 1):
            code = codes[(i * 5 + number * 3 + i * number) % len(codes)]
            share = 0.99 if code == "valid" else ((i + number) % 10) / 10
            add(
                connection, models.Verdict, subject_kind="class_hour", subject_id=enrolment_id,
                hour=number, class_id=class_id, outcome=code, pack=PACK, pack_digest="0" * 64,
                facts_digest=bytes(32), digest=bytes(32), created_ms=NOW,
                body=json.dumps({"coverage": share}).encode(),
            )
        outcome = ("eligible", "pending", "ineligible")[i % 3]
        add(
            connection, models.Verdict, subject_kind="enrolment", subject_id=enrolment_id, hour=0,
            class_id=class_id, outcome=outcome, pack=PACK, pack_digest="0" * 64,
            facts_digest=bytes(32), digest=bytes(32), created_ms=NOW, body=b"{}",
        )
    return class_id
