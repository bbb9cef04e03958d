"""A school's clerk with an Excel file and a browser: a class of thirty, from nothing to its first
sitting. And what the forms on the way refuse."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.console.login import COOKIE
from app.domain.accounts import platforms, users
from app.domain.catalogue import institutions
from app.domain.catalogue.courses import MAX_LESSONS
from app.domain.catalogue.institutions import CountyTerms, InstitutionTerms
from app.services import Services
from app.simulation.entities import invented_id_number
from models import AuditEntry, Platform, TrainingClass
from tests.console.conftest import Clock
from tests.domain.catalogue.test_tables import book
from tests.people import HUANGCHUAN, instant

PASSWORD = "a-quiet-river-in-henan"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
SEALED = re.compile(r'name="sealed" value="([^"]+)"')
SECRET = re.compile(r'<code class="secret break">([^<]+)</code>')
LESSONS: list[list[Any]] = [
    ["缝纫工线上课程目录"],
    ["序号", "章节名称", "视频时长", "学时"],
    *([n, f"第{n}讲　缝纫基础", "45:00", 1] for n in range(1, 11)),
    ["合计", None, None, 10],
]
ROSTER: list[list[Any]] = [
    ["2026年第17期缝纫工培训班学员花名册"],
    ["序号", "姓名", "身份证号", "工作单位", "人员类别", "是否同意人脸识别", "签署日期"],
    *(
        [n, f"学员{n:02}", invented_id_number(200 + n), "示例厂", "企业职工", "是", "2026-03-01"]
        for n in range(1, 31)
    ),
]


class Clerk:
    """A signed-in person who fills in forms as they stand on the page."""

    def __init__(self, client: TestClient, services: Services, username: str) -> None:
        self.client, self.services = client, services
        with services.database.write() as connection:
            user = users.named(connection, username)
            token = users.open_login(connection, user, services.clock())
        self.headers = {"cookie": f"{COOKIE}={token}"}
        self.setup = ""

    def get(self, path: str) -> str:
        self.client.cookies.clear()
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def send(self, path: str, files: Any = None, page: str = "", **form: Any) -> Any:
        found = CSRF.search(self.get(page or "/console"))
        assert found
        self.client.cookies.clear()
        return self.client.post(
            path,
            data={"csrf": found[1], **form},
            files=files,
            headers=self.headers,
            follow_redirects=False,
        )

    def done(self, path: str, **form: Any) -> str:
        """Send a form that is accepted; where it leads on to."""
        answer = self.send(path, **form)
        assert answer.status_code == 303, (
            path,
            re.findall(r'role="alert"[^>]*>([^<]+)', answer.text),
        )
        return str(answer.headers["location"])


@pytest.fixture
def clerk(client: TestClient, services: Services, clock: Clock) -> Clerk:
    """Han of 阳光职业培训学校, whose county has a platform of another school."""
    clock.now_ms = instant("2026-03-02 09:00")
    by: dict[str, Any] = {"actor": "system", "now_ms": clock()}
    with services.database.write() as connection:
        institutions.add_county(connection, CountyTerms(name=HUANGCHUAN, code="411526"), **by)
        schools = [
            institutions.list_institution(
                connection, HUANGCHUAN, InstitutionTerms(code=code, name=name), **by
            )
            for code, name in (("52411526", "阳光职业培训学校"), ("52411527", "月光职业培训学校"))
        ]
        platforms.own_platform(connection, schools[1], "月光", HUANGCHUAN, **by)
        for username, role, school, counties in (
            ("han", "school", schools[0], []),
            ("tang", "school", schools[1], []),
            ("zhao", "auditor", None, [HUANGCHUAN]),
        ):
            users.add_user(
                connection,
                username=username,
                display_name=username,
                password=PASSWORD,
                role=role,
                counties=counties,
                institution=school,
                **by,
            )
    return Clerk(client, services, "han")


def to_course(clerk: Clerk) -> str:
    """Begin, on a platform of the school's own, with the lessons of a table; the setup's page."""
    page = clerk.done("/console/setups")
    assert "本校自己的平台（新建）" in clerk.get(page) and "月光自有平台" not in clerk.get(page)
    assert clerk.done(f"{page}/platform", platform="own") == page
    found = re.search(r'href="(/console/courses/new[^"]+)"', clerk.get(page))
    assert found
    form = fields(clerk.get(found[1].replace("&amp;", "&")))
    read = clerk.send(
        "/console/courses/read", files={"file": ("课程.xlsx", book(("目录", LESSONS)))}, **form
    )
    assert "读入10个小节" in read.text
    assert clerk.done("/console/courses", **fields(read.text) | {"title": "缝纫工线上课程"}) == page
    return page


def file(rows: list[list[Any]]) -> dict[str, tuple[str, bytes]]:
    return {"file": ("表格.xlsx", book(("表一", rows)))}


def fields(html: str) -> dict[str, Any]:
    """What a browser would send of a page's form, without the token."""
    form = html[html.index('class="sheet-form"') :]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] not in ("csrf", "file", "q"):
            if 'type="checkbox"' in tag and " checked" not in tag:
                continue
            if name[1] == "course_ids":
                found.setdefault(name[1], []).append(value[1] if value else "")
            else:
                found[name[1]] = value[1] if value else ""
    for name_, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name_] = chosen[1] if chosen else ""
    return found


