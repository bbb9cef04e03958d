"""Tables as people have them become rows, and nothing of them is lost or guessed in silence."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from time import thread_time
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook

from app.domain.catalogue import table_cells, table_files, table_kinds, table_rows, tables
from app.domain.catalogue.table_cells import BadCell
from app.domain.catalogue.table_files import BadTable
from app.domain.catalogue.table_kinds import KINDS, ROSTER
from app.domain.catalogue.table_rows import FoundTable
from app.errors import BadInput
from app.reports import table_books

PEOPLE = [["张三", "000000198002020010"], ["李四", "000000198002020029"]]
TEXT = (
    "序号,姓名,性别,身份证号码\r\n1,张三,男,000000198002020010\r\n2,李四,女,000000198002020029\r\n"
)


def book(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets:
        page = made.create_sheet(title)
        for row in rows:
            page.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def roster(data: bytes) -> FoundTable:
    return table_rows.read(table_files.sheets(data), ROSTER)


def people(table: FoundTable) -> list[list[Any]]:
    return [[row.item.get("name"), row.item.get("id_number")] for row in table.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "，"])
def test_text_is_read_in_every_usual_encoding_and_with_every_usual_delimiter(
    encoding: str, delimiter: str
) -> None:
    assert people(roster(TEXT.replace(",", delimiter).encode(encoding))) == PEOPLE


def test_the_sheet_and_row_with_the_header_are_found_and_what_was_not_used_is_told() -> None:
    data = book(
        ("说明", [["请填写第二张表"]]),
        (
            "学员",
            [
                ["2026年第17期电工班花名册"],
                ["单位：某某学校", None, "2026年3月"],
                ["序号", "学员姓名 *", "证件号码（18位）", "备注"],
                [1, "张三", "000000198002020010", "班长"],
                [2, "李四", "000000198002020029", None],
                [3, None, None, None],
                ["合计", "2人", None, None],
                ["制表：王", None, None, None],
            ],
        ),
    )
    table = roster(data)
    assert (table.sheet, table.header, people(table)) == ("学员", 3, PEOPLE)
    assert table.unused == ["序号", "备注"]
    assert [number for number, _ in table.skipped] == [6, 7, 8]


def test_sheets_with_a_list_of_their_own_are_named_and_explanations_are_not() -> None:
    second = [["学员花名册"], ["姓名", "证件号"], ["王五", "000000198002020037"]]
    sheets = [
        ("说明", [["姓名", "身份证号"]]),
        ("一班", [["姓名", "身份证号"], *PEOPLE]),
        ("二班", second),
    ]
    table = roster(book(*sheets))
    assert (table.sheet, people(table), table.others) == ("一班", PEOPLE, ["二班"])


def test_a_list_that_goes_on_at_its_right_is_refused_whole() -> None:
    titles = ["姓名", "身份证号"]
    rows: list[list[Any]] = [[*titles, None, *titles], [*PEOPLE[0], None, *PEOPLE[1]]]
    with pytest.raises(BadTable, match="左右并排") as refusal:
        roster(book(("a", rows)))
    assert refusal.value.code == "table_side_by_side"
    empty = [rows[0], PEOPLE[0], PEOPLE[1]]
    assert people(roster(book(("a", empty)))) == PEOPLE
    contact: list[list[Any]] = [[*titles, "姓名"], [*PEOPLE[0], "张父"], [*PEOPLE[1], "李父"]]
    assert people(roster(book(("a", contact)))) == PEOPLE


def drawn(draw: Any) -> bytes:
    """A workbook of one sheet that `draw` fills."""
    made = Workbook()
    draw(made.worksheets[0])
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def test_two_rows_of_titles_of_which_one_divides_the_other_are_one_header() -> None:
    def draw(page: Any) -> None:
        page.append(["2026年第17期花名册"])
        page.append(["序号", "姓名", "证件", None, "联系方式", "工作单位"])
        page.append([None, None, "类型", "号码", "手机", None])
        page.append([1, PEOPLE[0][0], "居民身份证", PEOPLE[0][1], "+86 13800000000", "示例厂"])
        page.append([2, PEOPLE[1][0], "居民身份证", PEOPLE[1][1], None, None])
        for cells in ("A1:F1", "A2:A3", "B2:B3", "C2:D2", "F2:F3", "F4:F5"):
            page.merge_cells(cells)

    table = roster(drawn(draw))
    assert people(table) == PEOPLE and table.titles[2:4] == ("证件类型", "证件号码")
    assert [it.item["employer"] for it in table.rows] == ["示例厂", "示例厂"]
    assert table.unused == ["序号", "手机"] and not table.skipped


@pytest.mark.parametrize("merged", [True, False])
def test_a_title_over_several_columns_is_the_title_of_none_of_them(merged: bool) -> None:
    def draw(page: Any) -> None:
        page.append(["姓名", "考核日期", "考核成绩", None, None])
        page.append([None, None, "理论", "实操", "总成绩"])
        page.append(["张三", "2026-04-07", 60, 90, 78])
        for cells in ("A1:A2", "B1:B2", "C1:E1") if merged else ():
            page.merge_cells(cells)

    table = table_rows.read(table_files.sheets(drawn(draw)), KINDS["assessments"])
    assert [it.item["score"] for it in table.rows] == [78] and table.unused == ["理论", "实操"]
    text = "姓名,考核日期,考核成绩,,\n,,理论,实操,总成绩\n张三,2026-04-07,60,90,78\n"
    table = table_rows.read(table_files.sheets(text.encode()), KINDS["assessments"])
    assert [it.item["score"] for it in table.rows] == [78]


def test_who_is_satisfied_is_more_than_the_first_of_the_columns_under_it() -> None:
    text = "调查日期,有效问卷,满意,\n,,非常满意,基本满意\n2026-12-10,30,20,8\n"
    with pytest.raises(BadTable, match=r"满意数（.*没有认出：非常满意、基本满意"):
        table_rows.read(table_files.sheets(text.encode()), KINDS["satisfaction"])
    text = "姓名,证件,,单位\n,类型,号码,\n张三,居民身份证,000000198002020010,示例厂\n"
    assert people(roster(text.encode())) == PEOPLE[:1]


def test_a_column_without_a_title_divides_nothing() -> None:
    rows = [
        ["姓名", "身份证号", None, "工作单位"],
        [*PEOPLE[0], "x", "厂"],
        [*PEOPLE[1], "y", None],
    ]
    assert people(roster(book(("a", rows)))) == PEOPLE

    def draw(page: Any) -> None:
        page.append(["姓名", "身份证号", "工作单位", None])
        for it in PEOPLE:
            page.append([*it, "示例厂", "某车间"])
        page.merge_cells("C1:D1")

    assert people(roster(drawn(draw))) == PEOPLE


def test_a_first_person_is_no_second_row_of_titles() -> None:
    titles = ["姓名", "身份证号", "类别"]
    rows = [titles, [*PEOPLE[0], "专业"], [*PEOPLE[1], None]]
    assert people(roster(book(("a", rows)))) == PEOPLE


def test_a_cell_merged_with_those_below_says_the_same_of_them_but_for_amounts() -> None:
    def draw(page: Any) -> None:
        page.append(["日期", "姓名", "学时"])
        page.append([date(2026, 3, 2), "张三", 4])
        page.append([None, "李四", 4])
        page.append([None, "王五", None])
        page.merge_cells("A2:A4")
        page.merge_cells("C3:C4")

    rows = table_rows.read(table_files.sheets(drawn(draw)), KINDS["offline-attendance"]).rows
    assert [it.item["held_on"] for it in rows] == ["2026-03-02"] * 3
    assert [it.reason is None for it in rows] == [True, True, False]
    assert rows[2].reason and "学时：单元格与上面的合并了" in rows[2].reason.zh
    assert table_cells.shown(rows[2].cells[0]) == "2026-03-02"  # it goes back to be mended alone


def test_rows_that_a_filter_hides_are_read_and_told() -> None:
    def draw(page: Any) -> None:
        for row in [["姓名", "身份证号"], *PEOPLE]:
            page.append(row)
        page.row_dimensions[3].hidden = True

    table = roster(drawn(draw))
    assert people(table) == PEOPLE and table.hidden == [3]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("学员姓名", "学员身份证号"),
        ("参训人员姓名", "参训人员身份证号码"),
        ("职工姓名", "公民身份证号码"),
        ("真实姓名", "居民身份证号"),
        ("名 字", "身份证号/护照号"),
        ("姓\n名", "证件号码、身份证号"),
        ("姓名", "有效证件号码（必填）"),
        ("【姓名】", "▲身份证号"),
        ("1.姓名", "2、公民身份号码"),
        ("培训学员姓名", "社会保障号码"),
    ],
)
def test_titles_are_known_with_whose_they_are_and_by_halves(name: str, number: str) -> None:
    assert people(roster(book(("a", [[name, number], *PEOPLE])))) == PEOPLE


def test_a_title_of_two_columns_and_of_somebody_else_is_known_as_neither() -> None:
    titles = ["姓名", "身份证号", "证件号码/学员编号", "家长姓名", "培训单位", "培训类别"]
    table = roster(book(("a", [titles, [*PEOPLE[0], "x", "y", "z", "u"]])))
    assert table.unused == titles[2:]


def test_titles_of_results_as_issuing_systems_write_them_are_known() -> None:
    titles = ["姓名", "认定日期", "考核结论", "职业技能等级证书编号"]
    table = table_rows.read(
        table_files.sheets(book(("a", [titles, ["张三", "2026-04-07", "合格", "S000041"]]))),
        KINDS["assessments"],
    )
    assert not table.unused and table.rows[0].item["certificate_no"] == "S000041"


def test_of_two_titles_the_columns_own_name_counts_first() -> None:
    rows = [["申请人姓名", "姓名", "身份证号"], ["某公司", *PEOPLE[0]]]
    assert people(roster(book(("a", rows)))) == PEOPLE[:1]


def test_a_roster_without_numbers_is_refused_by_the_column_that_is_missed() -> None:
    rows = [["姓名", "身份", "工作单位"], ["张三", "000000198002020010", "厂"]]
    with pytest.raises(BadTable, match=r"没有找到这些列：证件号码（.*没有认出：身份。"):
        roster(book(("a", rows)))


@pytest.mark.parametrize(
    "text",
    [
        '姓名,身份证号\r\n张三,="000000198002020010"\r\n李四,"=""000000198002020029"""\r\n',
        "姓名\t,身份证号\t\r\n张三\t,000000198002020010\t\r\n李四\t,000000198002020029\t\r\n",
        "姓名,身份证号,备注\r\n张三,000000198002020010,a;b;c;d;e\r\n李四,000000198002020029,\r\n",
        "sep=,\r\n姓名,身份证号\r\n张三,000000198002020010\r\n李四,000000198002020029\r\n",
    ],
    ids=["as text", "tabs kept", "semicolons inside", "sep"],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_text_as_systems_write_it_to_keep_long_numbers_is_read(text: str, encoding: str) -> None:
    table = roster(text.encode(encoding))
    assert [[it.strip() for it in row] for row in people(table)] == PEOPLE


