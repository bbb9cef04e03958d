"""The people that tests are about.

Lin studies honestly. Wu cheats. Zhao audits Huangchuan (潢川县), Qian audits Guangshan (光山县).
Lin and Wu learn on Huangchuan's platform; Guangshan's has learners of its own. All are invented,
and so are their ID numbers: region 000000 was never given out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.clock import SHANGHAI
from app.db import Database
from app.domain.accounts import platforms
from app.domain.accounts.platforms import KeyScope, Platform

HUANGCHUAN, GUANGSHAN = "潢川县", "光山县"


class TestClock:
    """The server's clock, moved by hand."""

    __test__ = False

    def __init__(self) -> None:
        self.now_ms = instant("2026-03-02 09:00")

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, **period: float) -> None:
        """`advance(minutes=40)`: what `timedelta` takes."""
        self.now_ms += round(timedelta(**period).total_seconds() * 1000)


def instant(local: str) -> int:
    """Milliseconds of a moment written as people in Shanghai write it: `2026-03-02 09:00`."""
    return round(datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).timestamp() * 1000)


@dataclass(frozen=True)
class Tenant:
    """A platform and the secret of a key with every scope."""

    platform: Platform
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}


@dataclass(frozen=True)
class County:
    """Huangchuan's platform, where Lin and Wu learn, and Guangshan's, which is none of theirs."""

    huang: Tenant
    guang: Tenant

    @classmethod
    def found(cls, database: Database, clock: TestClock) -> County:
        with database.write() as connection:
            tenants = []
            for slug, name, county in (
                ("huang-edu", "潢川示例学习平台", HUANGCHUAN),
                ("guang-edu", "光山示例学习平台", GUANGSHAN),
            ):
                platform = platforms.add_platform(
                    connection, slug=slug, name=name, county=county, actor="system", now_ms=clock()
                )
                made = platforms.create_key(
                    connection,
                    platform.id,
                    label="tests",
                    scopes=list(KeyScope),
                    expires_ms=None,
                    actor="system",
                    now_ms=clock(),
                )
                tenants.append(Tenant(platform, made.secret))
        return cls(*tenants)


LIN: dict[str, Any] = {
    "learner_id": "lin",
    "name": "林小兰",
    "id_number": "000000198003060022",
    "employer": "示例制衣厂",
    "category": "企业职工",
    "real_name_verified": True,
    "consent": {"face": True, "at": "2026-02-20T10:00:00+08:00", "document": "consent-lin.pdf"},
}
WU: dict[str, Any] = {
    "learner_id": "wu",
    "name": "吴大伟",
    "id_number": "00000019810318003X",
    "employer": "示例制衣厂",
    "category": "企业职工",
    "real_name_verified": True,
    "consent": {"face": True, "at": "2026-02-20T10:05:00+08:00", "document": "consent-wu.pdf"},
}


def lesson(lesson_id: str, minutes: float, *, order: int, class_hours: int = 1) -> dict[str, Any]:
    return {
        "lesson_id": lesson_id,
        "order": order,
        "title": f"第{order}讲",
        "media_seconds": minutes * 60,
        "class_hours": class_hours,
    }


def course(
    course_id: str = "sewing", lessons: Sequence[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    """A professional course of two lessons, 45 and 90 minutes: three class-hours."""
    return {
        "course_id": course_id,
        "title": "缝纫工基础",
        "course_kind": "professional",
        "sequential_lock": True,
        "lessons": lessons or [lesson("l1", 45, order=1), lesson("l2", 90, order=2, class_hours=2)],
        **changes,
    }


def training_class(class_id: str = "c1", **changes: Any) -> dict[str, Any]:
    return {
        "class_id": class_id,
        "official_class_no": "HC2026-001",
        "institution": "潢川县示例培训学校",
        "occupation": "缝纫工",
        "level": "初级",
        "certificate_type": "培训合格证书",
        "mode": "online",
        "applicant": {"type": "enterprise", "name": "示例制衣厂", "uscc": "91410000000000000J"},
        "course_ids": ["sewing"],
        "starts_on": "2026-03-02",
        "ends_on": "2026-04-05",
        "teachers": 2,
        "policy_id": "huangchuan-2021-graded@1.1.0",
        "controls": "service",
        "assessment": {"planned_on": "2026-04-20", "applied_on": "2026-04-10", "mode": "offline"},
        **changes,
    }