CLASS = {
    "class_id": "yg-2026-17",
    "occupation": "缝纫工",
    "level": "五级",
    "certificate_type": "培训合格证书",
    "starts_on": "2026-03-02",
    "ends_on": "2026-04-05",
    "teacher.0": "沈教员",
    "full_time.0": "yes",
    "certificate.0": "2020000000000",
    "teacher.1": "顾教员",
}


def to_class(clerk: Clerk) -> tuple[str, int]:
    page = to_course(clerk)
    form = fields(clerk.get(f"/console/classes/new?setup={page.rpartition('/')[2]}"))
    assert form["course_ids"], "the course of the step before is chosen"
    assert clerk.done("/console/classes", **form | CLASS) == page
    with clerk.services.database.read() as connection:
        row = connection.execute(select(TrainingClass)).one()
    assert row.institution == "阳光职业培训学校" and row.terms["teachers"] == 2
    assert row.terms["teacher_details"][0] == {
        "name": "沈教员",
        "full_time": True,
        "certificate": "2020000000000",
    }
    return page, row.id


@pytest.mark.both_databases
def test_a_clerk_brings_a_class_of_thirty_from_nothing_to_its_first_sitting(
    clerk: Clerk, client: TestClient
) -> None:
    page, klass = to_class(clerk)
    tables = f"/console/classes/{klass}/tables"
    shown = clerk.send(
        tables, files={"file": ("花名册.xlsx", book(("花名册", ROSTER)))}, kind="roster"
    )
    sealed = SEALED.search(shown.text)
    assert sealed and "将接收" in shown.text
    taken = clerk.send(f"{tables}/take", sealed=sealed[1])
    assert "已接收30行，退回0行" in taken.text and "回到开办向导" in taken.text
    hub = clerk.get(page)
    assert "已在册30人" in hub and "同意人脸核验的30人中，0人已有登记照片" in hub
    assert "平台还没有密钥" in hub
    clerk.done(f"{page}/key")
    answer = clerk.send(f"{page}/key")
    cookie = f"{clerk.headers['cookie']}; {answer.headers['set-cookie'].partition(';')[0]}"
    client.cookies.clear()
    told = SECRET.search(client.get(page, headers={"cookie": cookie}).text)
    assert told
    account = re.search(r'<td class="mono">(zx-[0-9a-f]+)</td><td class="break">学员01', hub)
    assert account
    client.cookies.clear()
    opened = client.post(
        "/v1/sessions",
        json={
            "session_id": "first",
            "learner_id": account[1],
            "class_id": CLASS["class_id"],
            "lesson_id": "L01",
            "device_id": "d",
            "window_id": "w",
        },
        headers={"authorization": f"Bearer {told[1]}"},
    )
    assert opened.status_code in (200, 201), opened.text
    assert "已收到1次学习" in clerk.get(page)
    with clerk.services.database.read() as connection:
        actions = set(connection.scalars(select(AuditEntry.action)))
    assert {
        "platform.added",
        "course.stored",
        "class.opened",
        "table.taken",
        "key.created",
    } <= actions


