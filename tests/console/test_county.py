"""A county's own reports: begun classes, the year's tasks with target and done, and the files."""

from __future__ import annotations

import io

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import select

from app.domain.catalogue import institutions
from app.services import Services
from models import AuditEntry, Enrolment, Learner, TrainingClass, Verdict
from tests.console.county import add
from tests.people import (
    GUANGSHAN,
    HUANGCHUAN,
    LIN,
    County,
    TestClock,
    course,
    instant,
    training_class,
)
from tests.verdicts import forty, sign_in

PASSED = {"learner_id": "lin", "held_on": "2026-04-20", "passed": True}
MAY, YEAR = "2026-05-15", "2026"


class Office:
    """Huangchuan with one class that was assessed and one that begins in June, in mid-May."""

    def __init__(self, client: TestClient, county: County, clock: TestClock) -> None:
        forty(client, county)
        for path, body in (
            ("courses/sewing", course()),
            (
                "classes/june",
                training_class(
                    official_class_no="HC2026-006", starts_on="2026-06-01", ends_on="2026-06-20"
                ),
            ),
            ("classes/june/roster", {"learners": [LIN]}),
        ):
            answer = client.put(f"/v1/{path}", json=body, headers=county.huang.headers)
            assert answer.is_success, answer.text
        path = "/v1/classes/c1/assessments"
        assert client.post(path, json=[PASSED], headers=county.huang.headers).is_success
        self.client = client
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]
        self.admit("lin")
        clock.now_ms = instant(f"{MAY} 09:00")
        self.here = sign_in(self.services, "zhao", HUANGCHUAN)
        self.there = sign_in(self.services, "qian", GUANGSHAN)
        with self.services.database.read() as connection:
            named = select(TrainingClass.id).where(TrainingClass.external_id == "c1")
            self.begun = connection.scalars(named).one()

    def admit(self, learner: str, outcome: str = "eligible") -> None:
        """Have the current verdict say so."""
        with self.services.database.write() as connection:
            enrolled = select(Enrolment.id, Enrolment.class_id).join(
                Learner, Learner.id == Enrolment.learner_id
            )
            klass = select(TrainingClass.id).where(TrainingClass.external_id == "c1")
            mine = Learner.external_id == learner, Enrolment.class_id == klass.scalar_subquery()
            row = connection.execute(enrolled.where(*mine)).one()
            add(
                connection,
                Verdict,
                subject_kind="enrolment",
                subject_id=row.id,
                hour=0,
                class_id=row.class_id,
                outcome=outcome,
                pack="huangchuan-2021-graded@1.0.0",
                created_ms=self.services.clock(),
            )

    def csrf(self) -> str:
        page = self.client.get("/console/account", headers=self.here).text
        return page.partition('name="csrf" value="')[2].partition('"')[0]

    def send(self, path: str, **form: str):
        return self.client.post(
            f"/console/county/{path}",
            data={"csrf": self.csrf(), "county": HUANGCHUAN, "year": YEAR} | form,
            headers=self.here,
            follow_redirects=False,
        )

    def file(self, name: str, query: str = f"on={MAY}") -> bytes:
        path = f"/console/county/{HUANGCHUAN}/{name}?{query}"
        answer = self.client.get(path, headers=self.here)
        assert answer.status_code == 200, answer.text
        return answer.content

    def lines(self, name: str, query: str = f"on={MAY}") -> list[str]:
        return self.file(f"{name}.csv", query).decode("utf-8-sig").splitlines()


@pytest.fixture
def office(client: TestClient, county: County, clock: TestClock) -> Office:
    return Office(client, county, clock)