@pytest.mark.parametrize("last", ["", '"三级"'], ids=["to the end", "to the next"])
def test_a_quotation_mark_that_swallows_rows_is_refused_and_others_are_words(last: str) -> None:
    (one, number), (other, another) = PEOPLE
    text = f'姓名,身份证号,备注\r\n{one},{number},"三级\r\n{other},{another},{last}\r\n'
    with pytest.raises(BadTable, match="第2行有一个引号") as refusal:
        roster(text.encode())
    assert refusal.value.code == "table_open_quote"
    assert people(roster(text.replace('"三级\r', '"甲"组\r').encode())) == PEOPLE
    assert people(roster(text.replace('"三级\r', '"甲,\n乙,丙"\r').encode())) == PEOPLE


def test_notes_below_a_list_are_nobody_and_a_day_that_begins_a_row_is_no_note() -> None:
    notes = [
        "以上学员均已签字确认",
        "以下空白",
        "本页共2人",
        "填报单位：某校",
        "2026年3月2日",
        "联系电话：138",
    ]
    table = roster(book(("a", [["姓名", "身份证号"], *PEOPLE, *([it] for it in notes)])))
    assert people(table) == PEOPLE and len(table.skipped) == len(notes)
    rows = [["日期", "姓名", "学时"], ["2026年3月2日", "张三", None]]
    refused = table_rows.read(table_files.sheets(book(("a", rows))), KINDS["offline-attendance"])
    assert refused.rows[0].reason and "没有填写学时" in refused.rows[0].reason.zh


