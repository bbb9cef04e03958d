"""What is printed is what the list says, on whatever machine, in type that travels in the file."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PageObject, PdfReader

from app.errors import BadInput, NotReady
from app.reports import exports, pdf
from app.reports.exports import ExportOptions
from app.reports.lists import LISTS
from app.reports.sheet import Column, Form, FormCell, Heading, Row, Sheet
from app.services import Services
from app.store.catalogue.catalogue import ClassRow

HEADING = Heading("示例学校", "HC-1", "c1", "缝纫工", "p@1", "0" * 64, "三月", 1_790_000_000_000)
COLUMNS = (Column("姓名", 10), Column("设备", 14), Column("事由", 40), Column("数", 8, "right"))
RARE_NAMES = "喆 堃 龑 䶮 㛃 犇 赟 禤 逄 亓 爨 仝 璟 㑇 𬭎 𬍛 𫠆 𬱖 𫖯 𬤇 𠅤 镕 彧 欧阳"


def a_sheet(*rows: Row, columns: tuple[Column, ...] = COLUMNS) -> Sheet:
    return Sheet("leave", "请假与补课登记", HEADING, columns, rows, (("登记", len(rows)),))


def pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]


def words(data: bytes) -> str:
    """All that is printed, without the line breaks that printing makes."""
    return "".join(pages(data)).replace("\n", "")


def starts(page: PageObject) -> list[float]:
    """How far right each piece of text begins, in points."""
    found: list[float] = []

    def visit(text: str, _cm: object, tm: list[float], _font: object, _size: float) -> None:
        if text.strip():
            found.append(tm[4])

    page.extract_text(visitor_text=visit)
    return found


def test_hostile_words_stay_words() -> None:
    hostile = '#let a = "b" *c* _d_ $e$ `f` @g // h [i] \\j <script>alert(1)</script>&amp; -- ...'
    assert hostile in words(pdf.write(a_sheet(("林", "d", hostile, 1))))


def test_a_long_list_has_its_header_on_every_page_and_is_signed_once() -> None:
    rows = [(f"第{at}人", "d", "事由" * (at % 40), at) for at in range(150)]
    printed = pages(pdf.write(a_sheet(*rows)))
    assert len(printed) > 3
    for number, page in enumerate(printed, 1):
        assert "姓名 设备 事由 数" in page
        assert f"第 {number} 页 / 共 {len(printed)} 页" in page
        assert a_sheet(*rows).digest[:16] in page
    assert [page.count("初审人（签字）") for page in printed] == [0] * (len(printed) - 1) + [1]
    assert "登记：150" in printed[-1]
    everything = "".join(printed)
    assert all(everything.count(f"第{at}人") == 1 for at in range(150))


def test_an_empty_list_says_that_it_has_none() -> None:
    assert "本清单无记录。" in words(pdf.write(a_sheet()))


def test_a_row_that_fills_a_page_goes_on_and_loses_nothing() -> None:
    told = "".join(f"第{at}句。" for at in range(3000))
    printed = pages(pdf.write(a_sheet(("林", "d", told, 1))))
    assert len(printed) > 1
    body = "".join(printed)
    assert all(f"第{at}句。" in body.replace("\n", "") for at in (0, 2999))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=90),
        min_size=1,
        max_size=6,
    )
)
def test_no_word_leaves_its_column_and_none_is_lost(tokens: list[str]) -> None:
    reader = PdfReader(io.BytesIO(pdf.write(a_sheet(*((it, it, it, 1) for it in tokens)))))
    printed = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
    for page in reader.pages:
        assert max(starts(page)) < float(page.mediabox.width) - 31  # the margin of 11 mm
    for token in tokens:
        assert printed.replace(" ", "").count(token) >= 3


def test_a_column_that_is_too_narrow_for_a_word_breaks_it_and_copies_whole() -> None:
    device = "0123456789abcdef" * 4
    sheet = a_sheet(("林", device, "x", 1))
    assert device in words(pdf.write(sheet))
    first = PdfReader(io.BytesIO(pdf.write(sheet))).pages[0]
    assert len(first.extract_text().split(device[:4])) > 1
    assert "\u200b" not in first.extract_text()


def test_rare_names_are_printed_and_what_the_type_lacks_is_named() -> None:
    printed = words(pdf.write(a_sheet((RARE_NAMES, "d", "林𤧞\x00", 1)))).replace(" ", "")
    assert RARE_NAMES.replace(" ", "") in printed
    assert "林〔U+249DE〕〔U+0000〕" in printed


def test_the_type_travels_in_the_file_as_a_subset() -> None:
    data = pdf.write(a_sheet(("林", "d", "x", 1)))
    fonts = PdfReader(io.BytesIO(data)).pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    for it in fonts.values():
        whole = it.get_object()
        name = whole["/BaseFont"]
        assert name[7] == "+" and "Noto" in name
        inner = whole["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile3" in inner
    assert len(data) < 100_000


def test_a_form_is_printed_box_by_box_on_two_pages() -> None:
    blocks = (
        (
            (FormCell("阶段", down=2, label=True), FormCell("甲", label=True), FormCell("=1")),
            (FormCell("乙" * 200, 2),),
        ),
        ((FormCell("备注", label=True), FormCell("#", 2)),),
    )
    form = Form("附件", (6, 20, 20), blocks, new_page_before=1)
    first, second = pages(pdf.write(replace(a_sheet(), form=form)))
    assert all(it in first for it in ("附件", "阶段", "甲", "=1"))
    assert first.count("乙") == 200
    assert "备注" in second and "#" in second and "内容摘要" in second


def test_every_list_of_a_class_is_printed(services: Services, klass: ClassRow) -> None:
    for sheet in exports.sheets(
        services, klass, list(LISTS), ExportOptions("user:zhao", named=True)
    ):
        printed = words(pdf.write(sheet)).replace(" ", "")
        assert sheet.title in printed
        if sheet.form is None:
            told = [it for row in sheet.rows for it in row if isinstance(it, str)]
            lines = [line.strip().replace(" ", "") for it in told for line in it.split("\n")]
            assert all(line in printed for line in lines), sheet.name


def test_lists_that_are_too_long_for_paper_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_ROWS", 2)
    with pytest.raises(BadInput) as refused:
        pdf.write(a_sheet(*[("林", "d", "x", at) for at in range(3)]))
    assert refused.value.code == "too_long_for_pdf"


def test_a_list_set_in_a_process_of_its_own_is_the_same_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheet = a_sheet(("林", "d", "x", 1))
    here = pdf.write(sheet)
    monkeypatch.setattr(pdf, "ROWS_SET_HERE", 0)
    assert pdf.write(sheet) == here


class _Elsewhere:
    """In the place of the processes that long lists are set in: how many there are at once."""

    now, most = 0, 0

    def __init__(self, *_how: Any) -> None:
        pass

    def __enter__(self) -> _Elsewhere:
        _Elsewhere.now += 1
        _Elsewhere.most = max(_Elsewhere.most, _Elsewhere.now)
        return self

    def __exit__(self, *_error: object) -> None:
        _Elsewhere.now -= 1

    def submit(self, *_work: Any) -> Future[bytes]:
        time.sleep(0.2)
        done: Future[bytes] = Future()
        done.set_result(b"%PDF")
        return done


def test_no_more_long_lists_are_set_at_once_than_the_machine_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheet = a_sheet(("林", "d", "x", 1))
    monkeypatch.setattr(pdf, "ROWS_SET_HERE", 0)
    monkeypatch.setattr(pdf, "ProcessPoolExecutor", _Elsewhere)
    with ThreadPoolExecutor(8) as askers:
        assert list(askers.map(pdf.write, [sheet] * 8)) == [b"%PDF"] * 8
    assert _Elsewhere.most <= 2
    monkeypatch.setattr(pdf, "WAIT_S", 0.05)
    with ThreadPoolExecutor(8) as askers:
        asked = [askers.submit(pdf.write, sheet) for _ in range(8)]
    told = [it.exception() for it in asked]
    assert any(isinstance(it, NotReady) and it.retry_after_s for it in told) and None in told


ON_A_BARE_MACHINE = """
import pathlib, pickle, sys
from app.reports import pdf
sys.stdout.buffer.write(pdf.write(pickle.load(sys.stdin.buffer)))
loaded = pathlib.Path("/proc/self/maps")
for it in ("pango", "harfbuzz", "fontconfig", "cairo", "/usr/share/fonts"):
    assert not loaded.exists() or it not in loaded.read_text(), it
"""


def test_nothing_of_the_machine_is_used(tmp_path: Path) -> None:
    """No program on the path, no font known, no library loaded for type: the same bytes."""
    sheet = a_sheet(("喆", "d", "x", 1))
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "FONTCONFIG_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, "-c", ON_A_BARE_MACHINE],
        input=pickle.dumps(sheet),
        env=bare | {"PYTHONPATH": os.pathsep.join([*sys.path[1:], os.getcwd()])},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == pdf.write(sheet)
