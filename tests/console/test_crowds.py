"""A case that several people share: who is in it, and where each of them meets it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

import models
from app.canonical import canonical
from app.domain.review import learner_link
from tests import bodies
from tests.console import county as rows
from tests.console import stories
from tests.console.conftest import Desk
from tests.console.county import NOW


@pytest.fixture
def case(desk: Desk) -> int:
    return crowd(desk, holds=True)


def crowd(desk: Desk, *, holds: bool, status: str = "open") -> int:
    """Copies among the sittings of 林静 and 吴强, as one finding on their class."""
    said = stories.said("collusion", "review", NOW - stories.MINUTE, NOW, 2, 6)
    said["unit"] = "count"
    with desk.services.database.write() as connection:
        accounts = dict(
            connection.execute(
                models.Learner.__table__.select().with_only_columns(
                    models.Learner.name, models.Learner.external_id
                )
            ).all()
        )
        columns = rows.finding_columns(
            said,
            age_ms=0,
            platform_id=desk.county.platforms[0],
            class_id=desk.county.classes["HC-2026-014"],
            learner_id=None,
            session_id=None,
        )
        columns["body"] |= {
            "scope": "class",
            "subject": "x",
            "holds": holds,
            "members": [
                {"learner_id": accounts["林静"], "sessions": ["s-honest"]},
                {"learner_id": accounts["吴强"], "sessions": ["s-fast"]},
            ],
        }
        return rows.add(connection, models.Finding, **columns | {"status": status})


def test_the_case_names_everybody_in_it_with_their_sittings(desk: Desk, case: int) -> None:
    page = desk.sign_in("zhao").get(f"/console/findings/{case}")
    members = page.partition('id="members"')[2]
    assert "林静" in members and "吴强" in members and "何芳" not in members
    for key in ("honest", "fast"):
        assert f'href="/console/sessions/{desk.county.sessions[key]}"' in members
    assert f"/learners/{desk.county.learners['林静']}" in members
    assert "决定之前，这些学习都待复核" in members
    assert "2人</dd>" in page and "两人之间6次</dd>" in page, "people, held against answers"


def test_a_sitting_that_waits_with_a_crowd_does_not_say_there_is_nothing(
    desk: Desk, case: int
) -> None:
    page = desk.sign_in("zhao").get(f"/console/sessions/{desk.county.sessions['honest']}")
    assert f"/console/findings/{case}" in page and "与其他学员共有的一案" in page
    assert "本次学习没有问题" not in page


def test_class_hour_and_learner_lead_to_the_case(desk: Desk, case: int) -> None:
    desk.sign_in("zhao")
    here = (
        f"/console/classes/{desk.county.classes['HC-2026-014']}"
        f"/learners/{desk.county.learners['林静']}"
    )
    assert f"/console/findings/{case}" in desk.get(here)
    assert f"/console/findings/{case}" in desk.get(f"{here}/hours/1")


def test_a_remark_on_the_platform_tells_that_it_costs_nobody_anything(desk: Desk) -> None:
    remark = crowd(desk, holds=False)
    desk.sign_in("zhao")
    assert "不影响这些学员的学时" in desk.get(f"/console/findings/{remark}")
    sitting = desk.get(f"/console/sessions/{desk.county.sessions['honest']}")
    assert "本次学习没有问题" in sitting


def test_the_learner_in_it_is_not_told_that_all_is_well(desk: Desk, case: int) -> None:
    klass, learner = desk.county.classes["HC-2026-014"], desk.county.learners["林静"]
    with desk.services.database.write() as connection:
        enrolment = connection.execute(
            select(models.Enrolment.id).where(models.Enrolment.learner_id == learner)
        ).scalar_one()
        rows.add(
            connection,
            models.Verdict,
            subject_kind="class_hour",
            subject_id=enrolment,
            hour=1,
            class_id=klass,
            outcome="pending_review",
            pack=rows.PACK,
            pack_digest="0" * 64,
            facts_digest=bytes(32),
            body=canonical(bodies.class_hour(outcome="pending_review")),
            digest=bytes(32),
            created_ms=NOW,
        )
        link = learner_link.issue(
            connection, desk.services.vault, klass, learner, actor="test", days=9, now_ms=NOW
        )
        rows.add(
            connection,
            models.Verdict,
            subject_kind="enrolment",
            subject_id=enrolment,
            hour=0,
            class_id=klass,
            outcome="ineligible",
            pack=rows.PACK,
            pack_digest="0" * 64,
            facts_digest=bytes(32),
            body=canonical(bodies.enrolment()),
            digest=bytes(32),
            created_ms=NOW,
        )
    page = desk.get(link.path)
    assert "几个人点弹窗的时间一样" in page and "这一案涉及好几个人" in page
    assert "人工复核中，还没有结论" in page and "到现在为止，您的学习都符合要求" not in page
    assert "目前还不能申请" not in page, "nobody is refused before people have decided"
    assert "吴强" not in page, "who else is in it is nobody's business"


def test_whoever_is_in_it_explains_themselves_and_reads_no_one_else_s_words(
    desk: Desk, case: int
) -> None:
    klass, paths = desk.county.classes["HC-2026-014"], {}
    with desk.services.database.write() as connection:
        for name in ("林静", "吴强", rows.HOSTILE):
            learner = desk.county.learners[name]
            paths[name] = learner_link.issue(
                connection, desk.services.vault, klass, learner, actor="test", days=9, now_ms=NOW
            ).path
    said: dict[str, Any] = {"finding": case, "statement": "我们两家各用各的手机，村干部可以证明。"}
    assert desk.client.post(f"{paths[rows.HOSTILE]}/appeals", data=said).status_code == 404
    assert said["statement"] in desk.client.post(f"{paths['林静']}/appeals", data=said).text
    assert "几个人点弹窗的时间一样" in desk.get(paths["吴强"])
    assert said["statement"] not in desk.get(paths["吴强"])
    seen = desk.sign_in("zhao").get(f"/console/findings/{case}")
    assert said["statement"] in seen and "学员本人（林静）" in seen