def test_words_where_every_person_has_a_number_are_a_note() -> None:
    titles = ["序号", "学员编号", "姓名", "身份证号"]
    rows = [[n, None, *it] for n, it in enumerate(PEOPLE, start=1)]
    notes = [["花名册人数", "2"], ["规则包", "huangchuan"], ["初审人（签字）：", "＿", "复核人："]]
    table = roster(book(("a", [titles, *rows, *notes, ["三组", None, "王五", "1"]])))
    assert [it.name for it in table.rows] == ["张三", "李四", "王五"]
    assert len(table.skipped) == len(notes)


def test_a_formula_that_nobody_computed_is_refused_and_one_with_a_result_is_read() -> None:
    data = book(("a", [["姓名", "身份证号"], ["张三", "=B9"], ["李四", "000000198002020029"]]))
    first, second = roster(data).rows
    assert first.reason is not None and "还没有算出结果" in first.reason.zh
    assert second.reason is None
    assert people(roster(computed(data))) == PEOPLE


def computed(data: bytes) -> bytes:
    """The workbook as a spreadsheet saves it, with the result beside the formula of B2."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            text = before.read(name).replace(
                b'<c r="B2"><f>B9</f><v></v>',
                b'<c r="B2" t="str"><f>B9</f><v>000000198002020010</v>',
            )
            after.writestr(name, text)
    return out.getvalue()


def rewritten(data: bytes, part: str, *changes: tuple[bytes, bytes]) -> bytes:
    """A workbook of which parts whose names begin so are written otherwise, by patterns."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            for pattern, instead in changes if name.startswith(part) else ():
                text = re.sub(pattern, instead, text)
            after.writestr(name, text)
    return out.getvalue()


