"""Recorded acts: who may record what, when it is in force, and that nothing of it is hidden."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.canonical import canonical
from app.clock import day
from app.console import acts_page
from app.console.language import language
from app.domain.policy import packs
from app.simulation.entities import invented_id_number
from app.store.review import acts as store
from app.store.review.act_bodies import LessonLengthBody
from app.store.review.acts import JUDGING
from models import Act, AuditEntry, Enrolment, Learner, Run, TrainingClass, Verdict
from tests.bodies import enrolment
from tests.console.conftest import Desk
from tests.console.county import add


def class_of(desk: Desk) -> int:
    with desk.services.database.read() as connection:
        query = select(Enrolment.class_id).where(
            Enrolment.learner_id == desk.county.learners["吴强"]
        )
        return connection.scalars(query).one()


def page_of(desk: Desk) -> str:
    return f"/console/classes/{class_of(desk)}/acts"


def record(desk: Desk, **form: str):
    return desk.client.post(
        page_of(desk),
        data={"csrf": desk.csrf("/console"), "reason": "使用读屏软件，年龄较大"} | form,
    )


def learner_of(desk: Desk) -> str:
    with desk.services.database.read() as connection:
        return connection.scalars(
            select(Learner.external_id).where(Learner.id == desk.county.learners["吴强"])
        ).one()


def longer(desk: Desk, seconds: str = "180"):
    return record(desk, kind="answer_time", learner=learner_of(desk), answer_window_s=seconds)


def in_force(desk: Desk) -> list[str]:
    with desk.services.database.read() as connection:
        return [it.kind for it in store.in_force(connection, [class_of(desk)], JUDGING)]


def test_zhao_gives_a_learner_longer_and_it_stands_in_the_audit_log(desk: Desk) -> None:
    shown = longer(desk.sign_in("zhao")).text
    assert "延长弹窗应答时限" in shown and "180" in shown and "使用读屏软件" in shown
    assert in_force(desk) == ["answer_time"]
    with desk.services.database.read() as connection:
        entry = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        run = connection.execute(select(Run).order_by(Run.id.desc())).first()
    assert (entry.actor, entry.action) == ("user:zhao", "act.recorded")
    assert entry.detail["body"] == {"answer_window_s": 180}
    assert (run.class_id, run.state) == (class_of(desk), "queued")  # judged again


def test_what_is_out_of_bounds_is_refused_by_the_fields_name(desk: Desk) -> None:
    answer = longer(desk.sign_in("zhao"), "5")
    assert (
        answer.status_code == 422 and "没有登记：“应答时限（秒，60至600）”填写有误" in answer.text
    )
    assert 'value="5"' in answer.text and ">使用读屏软件，年龄较大</textarea>" in answer.text
    assert in_force(desk) == []


def test_a_refusal_says_in_chinese_what_is_wrong(desk: Desk) -> None:
    desk.sign_in("zhao")
    answer = record(desk, kind="left_class", learner=learner_of(desk), last_on="2039-01-01")
    assert answer.status_code == 422
    assert "在班最后一天不能晚于今天" in answer.text and 'value="2039-01-01"' in answer.text


def test_who_has_left_already_is_not_recorded_to_leave_again_and_it_is_said_why(
    desk: Desk,
) -> None:
    desk.sign_in("zhao")
    learner, today = learner_of(desk), day(desk.clock()).isoformat()
    record(desk, kind="left_class", learner=learner, last_on=today)
    again = record(desk, kind="left_class", learner=learner, last_on=today, reason="再登记一次")
    assert again.status_code == 422
    assert f"该学员{today}起已不在本班" in again.text and ">再登记一次</textarea>" in again.text


def test_who_comes_second_to_approve_or_revoke_is_told_that_somebody_did(desk: Desk) -> None:
    longer(desk.sign_in("zhao"))
    act = re.findall(r"/acts/\d+/revoke", desk.get(page_of(desk)))[0]
    form = {"csrf": desk.csrf("/console"), "reason": "登记有误，撤销"}
    klass = page_of(desk).removesuffix("/acts")
    approved = desk.client.post(f"{klass}{act.removesuffix('revoke')}approve", data=form)
    assert approved.status_code == 409 and "可能刚由他人批准" in approved.text
    desk.client.post(f"{klass}{act}", data=form)
    again = desk.client.post(f"{klass}{act}", data=form)
    assert again.status_code == 409 and "可能刚由他人撤销" in again.text


def test_a_return_that_was_overtaken_is_refused_in_words_with_the_way_back(desk: Desk) -> None:
    desk.sign_in("zhao")
    learner, today = learner_of(desk), day(desk.clock())
    back_on = (today + timedelta(days=2)).isoformat()
    record(desk, kind="left_class", learner=learner, last_on=today.isoformat())
    record(desk, kind="came_back", learner=learner, first_on=back_on)
    left = re.findall(r"/acts/(\d+)/revoke", desk.get(page_of(desk)))[-1]
    act = f"{page_of(desk)}/{left}/revoke"
    form = {"csrf": desk.csrf("/console"), "reason": "登记有误，撤销"}
    refused = desk.client.post(act, data=form, headers={"referer": f"http://testserver{act}"})
    assert refused.status_code == 409 and "请先撤销后来的登记" in refused.text
    assert f'href="{act}">回到刚才的页面' in refused.text


def test_the_same_act_sent_twice_is_one_that_can_be_revoked(desk: Desk) -> None:
    longer(desk.sign_in("zhao"))
    longer(desk)
    assert in_force(desk) == ["answer_time"]
    longer(desk, "240")
    assert in_force(desk) == ["answer_time", "answer_time"]


def test_the_class_that_somebody_goes_to_is_chosen_among_those_of_the_course(desk: Desk) -> None:
    here = class_of(desk)
    with desk.services.database.write() as connection:
        mine = connection.execute(select(TrainingClass).where(TrainingClass.id == here)).one()
        other = dict(mine._mapping) | {"external_id": "HC-2026-099"}
        add(connection, TrainingClass, **{it: other[it] for it in other if it != "id"})
        other |= {"external_id": "HC-2026-098", "terms": mine.terms | {"course_ids": ["another"]}}
        add(connection, TrainingClass, **{it: other[it] for it in other if it != "id"})
        learner = connection.scalars(
            select(Learner.external_id).where(Learner.id == desk.county.learners["吴强"])
        ).one()
    form = desk.sign_in("zhao").get(page_of(desk)).split('name="to_class"')[1].split("</select>")[0]
    assert "HC-2026-099" in form and "HC-2026-098" not in form
    moved = {"to_class": "HC-2026-099", "last_on": "2026-04-08"}
    answer = record(desk, kind="moved_class", learner=learner, **moved)
    assert "在原班最后一天：2026-04-08" in answer.text
    assert answer.status_code == 200, answer.text.split("alert")[1][:300]
    with desk.services.database.read() as connection:
        classes = select(Enrolment.class_id, Enrolment.ended_by).where(
            Enrolment.learner_id == desk.county.learners["吴强"]
        )
        rows = connection.execute(classes.order_by(Enrolment.id)).all()
        ended = {it.class_id: it.ended_by for it in rows}
    assert ended[here] == "moved" and len(ended) == 2


def test_who_it_is_about_has_to_be_chosen(desk: Desk) -> None:
    answer = record(desk.sign_in("zhao"), kind="answer_time", answer_window_s="180")
    assert answer.status_code == 422 and "没有登记：“学员”填写有误" in answer.text
    assert in_force(desk) == []


def test_lessons_and_documents_are_chosen_by_their_names(desk: Desk) -> None:
    page = desk.sign_in("zhao").get(page_of(desk))
    assert '<option value="l1">' in page or "托幼机构卫生保健</option>" in page
    assert '<option value="passport">护照</option>' in page


def test_a_platforms_word_waits_until_the_authority_approves_it(desk: Desk) -> None:
    values = {
        "kind": "lesson_length",
        "class_id": class_of(desk),
        "body": {"lesson_id": "l1", "media_seconds": 2500.0},
        "reason": "片长以实际为准",
        "document": "",
        "recorded_by": "key:1",
        "recorded_ms": 1,
    }
    with desk.services.database.write() as connection:
        act_id = store.add(connection, **values)
    assert in_force(desk) == []
    assert "待批准" in desk.sign_in("zhao").get(page_of(desk))
    desk.client.post(
        f"{page_of(desk)}/{act_id}/approve",
        data={"csrf": desk.csrf("/console"), "reason": "已与学员核对"},
    )
    assert in_force(desk) == ["lesson_length"]


def test_who_approves_or_revokes_reads_first_what_the_act_says(desk: Desk) -> None:
    record_as(desk, "user:zhao")
    desk.client.cookies.clear()
    page = desk.sign_in("sun").get(page_of(desk))
    (approve,) = re.findall(r"/console/classes/\d+/acts/\d+/approve", page)
    for address in (approve, approve.replace("approve", "revoke")):
        asked = desk.get(address)
        assert "实际时长（秒）：2500" in asked and "%(" not in asked


def test_a_check_that_was_decided_is_told_by_its_name() -> None:
    pack = packs.load("huangchuan-2021-graded")
    body = {"check": "B7", "decision": "grant"}
    assert acts_page.told(body, {}, pack, language("zh"))[0] == "检查项：B7 实操教学连续录像"


def lacks(desk: Desk, skipped: str):
    form = {"lesson_id": "l1", "media_seconds": "2700", "skipped": skipped}
    return record(desk, kind="lesson_length", **form)


def test_what_a_film_lacks_is_typed_as_a_player_shows_it(desk: Desk) -> None:
    shown = lacks(desk.sign_in("zhao"), "20:00-22:00，1800–1830.5").text
    assert "1200–1320、1800–1830.5" in shown
    with desk.services.database.read() as connection:
        (act,) = store.in_force(connection, [class_of(desk)], JUDGING)
    assert act.body["skipped"] == [[1200.0, 1320.0], [1800.0, 1830.5]]
    assert store.film_of(act.said(LessonLengthBody)).content_ms == 2_549_500


def test_a_film_that_lacks_nothing_says_nothing_of_it(desk: Desk) -> None:
    lacks(desk.sign_in("zhao"), "")
    with desk.services.database.read() as connection:
        (act,) = store.in_force(connection, [class_of(desk)], JUDGING)
    assert act.body == {"lesson_id": "l1", "media_seconds": 2700.0}


@pytest.mark.parametrize(
    "skipped",
    ["1320-1200", "100-200,150-300", "300-400,100-200", "2600-2700", "a-b", "1200", "5-5"],
)
def test_stretches_that_no_film_can_lack_are_refused(desk: Desk, skipped: str) -> None:
    answer = lacks(desk.sign_in("zhao"), skipped)
    assert answer.status_code == 422 and "没有登记：“片中没有的段落" in answer.text
    assert f'value="{skipped}"' in answer.text
    assert in_force(desk) == []


def test_a_revoked_act_is_over_and_stays_to_be_seen(desk: Desk) -> None:
    longer(desk.sign_in("zhao"))
    with desk.services.database.read() as connection:
        act_id = connection.scalars(select(Act.id)).one()
    form = {"csrf": desk.csrf("/console"), "reason": "学员已换设备，不再需要"}
    shown = desk.client.post(f"{page_of(desk)}/{act_id}/revoke", data=form).text
    assert in_force(desk) == []
    assert "已撤销" in shown and "学员已换设备" in shown


def test_a_corrected_number_stands_masked_until_somebody_else_approves_it(desk: Desk) -> None:
    number = invented_id_number(987)
    desk.sign_in("zhao")
    with desk.services.database.read() as connection:
        query = select(Learner.external_id).where(Learner.id == desk.county.learners["吴强"])
        learner = connection.scalars(query).one()
    form = {"name": "", "id_type": "居民身份证", "id_number": number}
    shown = record(desk, kind="identity_correction", learner=learner, **form).text
    assert "更正姓名或证件号码" in shown and "待批准" in shown
    assert number not in shown and f"**{number[-4:]}" in shown
    refused = record(desk, kind="identity_correction", learner=learner, id_number="12345")
    assert "没有登记：“证件号码”填写有误" in refused.text


FOURTH_TRAINING = {
    "check": "D1",
    "clause": {
        "key": "x/D1",
        "quote": "不超过3次",
        "instrument": "某办发〔2019〕50号",
        "article": "二",
    },
    "scope": "learner",
    "result": "needs_authority",
    "reason": "too_many_in_year",
    "found": "4",
    "said": "counted",
    "numbers": {"year": 2026, "count": 4},
    "reach": "L2",
    "curable": False,
    "next_on": None,
    "evidence": "history",
}


def a_fourth_training_waits(desk: Desk) -> str:
    """It is 吴强's; the public id."""
    learner_id, klass = desk.county.learners["吴强"], class_of(desk)
    with desk.services.database.write() as connection:
        query = select(Enrolment.id).where(Enrolment.learner_id == learner_id)
        add(
            connection,
            Verdict,
            subject_kind="enrolment",
            subject_id=connection.scalars(query).one(),
            hour=0,
            class_id=klass,
            outcome="pending",
            pack="huangchuan-2021-graded@1.0.0",
            pack_digest="0" * 64,
            facts_digest=bytes(32),
            digest=bytes(32),
            created_ms=1,
            body=canonical(enrolment(checks=[FOURTH_TRAINING])),
        )
        public = select(Learner.external_id).where(Learner.id == learner_id)
        return connection.scalars(public).one()