def test_a_roster_without_consent_leaves_the_photos_to_do(clerk: Clerk) -> None:
    page, klass = to_class(clerk)
    tables, rows = f"/console/classes/{klass}/tables", [row[:5] for row in ROSTER]
    shown = clerk.send(tables, files=file(rows), kind="roster")
    sealed = SEALED.search(shown.text)
    assert sealed
    clerk.send(f"{tables}/take", sealed=sealed[1])
    hub = clerk.get(page)
    photos = hub.split('id="photos"')[1].split("</section>")[0]
    assert "做这一步" in photos and "有30人还没有登记“同意人脸核验”" in photos
    everybody = re.findall(
        r'name="learners" value="(\d+)"', clerk.get(f"/console/classes/{klass}/enrolments")
    )
    clerk.done(
        f"/console/classes/{klass}/consents",
        learners=everybody,
        signed_on="2026-03-01",
        document="同意书",
    )
    assert "同意人脸核验的30人中，0人已有登记照片" in clerk.get(page)


def test_a_step_that_was_done_is_done_again_with_a_reason_on_record(clerk: Clerk) -> None:
    page, klass = to_class(clerk)
    terms = f"/console/classes/{klass}/terms"
    form = fields(clerk.get(f"{terms}?setup={page.rpartition('/')[2]}"))
    assert form["level"] == "五级" and form["teacher.1"] == "顾教员"
    asked = clerk.send(terms, **form | {"ends_on": "2026-04-10"})
    assert asked.status_code == 200 and "结束日期：2026-04-05 → 2026-04-10" in asked.text
    assert 'name="ends_on" value="2026-04-10"' in asked.text and "请写明理由" not in asked.text
    refused = clerk.send(terms, **form | {"ends_on": "2026-04-10", "reason": "短"})
    assert refused.status_code == 422 and "请写明理由" in refused.text
    back = clerk.send(terms, **form | {"ends_on": "2026-04-10", "again": "yes"})
    assert fields(back.text)["ends_on"] == "2026-04-10"
    assert (
        clerk.done(terms, **form | {"ends_on": "2026-04-10", "reason": "学员农忙，延期五天"})
        == page
    )
    with clerk.services.database.read() as connection:
        row = connection.execute(select(TrainingClass)).one()
        last = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert row.ends_on == "2026-04-10" and row.terms["teacher_details"][1]["name"] == "顾教员"
    assert last is not None and last.detail["reason"] == "学员农忙，延期五天"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ends_on": "2026-03-01"}, "结束日期不能早于开始日期"),
        ({"starts_on": ""}, "请填写"),
        ({"occupation": ""}, "请填写"),
        ({"course_ids": []}, "至少要选一门课程"),
        ({"course_ids": ["another's"]}, "没有这门课程"),
        ({"certificate_type": "奖状"}, "须为职业资格证书"),
        ({"workplaces": "许多"}, "请填写整数"),
        ({"class_id": ""}, "请填写班级编号"),
        ({"class_id": "2026/17 班"}, "班级编号不能含空格、斜杠"),
        ({"occupation": "other", "occupation_other": ""}, 'id="wrong-occupation_other">请填写'),
        (
            {
                "applicant.type": "enterprise",
                "applicant.name": "示例厂",
                "applicant.uscc": "91350100M000100Y44",
            },
            'id="wrong-applicant.uscc">统一社会信用代码须为18位',
        ),
        ({"training_kind": "夜校"}, "请从列出的选项中选择"),
        ({"applicant.type": "enterprise"}, 'id="wrong-applicant.name">请填写'),
    ],
)
def test_what_is_wrong_is_told_beside_the_field_and_what_was_typed_stays(
    clerk: Clerk, changed: dict[str, Any], said: str
) -> None:
    page = to_course(clerk)
    form = fields(clerk.get(f"/console/classes/new?setup={page.rpartition('/')[2]}"))
    answer = clerk.send("/console/classes", **form | CLASS | changed)
    assert answer.status_code == 422 and said in answer.text
    assert 'value="沈教员"' in answer.text and "没有保存" in answer.text
    with clerk.services.database.read() as connection:
        assert connection.execute(select(TrainingClass)).first() is None


