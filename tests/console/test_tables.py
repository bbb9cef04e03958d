"""A clerk hands in a table, looks at what becomes of every row, agrees, and mends the rest."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from app.domain.catalogue.table_files import MAX_BYTES
from app.domain.catalogue.table_kinds import KINDS
from models import AssessmentRecord, AuditEntry, Enrolment, Learner, LeaveRecord
from tests.console.conftest import Desk
from tests.console.test_acts import class_of
from tests.domain.catalogue.test_tables import book, drawn

SEALED = re.compile(r'name="sealed" value="([^"]+)"')
ODD: list[list[Any]] = [
    ["2026年第17期花名册"],
    ["序号", "姓名", "身份证号", "工作单位", "人员类别"],
    [1, "张　三", "000000198002020010", "示例厂", "企业职工"],
    [2, "买买提•艾力", "'００００００19800202002 9", "示例厂", "企业职工"],
    [3, "𬭎㛃", 4.1152619800202e17, "示例厂", "企业职工"],
    [4, "王五", "000000198002020011", "示例厂", "企业职工"],
    [5, "赵六", None, "示例厂", "企业职工"],
    ["合计", None, None, None, "5人"],
]


@pytest.fixture
def page(desk: Desk) -> str:
    desk.sign_in("zhao")
    return f"/console/classes/{class_of(desk)}/tables"


def hand_in(desk: Desk, page: str, rows: list[list[Any]] | bytes, kind: str = "roster") -> Any:
    data = rows if isinstance(rows, bytes) else book(("花名册", rows))
    form = {"csrf": desk.csrf("/console"), "kind": kind}
    return desk.client.post(page, data=form, files={"file": ("名单.xlsx", data)})


def agree(desk: Desk, page: str, shown: Any, then: str = "take") -> Any:
    found = SEALED.search(shown.text)
    assert found, shown.text
    form = {"csrf": desk.csrf("/console"), "sealed": found[1]}
    return desk.client.post(f"{page}/{then}", data=form)


def enrolled(desk: Desk) -> int:
    with desk.services.database.read() as connection:
        query = select(func.count()).where(Enrolment.class_id == class_of(desk))
        return connection.scalars(query).one()


def row_of(answer: Any, name: str) -> str:
    return next(it for it in answer.text.split("<tr>") if name in it)


def test_every_row_is_shown_before_anything_is_stored(desk: Desk, page: str) -> None:
    before = enrolled(desk)
    shown = hand_in(desk, page, ODD)
    assert shown.status_code == 200 and "还没有存入" in shown.text
    assert "整理后接收" in row_of(shown, "张　三") and "<ins>张三</ins>" in shown.text
    assert "<ins>买买提·艾力</ins>" in shown.text and "000000198002020029</ins>" in shown.text
    assert "末几位已经丢失" in row_of(shown, "𬭎㛃")
    assert "校验码" in row_of(shown, "王五")
    assert "无法确定是谁" in row_of(shown, "赵六")
    assert "第8行不是名单内容" in shown.text and "序号" in shown.text
    assert enrolled(desk) == before


def test_good_rows_are_taken_and_bad_ones_come_back_as_a_file_to_mend(
    desk: Desk, page: str
) -> None:
    before, shown = enrolled(desk), hand_in(desk, page, ODD)
    taken = agree(desk, page, shown)
    assert "已接收2行，退回3行" in taken.text and enrolled(desk) == before + 2
    file = agree(desk, page, taken, "to-mend.xlsx")
    header, *rows = load_workbook(io.BytesIO(file.content)).worksheets[0].values
    assert header == ("退回原因", "序号", "姓名", "身份证号", "工作单位", "人员类别")
    assert [row[2] for row in rows] == ["𬭎㛃", "王五", "赵六"]
    with desk.services.database.read() as connection:
        entry = connection.execute(
            select(AuditEntry).where(AuditEntry.action == "table.taken")
        ).one()
        names = set(connection.scalars(select(Learner.name)))
    assert (entry.detail["taken"], entry.detail["refused"]) == (2, 3)
    assert {"张三", "买买提·艾力"} <= names

    number = "000000198002020037"
    mended = [
        list(header),
        *([*row[:3], number if row[2] == "王五" else row[3], *row[4:]] for row in rows),
    ]
    again = agree(desk, page, hand_in(desk, page, mended))
    assert "已接收1行，退回2行" in again.text and enrolled(desk) == before + 3


def test_a_row_that_comes_back_has_what_its_cells_shared_with_others(desk: Desk, page: str) -> None:
    def draw(sheet: Any) -> None:
        sheet.append(["工作单位", "姓名", "身份证号"])
        sheet.append(["示例厂", "孙一", "000000198002020010"])
        sheet.append([None, "孙二", "000000198002020011"])
        sheet.merge_cells("A2:A3")

    file = agree(desk, page, hand_in(desk, page, drawn(draw)), "to-mend.xlsx")
    _, row = load_workbook(io.BytesIO(file.content)).worksheets[0].values
    assert row[1:] == ("示例厂", "孙二", "000000198002020011")


def test_one_number_for_two_and_a_missing_name_are_told_in_the_files_own_words(
    desk: Desk, page: str
) -> None:
    number, other = "000000198002020010", "000000198002020029"
    rows: list[list[Any]] = [
        ["序号", "姓名", "身份证号"],
        [1, "孙一", number],
        [2, "孙二", number],
        [3, None, other],
    ]
    shown = re.sub('<input type="hidden"[^>]*>', "", hand_in(desk, page, rows).text)
    assert "同一个证件号码出现两次（孙一、孙二）" in shown and "zx-" not in shown
    assert "没有填写姓名" in shown


def test_a_clerk_can_follow_what_is_said_of_a_number_and_a_type(desk: Desk, page: str) -> None:
    number = "000000198001020000"
    titles = ["姓名", "身份证号", "证件类型", "号码已核对"]
    shown = hand_in(
        desk, page, [titles, ["孙一", number, None, None], ["孙二", "1", "军官证", None]]
    )
    assert "在“号码已核对”（id_number_confirmed）填“是”" in row_of(shown, "孙一")
    assert "不认识证件类型“军官证”，可填：居民身份证、护照" in row_of(shown, "孙二")
    agree(desk, page, hand_in(desk, page, [titles, ["孙一", number, "身份证", "是"]]))
    results = [["姓名", "身份证号", "考核日期", "是否合格"], ["孙一", number, "2026-04-07", "合格"]]
    assert "将接收" in row_of(hand_in(desk, page, results, "assessments"), "孙一")


def test_a_kind_of_trainee_that_no_check_knows_is_taken_and_told(desk: Desk, page: str) -> None:
    titles = ["姓名", "身份证号", "人员类别"]
    rows = [["孙一", "000000198002020010", "大学生"], ["孙二", "000000198002020029", "农民工"]]
    shown = hand_in(desk, page, [titles, *rows])
    assert "将接收" in row_of(shown, "孙一") and "“大学生”照原样接收" in row_of(shown, "孙一")
    assert "人员类别" not in row_of(shown, "孙二")


def test_a_letter_that_is_one_systems_own_is_taken_and_told(desk: Desk, page: str) -> None:
    rows = [["王\ue863", "000000198002020010"], ["孙\ue000", "000000198002020029"]]
    shown = hand_in(desk, page, [["姓名", "身份证号"], *rows])
    assert "<ins>王䶮</ins>" in shown.text
    assert "将接收" in row_of(shown, "孙\ue000") and "造字" in row_of(shown, "孙\ue000")


def test_what_a_later_table_says_nothing_of_stays_as_it_is(desk: Desk, page: str) -> None:
    who = ["孙一", "000000198002020010"]
    first = [["姓名", "身份证号", "工作单位", "人员类别"], [*who, "示例厂", "企业职工"]]
    agree(desk, page, hand_in(desk, page, first))
    later = [["姓名", "身份证号", "同意人脸核验", "同意日期"], [*who, "是", "2026-02-20"]]
    assert "已接收1行" in agree(desk, page, hand_in(desk, page, later)).text
    with desk.services.database.read() as connection:
        query = select(Enrolment.employer, Enrolment.category, Learner.face_consent)
        kept = connection.execute(
            query.join(Learner, Learner.id == Enrolment.learner_id).where(Learner.name == "孙一")
        ).one()
    assert tuple(kept) == ("示例厂", "企业职工", True)


def test_agreeing_twice_is_the_same_as_once(desk: Desk, page: str) -> None:
    shown = hand_in(desk, page, ODD)
    once = agree(desk, page, shown)
    there = enrolled(desk)
    assert agree(desk, page, shown).status_code == once.status_code == 200
    assert enrolled(desk) == there


def test_a_file_as_large_as_is_taken_is_also_agreed_to(desk: Desk, page: str) -> None:
    file = io.BytesIO(book(("花名册", [["姓名", "身份证号"], ["孙一", "000000198002020010"]])))
    room = MAX_BYTES - len(file.getvalue()) - 1000
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/media/image1.png", bytes(range(256)) * (room // 256))
    data = file.getvalue()
    assert MAX_BYTES - 2000 < len(data) <= MAX_BYTES
    taken = agree(desk, page, hand_in(desk, page, data))
    assert "已接收1行" in taken.text


def test_a_form_that_cannot_be_read_is_refused_on_a_page(desk: Desk, page: str) -> None:
    form = {"csrf": desk.csrf("/console"), **{f"n{n}": "" for n in range(5_001)}}
    answer = desk.client.post(f"{page}/take", data=form)
    assert answer.status_code == 400 and "提交的内容有误" in answer.text


def test_a_preview_is_of_one_person_one_class_and_half_an_hour(desk: Desk, page: str) -> None:
    shown = hand_in(desk, page, ODD)
    desk.clock.now_ms += 31 * 60_000
    assert agree(desk, page, shown).status_code == 422
    shown = hand_in(desk, page, ODD)
    desk.client.cookies.clear()
    desk.sign_in("sun")
    assert agree(desk, page, shown).status_code == 422


def test_results_are_matched_by_name_or_number_and_doubt_is_told(desk: Desk, page: str) -> None:
    agree(desk, page, hand_in(desk, page, [*ODD, [6, "马小明（大）", "000000198002020037"]]))
    rows: list[list[Any]] = [
        ["姓名", "身份证号", "考核日期", "是否合格", "成绩"],
        ["张三", None, "2026年4月7日", "合格", 88],
        ["买买提.艾力", "000000198002020029", 46119, "不合格", "45分"],
        ["⻢⼩明(大)", None, "2026-04-07", "合格", 90],
        ["别人", "000000198002020010", "2026-04-07", "合格", 90],
        ["无此人", None, "2026-04-07", "合格", 90],
        ["张三", None, "3/2/2026", "合格", 90],
    ]
    shown = hand_in(desk, page, rows, "assessments")
    assert "<ins>2026-04-07</ins>" in shown.text
    assert "在花名册上是张三" in row_of(shown, "别人")
    assert "花名册上没有此人" in row_of(shown, "无此人")
    assert "“3/2/2026”不是能认出的日期" in shown.text
    assert "已接收3行，退回3行" in agree(desk, page, shown).text
    with desk.services.database.read() as connection:
        stored = connection.execute(
            select(AssessmentRecord.held_on, AssessmentRecord.passed)
            .join(Learner, Learner.id == AssessmentRecord.learner_id)
            .where(Learner.name.in_(["张三", "买买提·艾力"]))
        ).all()
    assert sorted(map(tuple, stored)) == [("2026-04-07", False), ("2026-04-07", True)]


def test_certificates_that_come_later_and_results_keep_one_another(desk: Desk, page: str) -> None:
    agree(desk, page, hand_in(desk, page, ODD))
    titles = ["姓名", "考核日期"]
    day = "2026-04-07"
    tables: tuple[tuple[list[list[Any]], Any], ...] = (
        ([[*titles, "是否合格", "成绩"], ["张三", day, "合格", 88]], (True, 88.0, None)),
        ([[*titles, "证书编号"], ["张三", day, "S000041"]], (True, 88.0, "S000041")),
        ([[*titles, "是否合格", "成绩"], ["张三", day, "合格", 89]], (True, 89.0, "S000041")),
        ([[*titles, "是否合格", "成绩"], ["张三", day, "不合格", 40]], (False, 40.0, None)),
    )
    for rows, stands in tables:
        shown = agree(desk, page, hand_in(desk, page, rows, "assessments"))
        assert "已接收1行" in shown.text
        with desk.services.database.read() as connection:
            query = select(AssessmentRecord.passed, AssessmentRecord.body)
            query = query.join(Learner, Learner.id == AssessmentRecord.learner_id)
            passed, body = connection.execute(query.where(Learner.name == "张三")).one()
        assert (passed, body.get("score"), body.get("certificate_no")) == stands


def test_leave_keeps_its_day_of_make_up_where_a_later_table_has_no_column_for_it(
    desk: Desk, page: str
) -> None:
    agree(desk, page, hand_in(desk, page, ODD))
    titles = ["姓名", "开始日期", "结束日期", "书面请假", "已批准"]
    leave = ["张三", "2026-03-09", "2026-03-10", "是"]
    tables: tuple[tuple[list[list[Any]], Any], ...] = (
        ([[*titles, "补课日期"], [*leave, "否", "2026-03-14"]], (False, "2026-03-14")),
        ([titles, [*leave, "是"]], (True, "2026-03-14")),
        ([[*titles, "补课日期"], [*leave, "是", None]], (True, None)),
    )
    for rows, stands in tables:
        assert "已接收1行" in agree(desk, page, hand_in(desk, page, rows, "leave")).text
        with desk.services.database.read() as connection:
            query = select(LeaveRecord.approved, LeaveRecord.body)
            query = query.join(Learner, Learner.id == LeaveRecord.learner_id)
            approved, body = connection.execute(query.where(Learner.name == "张三")).one()
        assert (approved, body.get("made_up_on")) == stands


def test_reasons_name_the_column_in_chinese_and_no_account(desk: Desk, page: str) -> None:
    agree(desk, page, hand_in(desk, page, ODD))
    rows: list[list[Any]] = [
        ["姓名", "开始日期", "结束日期", "书面请假", "已批准", "请假事由"],
        ["张三", "2026-03-05", "2026-03-02", "是", "是", "事假"],
        ["买买提·艾力", "2026-03-02", "2026-03-02", "是", "也许", "病假"],
    ]
    shown = hand_in(desk, page, rows, "leave")
    assert "结束日期早于开始日期" in row_of(shown, "张三")
    assert "已批准：“也许”应为“是”或“否”" in row_of(shown, "买买提·艾力")
    rows = [["姓名", "考核日期", "成绩"], ["张三", "2026-03-02", 5000]]
    assert "成绩：须不大于1000" in row_of(hand_in(desk, page, rows, "assessments"), "张三")


def test_a_file_that_is_no_table_is_answered_with_what_helps(desk: Desk, page: str) -> None:
    files: dict[str, bytes] = {
        "另存为 .xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "没有找到这些列": b"a,b\n1,2\n",
    }
    for words, data in files.items():
        answer = hand_in(desk, page, data)
        assert answer.status_code == 422 and words in answer.text and 'role="alert"' in answer.text


def test_files_that_are_refused_can_be_chosen_so_that_the_reason_is_told(
    desk: Desk, page: str
) -> None:
    assert all(it in desk.get(page) for it in (".xls,", ".et,", ".ods"))
    assert all(it in desk.get(page.replace("tables", "photos")) for it in (".rar", ".7z"))


def test_templates_are_offered_for_every_kind(desk: Desk, page: str) -> None:
    links = re.findall(r'href="([^"]+\.xlsx)"', desk.get(page))
    assert len(links) == len(KINDS)
    for link in links:
        assert desk.client.get(link).content.startswith(b"PK")


def test_a_table_of_nearly_two_megabytes_is_looked_at_and_taken(desk: Desk, page: str) -> None:
    before = enrolled(desk)
    note = "x" * 1_800
    lines = [f"学员{n},,{note}" for n in range(1_000)]
    data = "\r\n".join(["姓名,身份证号,备注", f"张三,000000198002020010,{note}", *lines]).encode()
    assert 1_800_000 < len(data) < 2 * 1024 * 1024
    shown = hand_in(desk, page, data)
    taken = agree(desk, page, shown)
    assert taken.status_code == 200 and enrolled(desk) == before + 1