_MAIN = rb"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PREFIXED = ((rb"<(/?)(?=[a-zA-Z])", rb"<\1x:"), (b'xmlns="' + _MAIN, b'xmlns:x="' + _MAIN))
STRICT = (
    (_MAIN, b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
    (
        rb"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    ),
)


@pytest.mark.parametrize("hidden", ["身份证号", "证件号码"])
def test_of_two_columns_of_one_meaning_the_one_that_people_see_is_read(hidden: str) -> None:
    def draw(page: Any) -> None:
        page.append([hidden, "姓名", "证件号/身份证号", "工作单位"])
        for who, number in PEOPLE:
            page.append(["000000197001010017", who, number, "示例厂"])
        for column in "AD":
            page.column_dimensions[column].hidden = True

    table = roster(drawn(draw))
    assert people(table) == PEOPLE
    assert (table.unused, table.unseen) == ([hidden], ["工作单位"])


@pytest.mark.parametrize(
    ("part", "changes"),
    [("xl/worksheets/", PREFIXED), ("xl/worksheets/", ((b'"', b"'"),)), ("", STRICT)],
    ids=["prefixed names", "single quotes", "strict"],
)
def test_a_workbook_says_the_same_however_its_program_writes_xml(
    part: str, changes: tuple[tuple[bytes, bytes], ...]
) -> None:
    def draw(page: Any) -> None:
        page.append(["姓名", "身份证号", "工作单位", "在读学校"])
        page.append([*PEOPLE[0], "示例厂"])
        page.append([*PEOPLE[1], None, "=B9"])
        page.merge_cells("C2:C3")
        page.row_dimensions[3].hidden = True

    table = roster(rewritten(drawn(draw), part, *changes))
    first, second = table.rows
    assert people(table) == PEOPLE and table.hidden == [3]
    assert first.item["employer"] == second.item["employer"] == "示例厂"
    assert second.reason and "还没有算出结果" in second.reason.zh


def test_a_formula_whose_result_is_an_empty_text_is_an_empty_cell() -> None:
    """As IF(A2="","",…) is saved, which fills columns down below the last person too."""
    rows = [["姓名", "身份证号", "工作单位"], *([*it, '=IF(0,B9,"")'] for it in PEOPLE)]
    data = book(("a", [*rows, [None, None, '=IF(0,B9,"")']]))
    saved = rewritten(data, "xl/worksheets/", (rb'<c r="(C\d)"><f>', rb'<c r="\1" t="str"><f>'))
    table = roster(saved)
    assert people(table) == PEOPLE and not table.skipped
    assert [it.reason for it in table.rows] == [None, None]


def test_a_number_is_read_with_what_its_format_shows() -> None:
    def draw(page: Any) -> None:
        page.append(["姓名", "身份证号", "学员编号", "工作单位"])
        for person, number, code in ((0, 12, "0000"), (1, 13, '"XY"0000_ ')):
            page.append([*PEOPLE[person], number, 25])
            page.cell(page.max_row, 3).number_format = code
            page.cell(page.max_row, 4).number_format = '0"人"'

    rows = roster(drawn(draw)).rows
    assert [it.item["learner_id"] for it in rows] == ["0012", "XY0013"]
    assert rows[0].item["employer"] == "25"


def test_a_score_in_percent_is_no_score_below_one() -> None:
    def draw(page: Any) -> None:
        page.append(["姓名", "考核日期", "成绩"])
        page.append(["张三", "2026-04-07", 0.85])
        page["C2"].number_format = "0%"

    row = table_rows.read(table_files.sheets(drawn(draw)), KINDS["assessments"]).rows[0]
    assert row.reason and "“85%”不是数字" in row.reason.zh


@pytest.mark.parametrize("number_format", [14, 31, 57, 58])
def test_days_and_times_in_chinese_words_are_read_as_such(number_format: int) -> None:
    """Formats of Chinese versions: their numbers stand in files without what they mean."""
    rows: list[list[Any]] = [["姓名", "日期", "学时", "分钟"], ["张三", 46083.35, 4, 0.03125]]
    formats = b"".join(b'<xf numFmtId="%d"/>' % it for it in (0, number_format, 32))
    data = rewritten(
        book(("a", rows)),
        "xl/",
        (rb"(?s)<cellXfs.*</cellXfs>", b"<cellXfs>" + formats + b"</cellXfs>"),
        (rb'<c r="B2"', b'<c r="B2" s="1"'),
        (rb'<c r="D2"', b'<c r="D2" s="2"'),
    )
    item = table_rows.read(table_files.sheets(data), KINDS["offline-attendance"]).rows[0].item
    assert (item["held_on"], item["minutes"]) == ("2026-03-02", 45)


def test_a_person_whose_name_begins_like_a_total_stays_a_person() -> None:
    rows = [["姓名", "身份证号"], ["共计", "000000198002020010"], ["注册", "000000198002020029"]]
    assert len(roster(book(("a", rows))).rows) == 2


@pytest.mark.parametrize("first", ["示例", "例：", "填写样例"])
def test_the_example_of_a_template_is_nobody(first: str) -> None:
    rows: list[list[Any]] = [["序号", "姓名", "身份证号"], [first, "某某", "000000198002020037"]]
    table = roster(book(("a", [*rows, [1, *PEOPLE[0]]])))
    assert people(table) == PEOPLE[:1] and [number for number, _ in table.skipped] == [2]
    named = [["姓名", "身份证号"], ["例：某某", "000000198002020037"], *PEOPLE]
    assert people(roster(book(("a", named)))) == PEOPLE


def test_line_ends_that_a_workbook_keeps_as_signs_are_no_part_of_a_name() -> None:
    buffer = io.BytesIO()
    made = xlsxwriter.Workbook(buffer, {"in_memory": True})
    page = made.add_worksheet()
    for at, row in enumerate([["姓名", "身份证号"], *PEOPLE]):
        page.write_row(at, 0, row)
    made.close()
    ends = ((it.encode(), f"{it}_x000D_".encode()) for it in ("张三", PEOPLE[0][1]))
    (one, number), other = people(roster(rewritten(buffer.getvalue(), "xl/shared", *ends)))
    assert [one.strip(), number.strip()] == PEOPLE[0] and other == PEOPLE[1]


def test_a_lesson_that_begins_like_a_note_stays_a_lesson() -> None:
    rows: list[list[Any]] = [
        ["小节名称", "时长", "小节编号"],
        ["审核流程", 45, None],
        ["负责人职责", "45:10", None],
        ["示例：钢筋绑扎", 45, None],
        ["合计", 90, None],
        ["审核：张三", None, None],
    ]
    table = table_rows.read(table_files.sheets(book(("a", rows))), table_kinds.COURSE)
    assert [it.item["title"] for it in table.rows] == ["审核流程", "负责人职责", "示例：钢筋绑扎"]
    assert [number for number, _ in table.skipped] == [5, 6]


def test_a_table_of_another_kind_is_refused_by_the_columns_that_it_lacks() -> None:
    with pytest.raises(BadTable, match=r"日期（也可写作上课日期.*；学时（.*没有认出：序号、性别"):
        table_rows.read(table_files.sheets(TEXT.encode()), KINDS["offline-attendance"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "table_empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "table_old_format"),
        ("\ufeff\n<HTML><table><tr><td>姓名</td></tr></table>".encode(), "table_old_format"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "table_old_format"),
        (b"PK\x03\x04rest", "table_broken"),
        (b"\x89PNG\r\n\x00\x00\xff\xff", "table_unreadable"),
        (b"a" * (table_files.MAX_BYTES + 1), "table_too_large"),
        (b"\n".join([b"a,b"] * (table_files.MAX_ROWS + 1)), "table_too_long"),
        (b"a,b" + b"\n" * (table_files.MAX_BYTES - 3), "table_too_long"),
    ],
)
def test_what_is_no_table_is_refused_with_what_helps(data: bytes, code: str) -> None:
    began = thread_time()
    with pytest.raises(BadTable) as refusal:
        table_files.sheets(data)
    assert refusal.value.code == code and refusal.value.zh and refusal.value.en
    assert thread_time() - began < 2


@pytest.mark.parametrize("honest", [True, False])
def test_a_bomb_is_refused_by_what_it_unpacks_to_whatever_it_says(honest: bool) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (table_files.MAX_UNPACKED + 1))
    data = buffer.getvalue()
    if not honest:
        said = (table_files.MAX_UNPACKED + 1).to_bytes(4, "little")
        data = data.replace(said, (10).to_bytes(4, "little"))
    with pytest.raises(BadTable, match="太大"):
        table_files.sheets(data)


def altered(part: str, written: bytes) -> bytes:
    """A workbook with another part in the place of its own, as long as is taken."""
    buffer = io.BytesIO()
    whole = book(("名单", [["姓名", "身份证号"], *PEOPLE]))
    with zipfile.ZipFile(io.BytesIO(whole)) as made, zipfile.ZipFile(buffer, "w", 8) as archive:
        for name in made.namelist():
            archive.writestr(name, written if name == part else made.read(name))
    return buffer.getvalue()


SHEET, STYLES, BOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
MAIN = b'<x xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
LAUGHS = b"".join(
    [
        b'<!DOCTYPE x [<!ENTITY a0 "ha">',
        *(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)),
        b"]>",
    ]
)