@pytest.mark.parametrize("path", ["/console/classes", "/console/courses", "/console/courses/read"])
@pytest.mark.parametrize("form", [{}, {"change": "yes", "setup": "no number", "title.0": "x"}])
def test_a_form_with_nothing_in_it_is_refused_and_breaks_nothing(
    clerk: Clerk, path: str, form: dict[str, str]
) -> None:
    assert clerk.send(path, **form).status_code == 422


def test_lessons_that_cannot_be_read_are_told_by_their_row_and_the_rest_fills_the_form(
    clerk: Clerk,
) -> None:
    clerk.done(f"{clerk.done('/console/setups')}/platform", platform="own")
    form = fields(clerk.get("/console/courses/new"))
    rows = [LESSONS[1], [1, "甲", "45分钟", 1], [2, "乙", "很长", 1], [3, "丙", "12:30:00", 1]]
    rows.append([None, "合计", None, 3])
    read = clerk.send(
        "/console/courses/read", files={"file": ("课程.xlsx", book(("目录", rows)))}, **form
    )
    assert "读入1个小节" in read.text and "第3行" in read.text and "像是钟点" in read.text
    assert "第5行不是名单内容，已略过：合计" in read.text
    filled = fields(read.text) | {"title": "缝纫", "title.1": "乙", "minutes.1": "很长"}
    refused = clerk.send("/console/courses", **filled)
    assert refused.status_code == 422 and 'value="很长"' in refused.text
    assert clerk.done("/console/courses", **filled | {"minutes.1": "20:30"}) == "/console/courses"


def test_a_course_of_as_many_lessons_as_are_taken_is_saved(clerk: Clerk) -> None:
    clerk.done(f"{clerk.done('/console/setups')}/platform", platform="own")
    form = fields(clerk.get("/console/courses/new"))
    rows = [LESSONS[1], *([n, f"第{n}节", "15分钟", None] for n in range(1, MAX_LESSONS + 1))]
    read = clerk.send(
        "/console/courses/read", files={"file": ("课程.xlsx", book(("目录", rows)))}, **form
    )
    assert f"读入{MAX_LESSONS}个小节" in read.text
    filled = fields(read.text) | {"title": "缝纫"}
    assert clerk.done("/console/courses", **filled) == "/console/courses"


def test_another_schools_clerk_sees_and_changes_none_of_it(
    clerk: Clerk, client: TestClient
) -> None:
    page, klass = to_class(clerk)
    tang = Clerk(client, clerk.services, "tang")
    assert "阳光" not in tang.get("/console/setups") + tang.get("/console/courses")
    for path in (page, f"/console/classes/{klass}/terms", f"/console/classes/{klass}/tables"):
        client.cookies.clear()
        assert client.get(path, headers=tang.headers).status_code == 404, path
    for path in (f"{page}/platform", f"{page}/course", f"{page}/key"):
        assert tang.send(path, platform="own").status_code == 404, path
    with clerk.services.database.read() as connection:
        slug = connection.scalar(
            select(Platform.slug).where(Platform.name == "阳光职业培训学校自有平台")
        )
    form = {"platform": slug, "course_id": "kc-1", "title": "x", "title.0": "甲", "minutes.0": "45"}
    refused = tang.send("/console/courses", **form)
    assert refused.status_code == 422 and "请选择平台" in refused.text


def test_an_auditor_sets_a_class_up_for_a_school_and_makes_no_key(
    clerk: Clerk, client: TestClient
) -> None:
    zhao = Clerk(client, clerk.services, "zhao")
    page = zhao.done("/console/setups", institution_id="1")
    assert zhao.done(f"{page}/platform", platform="own") == page
    assert zhao.send(f"{page}/key").status_code == 403
