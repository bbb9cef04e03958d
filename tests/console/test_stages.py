"""A class from its application to the payment: whose turn it is, by when, and who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.accounts import calendar
from app.domain.review import stage_answer
from app.domain.review.stage_bodies import Claimed, body_of, in_future
from app.domain.review.stages import StageDeed, StepState
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.scope import AccessScope
from models import TrainingClass
from tests.console.conftest import Desk
from tests.console.offices import BEFORE_NOTICE, DAY_MS, FIELDS, Desks


@pytest.fixture
def office(desk: Desk) -> Desks:
    return Desks(desk)


def test_who_signed_first_cannot_sign_second(office: Desks) -> None:
    office.finish("opening_filed")
    office.does("zhao", "opening_industry")
    with pytest.raises(NotAllowed, match="somebody else"):
        office.does("zhao", "opening_industry", "second")
    office.does("sun", "opening_industry", "second")
    assert office.view("opening_industry").state is StepState.DONE


def test_a_step_is_signed_by_the_office_that_the_procedure_names(office: Desks) -> None:
    with pytest.raises(NotAllowed, match="department in charge"):
        office.does_as("zhao", "opening_filed", **FIELDS["opening_filed"])
    office.finish("opening_filed", "opening_industry")
    with pytest.raises(NotAllowed, match="labour office"):
        office.does_as("wei", "opening_labour")
    office.does_as("zhao", "opening_labour")
    with pytest.raises(NotAllowed, match="labour office"):
        office.does_as("cai", "opening_labour", "second")
    assert office.view("opening_labour").state is StepState.AWAITS_SECOND


def test_a_step_waits_for_those_before_it(office: Desks) -> None:
    with pytest.raises(Conflict):
        office.does("zhao", "opening_industry")
    with pytest.raises(Conflict):
        office.does("sun", "opening_filed", "second")
    assert office.view("payment").state is StepState.NOT_YET


def test_others_act_on_nothing(office: Desks) -> None:
    with pytest.raises(NotFound):
        office.does("qian", "opening_filed", **FIELDS["opening_filed"])
    with pytest.raises(NotAllowed):
        office.does("root", "opening_filed", **FIELDS["opening_filed"])


@pytest.mark.parametrize(
    ("step", "body", "field"),
    [
        ("opening_filed", {}, "filed_on"),
        ("opening_filed", {"filed_on": "2026-02-30"}, "filed_on"),
        ("opening_filed", {"filed_on": "2099-01-01"}, "filed_on"),
        ("nonsense", {}, "step"),
    ],
)
def test_what_is_wrong_is_refused_by_the_fields_name(
    office: Desks, step: str, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        office.does("zhao", step, **body)
    assert field in refused.value.detail and not office.view("opening_filed").first


def test_more_people_than_the_class_has_are_not_claimed_for(office: Desks) -> None:
    office.finish(*BEFORE_NOTICE[:6])
    with pytest.raises(BadInput, match="people: the class has"):
        office.does("zhao", "claim_filed", **FIELDS["claim_filed"] | {"people": 5000})


def test_no_claim_is_taken_in_while_a_code_on_its_form_is_wrong(office: Desks) -> None:
    office.finish(*BEFORE_NOTICE[:6])
    wrong = {"applicant": {"type": "enterprise", "name": "示例厂", "uscc": "91350100M000100Y44"}}
    with office.desk.services.database.write() as connection:
        connection.execute(update(TrainingClass).values(terms=wrong))
    assert "校验码不对" in office.desk.sign_in("zhao").get(page_of(office.desk))
    with pytest.raises(Conflict) as refused:
        office.does("zhao", "claim_filed", **FIELDS["claim_filed"])
    assert refused.value.code == "credit_code_wrong"


def test_the_department_has_ten_working_days_from_receipt(office: Desks) -> None:
    with office.desk.services.database.write() as connection:
        root = office.people["root"]
        for first, last, kind in (
            ("2026-04-14", "2026-04-16", "holiday"),
            ("2026-04-18", "", "works"),
        ):
            wanted = calendar.entry(first, last, kind, "节")
            calendar.enter(connection, root, wanted, "通知", office.clock())
    office.finish(*BEFORE_NOTICE[:7])
    due = office.view("claim_industry").due_on
    assert due == date(2026, 4, 24)  # the 22nd, but for three days off and one made up for
    office.clock.now_ms += 400 * DAY_MS
    ((klass, view),) = office.overdue()
    assert (klass.id, view.step.id, view.overdue) == (office.class_id, "claim_industry", True)
    assert office.overdue(AccessScope(("别处",))) == []
    office.finish("claim_industry")
    assert office.view("claim_industry").late and not office.view("claim_industry").overdue


def test_a_holiday_says_first_whose_last_day_it_moves(office: Desks) -> None:
    office.finish(*BEFORE_NOTICE[:7])
    due = office.view("claim_industry").due_on
    root = office.desk.sign_in("root")
    form = {"first": "2026-04-14", "last": "2026-04-15", "calendar_kind": "holiday", "name": "节"}
    form |= {"csrf": root.csrf("/console/calendar")}
    page = root.client.post("/console/calendar", data=form).text
    assert "其中2天由工作日变为不上班" in page and f"的最后一天：{due} → " in page
    assert office.view("claim_industry").due_on == due
    answer = root.client.post("/console/calendar", data=form | {"reason": "省里通知"})
    assert answer.status_code == 200
    moved = office.view("claim_industry").due_on
    assert f"的最后一天：{due} → {moved}" in page and moved > due


def test_a_class_of_which_nothing_was_recorded_is_not_overdue(office: Desks) -> None:
    office.clock.now_ms += 400 * DAY_MS
    assert office.overdue() == []


def test_a_notice_stands_three_working_days_and_until_objections_are_answered(
    office: Desks,
) -> None:
    office.finish(*BEFORE_NOTICE)
    today = office.today.isoformat()
    with pytest.raises(BadInput, match="to_on"):
        office.does("zhao", "publication", from_on=today, to_on=today, site="县人社局网站")
    office.publish()
    assert office.view("publication").state is StepState.RUNNING
    with pytest.raises(Conflict, match="not over"):
        office.does("sun", "publication", "second")
    objection = office.does(
        "sun",
        "publication",
        "objection",
        "名单中有人没有参加培训",
        received_on=today,
        raised_by="某人",
    )
    office.clock.now_ms += 7 * DAY_MS
    with pytest.raises(Conflict, match="not answered"):
        office.does("sun", "publication", "second")
    with pytest.raises(Conflict, match="no such objection"):
        office.does("sun", "publication", "answer", "已核实", objection=objection + 99)
    office.does("zhao", "publication", "answer", "已核实，确已参加", objection=objection)
    office.does("sun", "publication", "second")
    (told,) = office.view("publication").objections
    assert told.answer.remark == "已核实，确已参加"


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("assessment_filed", "filed_on"),
        ("assessment", "held_on"),
        ("claim_filed", "filed_on"),
        ("publication", "from_on"),
    ],
)
def test_no_step_lies_before_the_steps_and_the_class_that_it_rests_on(
    office: Desks, step: str, field: str
) -> None:
    before = list(BEFORE_NOTICE)
    office.finish(*before[: before.index(step) if step in before else len(before)])
    notice = {"to_on": "2026-04-30", "site": "县人社局网站"} if step == "publication" else {}
    body = FIELDS.get(step, {}) | notice | {field: "2026-01-05"}
    with pytest.raises(BadInput) as refused:
        office.does("zhao", step, **body)
    assert refused.value.code == "out_of_order" and refused.value.detail.startswith(field)


def test_nobody_objects_to_a_notice_before_it_hangs_out(office: Desks) -> None:
    office.finish(*BEFORE_NOTICE)
    office.publish()
    early = (office.today - timedelta(days=1)).isoformat()
    with pytest.raises(BadInput, match="received_on: not before"):
        office.does(
            "sun", "publication", "objection", "未参加", received_on=early, raised_by="某甲"
        )


def test_an_objection_that_is_sent_twice_is_one_to_be_answered(office: Desks) -> None:
    office.finish(*BEFORE_NOTICE)
    office.publish()
    objects: dict[str, Any] = {"received_on": office.today.isoformat(), "raised_by": "某甲"}
    office.does("sun", "publication", "objection", "有人未参加培训", **objects)
    with pytest.raises(Conflict, match="on record"):
        office.does("sun", "publication", "objection", "有人未参加培训", **objects)
    office.does("sun", "publication", "objection", "有人未参加考核", **objects)
    assert len(office.view("publication").objections) == 2


def test_a_step_is_returned_with_a_reason_unless_a_later_one_rests_on_it(office: Desks) -> None:
    office.finish("opening_filed", "opening_industry")
    with pytest.raises(Conflict, match="rests on"):
        office.does("sun", "opening_filed", "returned", "名册不全")
    with pytest.raises(BadInput, match="remark"):
        office.does("sun", "opening_industry", "returned", "不")
    office.does("sun", "opening_industry", "returned", "计划书缺页")
    view = office.view("opening_industry")
    assert (view.state, view.returned.remark) == (StepState.TO_DO, "计划书缺页")


def test_machines_are_told_the_steps_but_not_who_signed(office: Desks) -> None:
    office.finish("opening_filed")
    views = list(office.views().values())
    told = stage_answer.of("c", views, told_people=False)
    assert told.next == ["opening_industry"]
    assert told.steps[0].first_by is None and told.steps[0].first_ms == office.clock()
    assert stage_answer.of("c", views, told_people=True).steps[0].first_by == "user:wei"


def test_every_step_has_fields_of_its_own_or_an_opinion() -> None:
    assert body_of("claim_filed") is Claimed
    assert body_of("opening_industry").model_fields == {}
    claimed = Claimed.model_validate(FIELDS["claim_filed"])
    assert in_future(claimed, date(2026, 4, 7)) == "filed_on"
    assert in_future(claimed, date(2026, 4, 8)) is None
    assert set(StageDeed) == {"first", "second", "returned", "objection", "answer"}


def page_of(desk: Desk) -> str:
    with desk.services.database.read() as connection:
        return f"/console/classes/{connection.scalars(select(TrainingClass.id)).first()}/stages"


def now(desk: Desk, username: str) -> Desk:
    """Somebody else sits down at the browser."""
    desk.client.cookies.clear()
    return desk.sign_in(username)


def send(desk: Desk, **form: str):
    return desk.client.post(page_of(desk), data={"csrf": desk.csrf(page_of(desk))} | form)


def test_two_people_take_a_class_through_its_opening_in_the_browser(desk: Desk) -> None:
    refused = send(desk.sign_in("zhao"), step="opening_filed", deed="first", filed_on="2026-04-07")
    assert refused.status_code == 403 and "须由其他部门的账号办理" in refused.text
    assert "由行业主管部门的账号办理。" in desk.get(page_of(desk))
    now(desk, "wei")
    shown = send(desk, step="opening_filed", deed="first", filed_on="2026-04-07").text
    assert "已办结" in shown and "魏和" in shown
    shown = send(desk, step="opening_industry", deed="first", remark="同意").text
    assert "您已初审，须由另一人复核。" in shown
    refused = send(desk, step="opening_industry", deed="second", remark="同意")
    assert refused.status_code == 403 and "须由另一人复核" in refused.text
    now(desk, "hu")
    second = {"step": "opening_industry", "deed": "second", "remark": "同意"}
    shown = send(desk, **second, seen=first_shown(desk)).text
    assert "胡静" in shown
    assert "人社部门审核开班" in desk.get(page_of(desk).removesuffix("/stages"))


def first_shown(desk: Desk) -> str:
    """Which first signature the form of the second one is about."""
    found = re.search(r'name="seen" value="(\d+)"', desk.get(page_of(desk)))
    assert found
    return found[1]


def test_nobody_signs_second_what_was_signed_anew_since_they_saw_it(desk: Desk) -> None:
    now(desk, "wei")
    send(desk, step="opening_filed", deed="first", filed_on="2026-04-07")
    first = {"step": "opening_industry", "deed": "first"}
    send(desk, **first, remark="同意")
    now(desk, "hu")
    seen = first_shown(desk)
    now(desk, "wei")
    send(desk, step="opening_industry", deed="returned", remark="写错了，重办", seen=seen)
    send(desk, **first, remark="另一种意见")
    now(desk, "hu")
    second = {"step": "opening_industry", "deed": "second", "remark": "同意"}
    for stale in ({"seen": seen}, {}):
        refused = send(desk, **second, **stale)
        assert refused.status_code == 409 and "请刷新后再看" in refused.text
    assert "胡静" in send(desk, **second, seen=first_shown(desk)).text


def test_nobody_returns_what_was_signed_anew_or_second_since_they_saw_it(desk: Desk) -> None:
    now(desk, "wei")
    send(desk, step="opening_filed", deed="first", filed_on="2026-04-07")
    send(desk, step="opening_industry", deed="first", remark="同意")
    seen = first_shown(desk)
    now(desk, "hu")
    send(desk, step="opening_industry", deed="second", remark="同意", seen=seen)
    back = {"step": "opening_industry", "deed": "returned", "remark": "计划书缺页，请补"}
    for stale in ({"seen": seen}, {}):
        refused = send(desk, **back, **stale)
        assert refused.status_code == 409 and "请刷新后再看" in refused.text
        assert ">计划书缺页，请补</textarea>" in refused.text
    assert "已退回" in send(desk, **back, seen=first_shown(desk)).text


def test_a_form_that_is_wrong_keeps_what_was_typed_and_names_the_field(desk: Desk) -> None:
    desk.sign_in("wei")
    refused = send(
        desk, step="opening_filed", deed="first", filed_on="2027-01-01", remark="收件齐全"
    )
    assert refused.status_code == 422 and "受理日期：该日期还没有到" in refused.text
    assert ">收件齐全</textarea>" in refused.text and 'value="2027-01-01"' in refused.text


def test_a_platforms_viewer_sees_the_steps_without_forms_or_names(desk: Desk) -> None:
    send(desk.sign_in("wei"), step="opening_filed", deed="first", filed_on="2026-04-07")
    shown = now(desk, "feng").get(page_of(desk))
    assert "受理开班申请" in shown and "魏和" not in shown and "初审通过" not in shown


def test_overdue_steps_stand_on_the_overview(desk: Desk) -> None:
    send(desk.sign_in("wei"), step="opening_filed", deed="first", filed_on="2026-04-07")
    desk.clock.now_ms += 3 * DAY_MS
    shown = now(desk, "zhao").get("/console")
    assert "逾期未办的步骤" in shown and "行业主管部门审核开班" in shown


def test_each_office_is_told_on_its_overview_what_waits_for_it(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    office = Desks(desk)
    step = f"/console/classes/{office.class_id}/stages#"

    def waits_for(who: str) -> list[str]:
        page = new_desk().sign_in(who).get("/console")
        mine = page.split('id="steps"')[1].split("</section>")[0] if 'id="steps"' in page else ""
        return [it.split('"')[0] for it in mine.split(step)[1:]]

    assert (waits_for("wei"), waits_for("zhao")) == (["opening_filed"], [])
    office.finish("opening_filed")
    office.does("zhao", "opening_industry")
    assert (waits_for("wei"), waits_for("hu")) == ([], ["opening_industry"])  # Wei signed first
    office.does("sun", "opening_industry", "second")
    assert (waits_for("zhao"), waits_for("qian")) == (["opening_labour"], [])


def test_an_administrator_keeps_the_calendar_and_nobody_else(desk: Desk) -> None:
    holiday = {
        "first": "2026-10-01",
        "last": "2026-10-07",
        "calendar_kind": "holiday",
        "name": "国庆节",
    }
    desk.sign_in("root")
    assert "2026年还没有录入放假安排。" in desk.get("/console/calendar")
    csrf = {"csrf": desk.csrf("/console/calendar"), "reason": "国务院办公厅通知"}
    shown = desk.client.post("/console/calendar", data=csrf | holiday).text
    assert shown.count("国庆节") >= 7 and "2026年还没有录入" not in shown
    assert "2026年的放假安排还缺：清明节、劳动节、端午节、中秋节。" in shown
    year_s = {
        "year": "2027",
        "notice": "一、元旦：1月1日（周五）至3日（周日）放假。1月9日（周六）上班。",
    }
    weighed = desk.client.post("/console/calendar", data={"csrf": csrf["csrf"]} | year_s).text
    assert "2027-01-01至2027-01-03记为：放假（元旦）" in weighed and "2027-01-09记为：" in weighed
    assert "2027-01-09" in desk.client.post("/console/calendar", data=csrf | year_s).text
    other = desk.client.post("/console/calendar", data=csrf | year_s | {"year": "2028"})
    assert other.status_code == 422 and "2028-01-01 是周六" in other.text
    refused = desk.client.post("/console/calendar", data=csrf | holiday | {"last": "2026-09-01"})
    assert refused.status_code == 422 and "截止日期不得早于起始日期" in refused.text
    usual = {"first": "2026-10-07", "calendar_kind": "usual"}
    desk.client.post("/console/calendar", data=csrf | usual)
    with desk.services.database.read() as connection:
        kept = calendar.read(connection)
    assert not kept.works(date(2026, 10, 6)) and kept.works(date(2026, 10, 7))
    assert "更改工作日历" in desk.get("/console/audit")
    assert now(desk, "zhao").client.get("/console/calendar").status_code == 403