@pytest.mark.parametrize(
    ("part", "written", "code"),
    [
        (STYLES, MAIN.replace(b"x ", b"styleSheet ", 1) + b"<xf/>" * 2_900_000, "table_too_large"),
        (SHEET, MAIN + b"<row><c/><c/></row>" * 750_000, "table_too_large"),
        (SHEET, MAIN + b"<a>" * 2_000_000, "table_too_large"),
        (SHEET, LAUGHS + MAIN + b"&a9;</x>", "table_broken"),
        (BOOK, LAUGHS + MAIN + b"&a9;</x>", "table_broken"),
        (BOOK, MAIN + b"<sheets>", "table_broken"),
        (STYLES, MAIN + b"<cellXfs>", "table_broken"),
    ],
    ids=["styles", "cells", "depth", "laughs", "laughs in the book", "cut book", "cut styles"],
)
def test_a_workbook_that_costs_more_than_its_bytes_is_refused(
    part: str, written: bytes, code: str
) -> None:
    data = altered(part, written)
    assert len(data) < table_files.MAX_BYTES and len(written) < table_files.MAX_UNPACKED
    began = thread_time()
    with pytest.raises(BadTable) as refusal:
        table_files.sheets(data)
    assert refusal.value.code == code
    assert thread_time() - began < 5


