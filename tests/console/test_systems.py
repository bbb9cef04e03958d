"""Official systems: a class goes out as their file, and their numbers come back into the class."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from app.domain.policy import packs
from app.services import Services
from models import AuditEntry, TrainingClass
from tests.people import HUANGCHUAN, LIN, County
from tests.verdicts import forty, sign_in

HENAN = "henan-training"
SHANGHAI, HOURS = "shanghai-online", "uploadClassHourBehavior"
NUMBER = "4115262026000123"


class Desk:
    """Zhao with class c1 of forty class-hours, and what the system's file says of it."""

    def __init__(self, client: TestClient, county: County) -> None:
        forty(client, county)
        self.client = client
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]
        self.who = sign_in(self.services, "zhao", HUANGCHUAN)
        with self.services.database.read() as connection:
            named = select(TrainingClass.id).where(TrainingClass.external_id == "c1")
            self.class_id = connection.scalars(named).one()
        self.path = f"/console/classes/{self.class_id}/systems"

    def page(self) -> str:
        answer = self.client.get(self.path, headers=self.who)
        assert answer.status_code == 200
        return answer.text

    def book(self) -> Workbook:
        answer = self.client.get(f"{self.path}/{HENAN}/class.xlsx", headers=self.who)
        assert answer.status_code == 200, answer.text
        return load_workbook(io.BytesIO(answer.content))

    def send(self, data: bytes, name: str = "系统.xlsx", system: str = HENAN) -> str:
        csrf = self.page().partition('name="csrf" value="')[2].partition('"')[0]
        answer = self.client.post(
            self.path,
            data={"csrf": csrf, "system": system},
            files={"file": (name, data)},
            headers=self.who,
        )
        return answer.text

    def number(self) -> str | None:
        with self.services.database.read() as connection:
            query = select(TrainingClass).where(TrainingClass.id == self.class_id)
            row = connection.execute(query).one()
        assert row.terms["official_class_no"] == row.official_class_no
        return row.official_class_no


@pytest.fixture
def desk(client: TestClient, county: County) -> Desk:
    return Desk(client, county)


def put(sheet, title: str, values: list[str]) -> None:
    """Fill a column under its title."""
    column = next(cell.column for cell in sheet[1] if cell.value == title)
    for row, value in enumerate(values, start=2):
        sheet.cell(row, column).value = value


def words(sheet) -> list[list[str]]:
    return [[cell.value or "" for cell in row] for row in sheet]


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_class_goes_out_is_numbered_by_the_system_and_comes_back_the_same(desk: Desk) -> None:
    book = desk.book()
    people = book["学员"].max_row - 1
    put(book["班级"], "班级编号", [NUMBER])
    put(book["学员"], "班级编号", [NUMBER] * people)
    put(book["学员"], "学员系统编号", [f"XY{n:06}" for n in range(people)])
    said = saved(book)
    assert f"接收{people}行，退回0行" in desk.send(said)
    assert desk.number() == NUMBER
    again = desk.book()
    for name in ("班级", "学员"):
        assert words(again[name]) == words(load_workbook(io.BytesIO(said))[name])


def test_the_bodies_of_a_public_interfaces_requests_are_its_own(desk: Desk) -> None:
    def requests(system: str = SHANGHAI) -> Any:
        return desk.client.get(f"{desk.path}/{system}/requests.json", headers=desk.who)

    assert requests(HENAN).status_code == 404
    book = Workbook()
    book.active.title = "班级"
    book.active.append(["classCode", "平台班级编号"])
    book.active.append(["211012006193", "c1"])
    desk.send(saved(book), system=SHANGHAI)
    said = requests().json()
    klass, hours = (said[f"/import/downstream/social/{it}"] for it in ("uploadClass", HOURS))
    (told,) = klass["classInfoBasic"]
    assert (told["classCode"], told["learnHour"]) == ("211012006193", 40)
    assert [it["sort"] for it in told["chapterList"]] == list(range(1, 41))
    assert told["studentList"] and all(it["identity"] == "" for it in told["studentList"])
    assert klass["privateKey"] == hours["privateKey"] == ""
    for it in hours["classHourBasic"]:
        assert it["classCode"] == "211012006193" and it["loginList"]
        assert all(0 < at["startTime"] <= at["endTime"] for at in it["loginList"])


def test_a_learners_csv_alone_comes_back_too(desk: Desk) -> None:
    answer = desk.client.get(f"{desk.path}/{HENAN}/learners.csv", headers=desk.who)
    header, *lines = answer.content.decode("utf-8-sig").splitlines()
    at = header.split(",").index("学员系统编号")
    cells = [line.split(",") for line in lines]
    for n, row in enumerate(cells):
        row[at] = f"XY{n}"
    text = "\n".join([header, *map(",".join, cells)])
    assert f"接收{len(lines)}行" in desk.send(text.encode("gb18030"), "学员.csv")


