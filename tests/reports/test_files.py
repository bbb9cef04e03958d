"""What is written: CSV that nobody can inject into, XLSX for A4, the same on many cores."""

from __future__ import annotations

import csv as standard_csv
import io
import time
import zipfile
from dataclasses import replace

import pytest

from app.reports import csv, exports, xlsx
from app.reports.exports import ExportOptions
from app.reports.lists import LISTS
from app.reports.lists.people import masked
from app.reports.sheet import Column, Form, FormCell, Heading, Sheet
from app.services import Services
from app.store.catalogue.catalogue import ClassRow

HEADING = Heading("示例学校", "HC-1", "c1", "缝纫工", "p@1", "0" * 64, "三月", 0)


def a_sheet(*rows: tuple[str | int | float | None, ...]) -> Sheet:
    columns = (Column("姓名", 10), Column("事由", 30), Column("数", 8, "right"))
    return Sheet("leave", "请假与补课登记", HEADING, columns, rows, (("登记", len(rows)),))


def table(data: bytes) -> list[list[str]]:
    return list(standard_csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def xml(data: bytes, part: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return book.read(part).decode()


def test_csv_begins_with_a_bom_and_keeps_commas_and_quotes() -> None:
    data = csv.write(a_sheet(("林,一", 'a"b', 1)))
    assert data.startswith(b"\xef\xbb\xbf")
    assert ["林,一", 'a"b', "1"] in table(data)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "＝", "＠", "\t=", " =", "\r@"])
def test_no_cell_of_a_csv_is_a_formula(begin: str) -> None:
    told = table(csv.write(a_sheet((f"{begin}1+1", "x", -5))))
    row = next(it for it in told if it[1:2] == ["x"])
    assert row[0] == f"'{begin}1+1"
    assert row[2] == "-5"


def test_no_cell_of_an_xlsx_is_a_formula_and_it_prints_on_a4() -> None:
    data = xlsx.write(a_sheet(("=1+1", "@x", 1), ("李", "长" * 100, 2)))
    page = xml(data, "xl/worksheets/sheet1.xml")
    assert "<f>" not in page
    assert 'paperSize="9"' in page
    assert "第 &amp;P 页 / 共 &amp;N 页" in page
    assert 'state="frozen"' in page
    words = xml(data, "xl/sharedStrings.xml")
    assert "初审人" in words
    assert "复核人" in words


def test_the_boxes_of_a_form_are_placed_as_they_are_printed() -> None:
    blocks = (
        (
            (FormCell("阶段", down=2, label=True), FormCell("甲", label=True), FormCell("=1")),
            (FormCell("乙", 2),),
        ),
        ((FormCell("备注", label=True), FormCell("", 2)),),
    )
    form = Form("附件", (6, 20, 20), blocks, new_page_before=1)
    assert [(line, column, cell.words) for line, column, cell in form.placed()] == [
        (0, 0, "阶段"),
        (0, 1, "甲"),
        (0, 2, "=1"),
        (1, 1, "乙"),
        (2, 0, "备注"),
        (2, 1, ""),
    ]
    sheet = replace(a_sheet(), form=form)
    page = xml(xlsx.write(sheet), "xl/worksheets/sheet1.xml")
    assert '<mergeCell ref="A3:A4"/>' in page and '<mergeCell ref="B4:C4"/>' in page
    assert '<brk id="4"' in page and "<f>" not in page


def test_an_empty_list_says_that_it_has_none() -> None:
    assert "本清单无记录。" in csv.write(a_sheet()).decode()


def test_names_on_the_notice_board_are_masked() -> None:
    assert [masked(it) for it in ("林", "林一", "林小兰", "欧阳小兰")] == [
        "*",
        "林*",
        "林*兰",
        "欧**兰",
    ]


@pytest.mark.thorough
def test_lists_written_on_several_cores_are_the_same_files(
    monkeypatch: pytest.MonkeyPatch, services: Services, klass: ClassRow
) -> None:
    options = ExportOptions("user:zhao", named=True)
    alone = exports.export_all(services, klass, options)
    monkeypatch.setattr(exports, "ROWS_IN_ONE_PROCESS", 0)
    monkeypatch.setattr(exports, "MOST_WRITERS", 2)
    together = exports.export_all(services, klass, options)
    assert [it.name for it in together] == [it.name for it in alone]
    assert len(alone) == 2 * len(LISTS) + sum(it.signed for it in LISTS.values())
    assert all(a.data == b.data for a, b in zip(alone, together, strict=True))


def test_a_book_that_is_written_a_second_later_is_the_same_file() -> None:
    at = time.time()
    first = xlsx.write(a_sheet(("李", "一", 1)))
    time.sleep(1 - at % 1)
    assert xlsx.write(a_sheet(("李", "一", 1))) == first


def test_what_must_be_told_of_the_class_closes_every_list_and_is_not_in_its_digest() -> None:
    sheet = Sheet("x", "清单", HEADING, (Column("姓名"),), (("王红",),), (), ("说明。",))
    told = replace(sheet, heading=replace(HEADING, remark="规定不在有效期内。"))
    assert told.closing == ("说明。", "规定不在有效期内。") and told.digest == sheet.digest