def test_what_is_left_to_the_authority_stands_first_and_is_decided_there(desk: Desk) -> None:
    learner = a_fourth_training_waits(desk)
    page = desk.sign_in("zhao").get(page_of(desk))
    assert "待主管部门认定" in page and "2026年第4次补贴性培训" in page
    link = f"?kind=learner_check_decided&amp;check=D1&amp;learner={learner}#record"
    assert link in page
    form = desk.get(page_of(desk) + link.replace("&amp;", "&").partition("#")[0])
    assert '<option value="D1" selected>' in form and "认定班级检查项" not in form
    shown = record(
        desk,
        kind="learner_check_decided",
        learner=learner,
        check="D1",
        decision="allowed",
        document="潢人社〔2026〕8号",
    ).text
    assert "决定：准予" in shown and "认定时的实有情况：4" in shown and "too_many" not in shown


def test_a_decision_names_its_paper(desk: Desk) -> None:
    learner = a_fourth_training_waits(desk.sign_in("zhao"))
    said = {"kind": "learner_check_decided", "check": "D1", "decision": "allowed"}
    answer = record(desk, learner=learner, **said)
    assert answer.status_code == 422 and "“依据文件”填写有误" in answer.text


def test_a_schools_clerk_records_a_check_in_person_that_waits_for_the_authority(
    han: Desk, new_desk: Callable[[], Desk]
) -> None:
    desk = han
    with desk.services.database.read() as connection:
        learner = connection.scalars(
            select(Learner.external_id).where(Learner.id == desk.county.learners["吴强"])
        ).one()
    checked = {
        "kind": "checked_in_person",
        "learner": learner,
        "class_hours": "2",
        "checked_on": "2026-03-03",
        "checked_by": "班主任周敏",
        "document": "核验登记表2026-07",
    }
    asked = f"?kind=checked_in_person&person={desk.county.learners['吴强']}&class_hours=2"
    form = han.get(page_of(desk) + asked)
    assert f'value="{learner}" selected' in form and 'name="class_hours" value="2"' in form
    shown = record(han, **checked).text
    assert "当面核验本人" in shown and "待批准" in shown and in_force(desk) == []
    assert "韩梅" in shown.split("当面核验本人")[1].split("</tr>")[0], "not the authority"
    zhao = new_desk().sign_in("zhao")
    assert 'title="待批准">1<' in zhao.get(page_of(desk).removesuffix("/acts"))
    approved = re.findall(r"/console/classes/\d+/acts/\d+/approve", zhao.get(page_of(desk)))
    zhao.client.post(approved[0], data={"csrf": zhao.csrf("/console"), "reason": "登记表已核对"})
    assert in_force(desk) == ["checked_in_person"]
    assert "/revoke" not in han.get(page_of(desk)), "what was approved only the authority ends"
    han.client.post(
        approved[0].replace("approve", "revoke"),
        data={"csrf": han.csrf("/console"), "reason": "登记有误，撤回"},
    )
    assert in_force(desk) == ["checked_in_person"]


def test_a_schools_clerk_records_nothing_else_that_the_authority_decides(han: Desk) -> None:
    assert longer(han).status_code == 403


def test_an_act_waits_on_the_overview_of_another_who_may_approve_it(desk: Desk) -> None:
    record_as(desk, "user:zhao")
    assert 'id="to-approve"' not in desk.sign_in("zhao").get("/console")
    desk.client.cookies.clear()
    waits = desk.sign_in("sun").get("/console").split('id="to-approve"')[1].split("</section>")[0]
    assert f'<a href="{page_of(desk)}">' in waits and "1项" in waits


def record_as(desk: Desk, actor: str) -> None:
    values = {
        "kind": "lesson_length",
        "class_id": class_of(desk),
        "body": {"lesson_id": "l1", "media_seconds": 2500.0},
        "reason": "片长以实际为准",
        "document": "",
        "recorded_by": actor,
        "recorded_ms": 1,
    }
    with desk.services.database.write() as connection:
        store.add(connection, **values)