def test_target_and_done_of_a_task_count_the_classes_that_serve_it(office: Office) -> None:
    assert office.send("潢川县/targets", **{"task-5": "300"}).status_code == 303
    assert office.send(f"classes/{office.begun}", task="5").status_code == 303
    (care,) = [it for it in office.lines("tasks") if it.startswith("5,")]
    assert "养老、托幼等康养从业人员技能培训" in care
    heads = len({"lin"})
    assert care.split(",")[3:5] == ["300", "1"]
    assert int(care.split(",")[7]) == heads
    assert care.endswith("0.3%")


def test_who_passed_without_being_admitted_is_not_done_and_is_told(office: Office) -> None:
    office.send("潢川县/targets", **{"task-5": "300"})
    office.send(f"classes/{office.begun}", task="5")
    office.admit("lin", "ineligible")
    (care,) = [it for it in office.lines("tasks") if it.startswith("5,")]
    assert care.split(",")[7] == "0"
    assert "另有1人次未准予申请考核而考核合格" in "\n".join(office.lines("tasks"))
    page = office.client.get("/console/county", headers=office.here).text
    assert "另有1人次未准予申请考核而考核合格" in page


def test_a_class_that_has_not_begun_counts_nothing(office: Office) -> None:
    told = "\n".join(office.lines("monthly"))
    assert "HC2026-006" not in told
    (loose,) = [it for it in office.lines("tasks") if "未指定任务" in it]
    assert loose.split(",")[4] == "1"
    assert "班级数,1" in told


def test_the_report_comes_in_three_formats_with_the_columns_asked_for(office: Office) -> None:
    query = f"on={MAY}&columns=班级编号&columns=培训人数"
    assert "班级编号,培训人数" in office.lines("ten-day", query)
    book = load_workbook(io.BytesIO(office.file("monthly.xlsx")))
    words = [str(cell.value) for row in book.active.iter_rows() for cell in row if cell.value]
    assert "县（市、区）：潢川县" in words
    assert "培训机构" in words
    assert office.file("tasks.pdf").startswith(b"%PDF")


def test_a_wrong_number_names_the_task_and_keeps_what_was_typed(office: Office) -> None:
    answer = office.send("潢川县/targets", **{"task-2": "八百", "task-3": "75"})
    assert answer.status_code == 422
    assert "2. 创业培训" in answer.text
    assert 'value="八百"' in answer.text


def test_another_county_gets_neither_page_nor_file_nor_form(office: Office) -> None:
    for path in (f"?county={HUANGCHUAN}", f"/{HUANGCHUAN}/tasks.csv?on={MAY}"):
        answer = office.client.get(f"/console/county{path}", headers=office.there)
        assert answer.status_code == 404, path


def test_what_was_entered_stands_in_the_audit_log(office: Office) -> None:
    office.send("潢川县/targets", **{"task-5": "300"})
    office.send(f"classes/{office.begun}", task="5")
    office.send(f"classes/{office.begun}", task="5")
    with office.services.database.read() as connection:
        rows = connection.execute(select(AuditEntry.action).order_by(AuditEntry.id)).scalars()
        kept = [it for it in rows if it in ("county.targets", "class.task")]
    assert kept == ["county.targets", "class.task"]


def test_a_vocational_school_is_held_to_its_year_in_the_words_of_the_plan(office: Office) -> None:
    assert "职业学校年度培训" not in office.client.get("/console/county", headers=office.here).text
    with office.services.database.write() as connection:
        named = select(TrainingClass.institution).where(TrainingClass.id == office.begun)
        school = {"name": connection.scalars(named).one(), "code": "办学1号"}
        terms = institutions.InstitutionTerms.model_validate(school | {"vocational_school": True})
        institutions.list_institution(connection, HUANGCHUAN, terms, actor="system", now_ms=1)
    page = office.client.get("/console/county", headers=office.here).text
    assert "不得少于 200 人（其中企业新型学徒制不少于 50 人）" in page and "年度未结束" in page
    told = "\n".join(office.lines("tasks"))
    assert "考核合格1人（不少于200人），其中企业新型学徒制0人（不少于50人）：年度未结束" in told