def test_a_row_that_fits_nobody_is_told_by_name_and_the_others_are_taken(desk: Desk) -> None:
    book = desk.book()
    people = book["学员"]
    put(people, "学员系统编号", [f"XY{n:06}" for n in range(people.max_row - 1)])
    people.append([None] * people.max_column)
    stranger = people.max_row + 1
    for title, value in (("姓名", "陌生人"), ("证件号码后四位", "0000"), ("学员系统编号", "XY9")):
        column = next(cell.column for cell in people[1] if cell.value == title)
        people.cell(stranger, column).value = value
    page = desk.send(saved(book))
    assert "退回1行" in page and "陌生人" in page and "班里没有此人" in page


def members(desk: Desk) -> list[tuple[str, str, str]]:
    """Account, name and last four characters of the class's learners, in the order of the file."""
    header, *rows = words(desk.book()["学员"])
    at = [header.index(it) for it in ("平台学员编号", "姓名", "证件号码后四位")]
    return [(row[at[0]], row[at[1]], row[at[2]]) for row in rows]


def sheet(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book)


def test_numbers_that_a_spreadsheet_cut_are_taken_for_nobody(desk: Desk) -> None:
    """Sixteen digits in a cell that is no text end in a zero that is not theirs."""
    before, (_, name, ending) = desk.number(), members(desk)[0]
    book = desk.book()
    put(book["班级"], "班级编号", [4115262026000120])  # type: ignore[list-item]
    page = desk.send(saved(book))
    assert "第2行，班级编号：" in page and "末几位已经丢失" in page and desk.number() == before
    titles = ["姓名", "证件号码后四位", "学员系统编号"]
    for code, told in (
        (4115262026000120, "末几位已经丢失"),
        ("#N/A", "错误值"),
        ("=VLOOKUP(A2,B:C,2,0)", "还没有算出结果"),
    ):
        page = desk.send(sheet(titles, [name, ending, code]))
        assert "退回1行" in page and told in page


def test_one_number_for_two_is_given_to_neither(desk: Desk) -> None:
    one, other, *_ = members(desk)
    titles = ["姓名", "平台学员编号", "学员系统编号"]
    page = desk.send(sheet(titles, [one[1], one[0], "XY1"], [other[1], other[0], "XY1"]))
    assert "接收0行，退回2行" in page and "两名学员的编号相同" in page


def test_people_are_known_however_the_file_writes_their_numbers(desk: Desk) -> None:
    name, number, ending = LIN["name"], LIN["id_number"], LIN["id_number"][-4:]
    assert ending.startswith("0")
    wide = "".join(chr(ord(it) + 0xFEE0) for it in number)
    for title, typed in (
        ("证件号码后四位", int(ending)),
        ("身份证号", f"{number[:6]} {number[6:14]} {number[14:]}"),
        ("居民身份证号码", wide),
        ("身份证号", f"{number[:4]}**********{ending}"),
    ):
        page = desk.send(sheet(["学员姓名", title, "学员系统编号"], [name, typed, "XY7"]))
        assert "接收1行，退回0行" in page, (title, typed)


def test_a_number_of_another_form_is_told(desk: Desk) -> None:
    book = desk.book()
    put(book["班级"], "班级编号", ["第3班"])
    page = desk.send(saved(book))
    assert "第3班" in page and "不是该系统的编号格式" in page
    assert "不是该系统的编号格式" in desk.page()


def test_another_classs_file_changes_nothing(desk: Desk) -> None:
    before = desk.number()
    book = desk.book()
    put(book["班级"], "平台班级编号", ["c2"])
    put(book["班级"], "班级编号", [NUMBER])
    assert "另一个班级" in desk.send(saved(book))
    assert desk.number() == before


def test_a_file_of_the_site_takes_the_place_of_the_shipped_mapping(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = packs.FOLDER / "systems" / f"{HENAN}.toml"
    (tmp_path / "systems").mkdir()
    text = shipped.read_text("utf-8").replace('title = "学员系统编号"', 'title = "学籍号"')
    (tmp_path / "systems" / shipped.name).write_text(text, "utf-8")
    monkeypatch.setenv("ZHENXUE_PACKS_DIR", str(tmp_path))
    assert "学籍号" in [cell.value for cell in desk.book()["学员"][1]]


def test_files_out_and_numbers_in_stand_in_the_audit_log(desk: Desk) -> None:
    desk.send(saved(desk.book()))
    with desk.services.database.read() as connection:
        kept = list(connection.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert [it for it in kept if it in ("export.taken", "system.taken")] == [
        "export.taken",
        "system.taken",
    ]