def test_what_is_no_tag_is_not_looked_through_from_each_of_its_beginnings() -> None:
    for begun in (b"<mergeCell ", b"<row "):
        sheet = zipfile.ZipFile(io.BytesIO(book(("a", [["姓名", "身份证号"], *PEOPLE])))).read(
            SHEET
        )
        data = altered(
            SHEET, sheet.replace(b"</worksheet>", b"<!--%b--></worksheet>" % (begun * 500_000))
        )
        began = thread_time()
        assert people(roster(data)) == PEOPLE
        assert thread_time() - began < 5


def test_a_title_that_opens_brackets_and_closes_none_costs_nothing() -> None:
    began = thread_time()
    with pytest.raises(BadTable):
        roster(f"{'(' * 100_000},姓名,身份证号\r\n".encode())
    assert thread_time() - began < 5


@pytest.mark.parametrize(
    ("part", "before", "within"),
    [
        (STYLES, b"<cellXfs", b'<numFmts><numFmt numFmtId="0" formatCode="%b"/></numFmts>'),
        (
            BOOK,
            b"<calcPr",
            b'<definedNames><definedName name="_xlnm.Print_Titles" localSheetId="0">%b'
            b"</definedName></definedNames>",
        ),
    ],
    ids=["format", "name"],
)
def test_what_rows_do_not_need_is_not_looked_through(
    part: str, before: bytes, within: bytes
) -> None:
    told = zipfile.ZipFile(io.BytesIO(book(("a", [["姓名", "身份证号"], *PEOPLE])))).read(part)
    for tag in (b"<numFmts />", b"<definedNames />"):
        told = told.replace(tag, b"")
    assert told.count(before) == 1
    more = within % (b"[" * 200_000) if part == STYLES else within % (b"a" * 200_000)
    began = thread_time()
    assert people(roster(altered(part, told.replace(before, more + before)))) == PEOPLE
    assert thread_time() - began < 5


def test_a_part_that_is_a_thousand_sheets_is_refused() -> None:
    made = zipfile.ZipFile(io.BytesIO(book(("a", [["姓名", "身份证号"], *PEOPLE]))))
    told = made.read(BOOK)
    one = re.search(rb"<sheet [^>]*/>", told)
    assert one
    more = (one[0].replace(b'name="a"', b'name="a%d"' % n) for n in range(1_000))
    began = thread_time()
    with pytest.raises(BadTable) as refusal:
        table_files.sheets(altered(BOOK, told.replace(one[0], b"".join(more))))
    assert refusal.value.code == "table_broken" and thread_time() - began < 5


def test_a_cell_in_the_last_row_and_column_costs_nothing() -> None:
    made = Workbook()
    page = made.worksheets[0]
    for row in [["姓名", "身份证号"], *PEOPLE]:
        page.append(row)
    page.cell(1_048_576, 16_384, "x")
    buffer = io.BytesIO()
    made.save(buffer)
    assert people(roster(buffer.getvalue())) == PEOPLE


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (datetime.fromisoformat("2026-03-02T08:30"), "2026-03-02"),
        (date(2026, 3, 2), "2026-03-02"),
        (46083, "2026-03-02"),
        ("46083", "2026-03-02"),
        ("2026-3-2", "2026-03-02"),
        ("2026/3/2", "2026-03-02"),
        ("2026.03.02", "2026-03-02"),
        ("2026年3月2日", "2026-03-02"),
        ("２０２６－３－２", "2026-03-02"),
        ("20260302", "2026-03-02"),
        ("2026-03-02 08:30:00", "2026-03-02"),
        (None, None),
    ],
)
def test_a_day_is_read_however_it_is_written(cell: Any, day: str | None) -> None:
    assert table_cells.day(cell) == day


