"""A small county in rows: people who sign in, learners, sittings, and what was found on them.

Lin studies honestly. Wu plays four times too fast. Zhao and Sun review in Huangchuan's labour
office, Wei and Hu in the department in charge, Jin and Cai in the finance office, Qian in
Guangshan, Feng looks after the first platform, Root keeps the users. Written straight into the
tables, because the console is tested before anything that fills them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, insert, null
from sqlalchemy.types import TypeEngine

import models
from app.canonical import canonical
from app.domain.accounts import users
from app.domain.judging.timeline import Timeline
from app.store.review import cases
from models.base import Base
from tests.bodies import class_hour
from tests.console import stories
from tests.console.stories import MINUTE

NOW = 1_775_650_000_000  # 2026-04-08 20:06:40 in Shanghai
HERE, THERE = "潢川县", "光山县"
PASSWORD = "correct-horse-7"
HOSTILE = "<script>alert(1)</script>"
PACK = "huangchuan-2021-graded@1.0.0"


@dataclass
class County:
    """Ids of the rows that tests speak of, and the timelines of its sittings."""

    platforms: list[int] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    learners: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    snapshots: dict[str, int] = field(default_factory=dict)
    timelines: dict[int, Timeline] = field(default_factory=dict)


def add(connection: Connection, model: type[Base], **columns: Any) -> int:
    """Insert one row; what is not given is null, or empty where null is not allowed."""
    blank = {
        column.name: null() if column.nullable else _empty(model, column.key, column.type)
        for column in model.__table__.columns
        if not column.primary_key and column.computed is None
    }
    result = connection.execute(insert(model).values(**(blank | columns)))
    return int(result.inserted_primary_key[0])


def _empty(model: type[Base], name: str, kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, JSON):
        return [] if "Items" in str(model.__annotations__[name]) else {}
    return kind.python_type()


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
    for username, name, role, counties, platform, office in (
        ("zhao", "赵明", "auditor", [HERE], None, "labour"),
        ("sun", "孙丽", "reviewer", [HERE], None, "labour"),
        ("wei", "魏和", "auditor", [HERE], None, "industry"),
        ("hu", "胡静", "reviewer", [HERE], None, "industry"),
        ("jin", "金秋", "auditor", [HERE], None, "finance"),
        ("cai", "蔡文", "reviewer", [HERE], None, "finance"),
        ("qian", "钱卫", "auditor", [THERE], None, None),
        ("feng", "冯平", "platform_viewer", [], "yunke", None),
        ("luo", "罗分管", "chief", [HERE], None, None),
        ("root", "系统管理", "admin", [], None, None),
    ):
        users.add_user(
            connection,
            username=username,
            display_name=name,
            password=PASSWORD,
            role=role,
            counties=counties,
            platform=platform,
            office=office,
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
            category="农村转移就业劳动者",
        )


def _sittings(connection: Connection, county: County) -> None:
    open_sitting(connection, county, "honest", "林静", "HC-2026-014", "valid", stories.honest)
    open_sitting(connection, county, "fast", "吴强", "HC-2026-014", "invalid", stories.fast_forward)
    open_sitting(connection, county, "gap", HOSTILE, "HC-2026-014", "invalid", stories.popup_gap)
    open_sitting(
        connection,
        county,
        "other",
        "阿卜杜热合曼·买买提依明江·吾斯曼",
        "HC-2026-015",
        "pending_review",
        stories.other_person,
    )
    open_sitting(
        connection, county, "far", "何芳", "GS-2026-003", "not_proven", stories.two_windows
    )


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
    )
    county.sessions[key] = session_id
    session |= {
        "id": f"s-{key}",
        "learner": learner,
        "class": klass,
        "outcome": outcome,
        "standing": "pending_review" if outcome == "invalid" else outcome,  # findings are open
    }
    for it in told["findings"]:
        it["key"] = f"{key}-{it['rule']}"
        columns = finding_columns(
            it,
            age_ms=30 * MINUTE,
            platform_id=platform_id,
            class_id=class_id,
            learner_id=learner_id,
            session_id=session_id,
        )
        cases.file_under(connection, class_id, [columns], columns["created_ms"])
        it["id"] = add(connection, models.Finding, **columns)
        county.findings[f"{key}:{it['rule']}"] = it["id"]
        for void in told["voided"]:
            if void["rule"] == it["rule"]:
                void["finding"] = it["key"]
    for number, photo in enumerate(told["photos"]):
        photo["id"] = add(
            connection,
            models.Snapshot,
            session_id=session_id,
            external_id=f"p{number}",
            purpose=photo["purpose"],
            frame=0,
            received_ms=photo["t_ms"],
            sha256=sha256(f"{key}:{number}".encode()).digest(),
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
        body=b'{"played_ms":900000}',
        digest=bytes(range(32)),
        created_ms=session["closed_ms"] + 2000,
    )
    told["session"].setdefault("standing", told["session"]["outcome"])
    county.timelines[session_id] = msgspec.convert(told, Timeline)


def finding_columns(said: Mapping[str, Any], age_ms: int, **belongs: int | None) -> dict[str, Any]:
    return {
        "key": said["key"],
        "hour": 1,
        "rule": said["rule"],
        "reason": said["reason"],
        "outcome": said["outcome"],
        "fault": said["fault"],
        "evidence": said["evidence_class"],
        "needs_two_reviewers": said["rule"] == "face_liveness",
        "shadow": said["rule"] == "marathon",
        "start_ms": said["start_ms"],
        "end_ms": said["end_ms"],
        "body": dict(said),
        "pack": PACK,
        "status": "open",
        "created_ms": NOW - age_ms,
        "updated_ms": NOW - age_ms,
        **belongs,
    }


def crowd(connection: Connection, county: County, count: int) -> None:
    """Many findings of one class, to see how the queue bears it."""
    rules, outcomes = list(stories.QUOTES), ("violation", "review", "not_proven")
    rows = []
    for i in range(count):
        start = NOW - i * 1000
        said = stories.said(
            rules[i % len(rules)], outcomes[i % 3], start, start + MINUTE, 301.5, 300
        )
        rows.append(
            finding_columns(
                said,
                age_ms=i * 7 * MINUTE,
                platform_id=county.platforms[0],
                class_id=county.classes["HC-2026-014"],
                learner_id=county.learners["吴强"],
                session_id=None,
            )
        )
    cases.file_under(connection, county.classes["HC-2026-014"], rows, NOW)
    connection.execute(insert(models.Finding), rows)


def full_class(
    connection: Connection, county: County, learners: int, hours: int, where: str = HERE
) -> int:
    """A class as large as they get, every class-hour judged one way or another."""
    class_id = add(
        connection,
        models.TrainingClass,
        platform_id=county.platforms[0],
        external_id="HC-2026-020",
        institution="潢川县职业技术教育中心",
        occupation="养老护理员",
        county=where,
        controls="service",
        pack_id="huangchuan-2021-graded",
        pack_version="1.0.0",
        pack_digest="0" * 64,
        starts_on="2026-04-01",
        ends_on="2026-04-30",
        plan_digest=bytes(32),
        opened_ms=NOW,
    )
    county.classes["HC-2026-020"] = class_id
    for number in range(1, hours + 1):
        add(
            connection,
            models.ClassHour,
            class_id=class_id,
            course_version_id=1,
            number=number,
            media_ms=45 * MINUTE,
            pieces=[{"lesson_id": (number - 1) % 3 + 1, "start_ms": 0, "end_ms": 45 * MINUTE}],
        )
    codes = ["valid"] * 12 + ["invalid", "incomplete", "not_proven", "pending_review"]
    surnames, given = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗", "敏静丽强磊洋艳勇军杰"
    marks: list[dict[str, Any]] = []
    for i in range(learners):
        learner_id = add(
            connection,
            models.Learner,
            platform_id=county.platforms[0],
            external_id=f"f{i}",
            person_id=1,
            name=surnames[i % 20] + given[i % 10] + given[(i * 7) % 10],
            id_last4=f"{2000 + i}",
        )
        enrolment_id = add(connection, models.Enrolment, class_id=class_id, learner_id=learner_id)
        reached = hours - (i * 7) % 11
        for number in range(1, reached + 1):
            code = codes[(i * 5 + number * 3 + i * number) % len(codes)]
            share = 0.99 if code == "valid" else ((i + number) % 10) / 10
            marks.append(
                {
                    "subject_kind": "class_hour",
                    "subject_id": enrolment_id,
                    "hour": number,
                    "class_id": class_id,
                    "outcome": code,
                    "pack": PACK,
                    "pack_digest": "0" * 64,
                    "facts_digest": bytes(32),
                    "body": canonical(class_hour(outcome=code, coverage=share)),
                    "digest": bytes(32),
                    "created_ms": NOW,
                }
            )
        outcome = ("eligible", "pending", "ineligible")[i % 3]
        add(
            connection,
            models.Verdict,
            subject_kind="enrolment",
            subject_id=enrolment_id,
            hour=0,
            class_id=class_id,
            outcome=outcome,
            pack=PACK,
            pack_digest="0" * 64,
            facts_digest=bytes(32),
            digest=bytes(32),
            created_ms=NOW,
            body=b'{"played_ms":900000}',
        )
    if marks:
        connection.execute(insert(models.Verdict), marks)
    return class_id