@pytest.mark.parametrize("cell", ["3/2/2026", "2026-02-30", "去年", 7, True])
def test_a_day_that_would_be_a_guess_is_refused(cell: Any) -> None:
    with pytest.raises(BadCell):
        table_cells.day(cell)


def test_numbers_words_and_yes_are_read_as_typed() -> None:
    assert table_cells.line(13800000000.0) == "13800000000"
    assert table_cells.number("４学时") == 4 and table_cells.whole(30.0) == 30
    assert table_cells.yes_or_no("√") is True and table_cells.yes_or_no("不合格") is False
    assert table_cells.yes_or_no("无数据") is table_cells.day("无数据") is None
    assert table_cells.part_of_day("下午") == "pm" and table_cells.practical("理论") is False
    assert table_cells.practical("理论课") is False and table_cells.practical("实操教学") is True
    assert table_cells.yes_or_no("已认证") is True and table_cells.yes_or_no("未签字") is False
    for reader, cell in (
        (table_cells.number, "四"),
        (table_cells.whole, 1.5),
        (table_cells.yes_or_no, "也许"),
        (table_cells.practical, "理论+实操"),
        (table_cells.name, "??"),
        (table_cells.name, "张□"),
        (table_cells.name, "张*"),
        (table_cells.line, "#N/A"),
        (table_cells.line, "#SPILL!"),
        (table_cells.line, "########"),
        (table_cells.code, date(2026, 1, 3)),
        (table_cells.code, time(1, 30)),
    ):
        with pytest.raises(BadCell):
            reader(cell)


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        (45, 45),
        ("４８分钟", 48),
        ("45:10", 45 + 1 / 6),
        ("0:45:10", 45 + 1 / 6),
        ("45分10秒", 45 + 1 / 6),
        ("45′10″", 45 + 1 / 6),
        ("1小时5分", 65),
        ("2700秒", 45),
        (time(0, 45), 45),
        (None, None),
    ],
)
def test_a_length_is_read_however_it_is_written(cell: Any, minutes: float | None) -> None:
    assert table_cells.minutes(cell) == pytest.approx(minutes)


def test_what_a_spreadsheet_makes_of_45_minutes_and_10_seconds_is_a_lessons_length_alone() -> None:
    for cell in (timedelta(hours=45, minutes=10), datetime.fromisoformat("1900-01-01T21:10")):
        assert table_cells.media_seconds(cell) == 2710
        with pytest.raises(BadCell, match="像是钟点"):
            table_cells.minutes(cell)


def test_the_unit_in_a_columns_title_counts_for_bare_numbers() -> None:
    rows: list[list[Any]] = [
        ["姓名", "日期", "学时", "时长（小时）"],
        ["张三", "2026-03-02", 4, 3],
        ["张三", "2026-03-02", 4, "90分钟"],
    ]
    table = table_rows.read(table_files.sheets(book(("a", rows))), KINDS["offline-attendance"])
    assert [it.item["minutes"] for it in table.rows] == [180, 90]


def test_hours_of_the_clock_are_no_class_hours() -> None:
    assert table_cells.class_hours("4课时") == 4
    with pytest.raises(BadCell, match="课时数"):
        table_cells.class_hours("3小时")


def test_who_is_marked_absent_has_no_attendance_and_no_result() -> None:
    assert table_cells.attended("√") is None and table_cells.attended("Nurlan 08:25") is None
    for there in (
        '=DISPIMG("ID_0A",1)',
        "☑",
        "V",
        True,
        time(8, 25),
        "迟到",
        "早退",
        "旷小东",
        "夏未",
        "李四、代",
    ):
        assert table_cells.attended(there) is None
    for absent in (
        *(
            "缺勤",
            "请假（病假）",
            "×",
            "未到",
            False,
            "FALSE",
            "缺课",
            "缺卡",
            "缺",
            "旷",
            "旷工半天",
        ),
        *(
            "未签到",
            "没签",
            "未打卡",
            "不在",
            "公假",
            "丧假",
            "事",
            "Ｘ",
            "✘",
            "❌",
            "☐",
            "请 假",
            "休学",
        ),
    ):
        with pytest.raises(BadCell, match="没有到课"):
            table_cells.attended(absent)
    for unsure in ("○", "△", "●", "/", "－"):
        with pytest.raises(BadCell, match="看不出到没到课"):
            table_cells.attended(unsure)
    for reader in (table_cells.score, table_cells.passed):
        with pytest.raises(BadCell, match="没有参加考核"):
            reader("缺考")
    assert table_cells.passed("不合格") is False and table_cells.score("85分") == 85
    with pytest.raises(BadCell, match="列名改为“是否合格”"):
        table_cells.score("合格")


def test_a_part_of_the_day_that_is_not_known_is_told_with_those_that_are() -> None:
    assert table_cells.part_of_day("全天") is None and table_cells.part_of_day("AM") == "am"
    with pytest.raises(BadCell, match="“08:30-11:30”应为上午、下午或晚上"):
        table_cells.part_of_day("08:30-11:30")


def test_satisfied_is_read_from_no_column_that_may_leave_some_of_them_out() -> None:
    sure: list[list[Any]] = [["调查日期", "有效问卷", "满意", "不满意"], ["2026-12-10", 28, 26, 2]]
    table = table_rows.read(table_files.sheets(book(("a", sure))), KINDS["satisfaction"])
    assert table.rows[0].item["satisfied"] == 26
    graded = [[*sure[0][:3], "基本满意"], [*sure[1][:3], 6]]
    with pytest.raises(BadTable, match=r"满意数（分“基本满意”等几档的.*没有认出：满意、基本满意"):
        table_rows.read(table_files.sheets(book(("a", graded))), KINDS["satisfaction"])
    graded[0].append("满意数")
    graded[1].append(26)
    table = table_rows.read(table_files.sheets(book(("a", graded))), KINDS["satisfaction"])
    assert table.rows[0].item["satisfied"] == 26


@pytest.mark.parametrize("cell", [4.1000000000003e16, "4.1E+16"])
def test_digits_that_a_spreadsheet_lost_are_told_wherever_they_stand(cell: Any) -> None:
    with pytest.raises(BadCell, match="末几位已经丢失"):
        table_cells.line(cell)


def test_a_number_that_lost_its_digits_stays_a_number() -> None:
    assert table_cells.id_number(4.1152619800202e17) == 4.1152619800202e17
    assert table_cells.id_number(12345678.0) == "12345678"


def test_a_number_of_which_a_spreadsheet_made_a_day_is_asked_for_again() -> None:
    day = date(2026, 1, 3)
    rows: list[list[Any]] = [["姓名", "身份证号", "学员编号"], [*PEOPLE[0], day]]
    row = roster(book(("a", rows))).rows[0]
    assert row.reason and "“2026-01-03”：编号被电子表格改成了日期" in row.reason.zh
    rows = [["小节名称", "时长", "小节编号"], ["安全", 45, day]]
    row = table_rows.read(table_files.sheets(book(("a", rows))), table_kinds.COURSE).rows[0]
    assert row.reason and "小节编号" in row.reason.zh


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda it: it.name)
def test_every_template_is_read_back_with_all_its_columns(kind: table_kinds.TableKind) -> None:
    sheet, explained = table_files.sheets(table_books.template(kind))
    with pytest.raises(BadTable):
        table_rows.read([explained], kind)
    assert list(table_kinds.recognised(kind, sheet.rows[0][1]).values()) == list(kind.columns)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda it: it.name)
def test_no_name_of_a_column_means_two_columns(kind: table_kinds.TableKind) -> None:
    names = [name for column in kind.columns for name in column.known_as()]
    assert len(names) == len(set(names))


def test_a_refusal_of_the_whole_table_is_told_in_both_languages() -> None:
    said = tables.not_taken(BadInput("roster_too_large", "learners: 太多 / too many"))
    assert (said.zh, said.en) == ("太多", "too many")


def word_document() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"%PDF-1.7\n", "PDF"), (b"\x89PNG\r\n", "图片"), (word_document(), "Word文档")],
    ids=["pdf", "picture", "word"],
)
def test_a_file_that_is_no_table_is_told_for_what_it_is(data: bytes, what: str) -> None:
    with pytest.raises(BadTable, match=f"这是{what}，不是表格"):
        table_files.sheets(data)


@pytest.mark.parametrize("typed", ["1,2", "3，5", "12,00", "1,2,3", "1,23学时"])
def test_a_list_of_numbers_is_not_read_as_one_number_without_its_commas(typed: str) -> None:
    for read in (table_cells.number, table_cells.whole, table_cells.class_hours):
        with pytest.raises(BadCell):
            read(typed)


def test_thousands_may_be_set_apart() -> None:
    assert table_cells.number("1,200") == 1200
    assert table_cells.whole("1，234，567人") == 1_234_567
