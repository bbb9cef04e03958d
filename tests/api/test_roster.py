"""Rosters as schools have them: each row by itself, by name, and one person once."""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain.catalogue.roster_rows import read
from app.services import Services
from app.simulation.entities import invented_id_number
from models import AuditEntry
from tests.people import LIN, WU, County, course, training_class

CASES = Path(__file__).parents[1] / "cases"
ODD_NUMBERS: dict[str, tuple[Any, str | None]] = {
    "r0": ("000000198002020010", None),
    "r1": ("000000198002020010 ", None),
    "r2": (" 000000198002020010", None),
    "r3": ("'000000198002020010", None),
    "r4": ("0000001980 0202 0010", None),
    "r5": ("００００００１９８００２０２００１０", None),
    "r6": ("00000019800202001x", "id_number_check_digit"),
    "r7": ("00000019800202001×", "id_number_check_digit"),
    "r8": ("00000019800202001Х", "id_number_check_digit"),
    "r9": ("00000019800202001Ｘ", "id_number_check_digit"),
    "r10": ("4.11526E+17", "id_number_cut"),
    "r11": ("411526198002020000", "id_number_cut"),
    "r12": ("000000800202001", None),
    "r13": ("H12345678", None),
    "r14": ("M12345678(1)", None),
    "r15": ("830000198002020010", "id_number_check_digit"),
    "r16": ("E12345678", None),
    "r17": ("", "id_number_empty"),
    "r18": (411526198002020011, "id_number_not_text"),
    "r19": (4.1152619800202e17, "id_number_not_text"),
    "r20": ("000000198013450010", "id_number_birth_date"),
    "r21": ("000000198002020011", "id_number_check_digit"),
}
ODD_NAMES = {
    "r100": ("张　三", "张三"),
    "r101": ("买买提·艾力", "买买提·艾力"),
    "r102": ("买买提•艾力", "买买提·艾力"),
    "r103": ("𬭎㛃", "𬭎㛃"),
    "r104": ("\ufeff张三", "张三"),
    "r105": ("张三\t", "张三"),
    "r106": ("张\n三", "张三"),
    "r107": ("  ", None),
    "r108": ("张三（大）", "张三（大）"),
    "r109": ("A" * 130, None),
}


@pytest.fixture
def huang(client: TestClient, county: County) -> TestClient:
    client.headers.update(county.huang.headers)
    client.put("/v1/courses/sewing", json=course())
    assert client.put("/v1/classes/c1", json=training_class()).is_success
    return client


def row(learner_id: str, name: str = "某", number: Any = None, **more: Any) -> dict[str, Any]:
    consent = {"face": True, "at": "2026-02-20T10:00:00+08:00"}
    return {"learner_id": learner_id, "name": name, "id_number": number, "consent": consent} | more


def put(client: TestClient, *rows: Any, class_id: str = "c1") -> Any:
    return client.put(f"/v1/classes/{class_id}/roster", json={"learners": list(rows)})


def codes(answer: Any) -> dict[str, str]:
    body = answer.json()
    refused = body["errors"] if answer.status_code == 422 else body["rejected"]
    return {it["learner_id"]: it["code"] for it in refused}


@pytest.mark.parametrize("learner_id", ODD_NUMBERS)
def test_an_odd_number_is_cleaned_or_refused_by_name(huang: TestClient, learner_id: str) -> None:
    number, code = ODD_NUMBERS[learner_id]
    answer = put(huang, WU, row(learner_id, number=number))
    assert answer.status_code == 200
    assert codes(answer) == ({learner_id: code} if code else {})
    assert answer.json()["enrolled"] == (1 if code else 2)
    for refused in answer.json()["rejected"]:
        assert "某：" in refused["detail"] and "某: " in refused["detail"]
    if "000000198002020010" in str(number) and code is None:
        assert answer.json()["learners"][0]["id_number"].endswith("0010")


def test_a_whole_list_of_odd_rows_loses_only_the_bad_ones(huang: TestClient) -> None:
    rows = [row(key, number=number) for key, (number, _) in ODD_NUMBERS.items()]
    rows += [row(key, name) for key, (name, _) in ODD_NAMES.items()]
    answer = put(huang, *rows)
    expected = {key: code for key, (_, code) in ODD_NUMBERS.items() if code}
    same = ("r1", "r2", "r3", "r4", "r5", "r12")  # all of one person, who stands as r0
    expected |= dict.fromkeys(same, "one_person_twice")
    expected |= {"r107": "name_empty", "r109": "too_long"}
    assert codes(answer) == expected
    kept = {it["learner_id"]: it["name"] for it in answer.json()["learners"]}
    assert {key: kept.get(key) for key in ODD_NAMES} == {k: v for k, (_, v) in ODD_NAMES.items()}
    cleaned = {it["learner_id"]: it["fields"] for it in answer.json()["cleaned"]}
    assert cleaned["r102"] == ["name"] and cleaned["r14"] == ["id_number"]
    assert "r101" not in cleaned and "r16" not in cleaned


def test_a_file_of_odd_rows_as_a_school_typed_them(huang: TestClient) -> None:
    rows = json.loads((CASES / "roster-odd-values.json").read_text("utf-8"))["learners"]
    answer = put(huang, *rows)
    expected = {key: code for key, (_, code) in ODD_NUMBERS.items() if code}
    expected |= dict.fromkeys(("r1", "r2", "r3", "r4", "r5", "r12"), "one_person_twice")
    expected |= {"r107": "name_empty", "r109": "too_long"}
    assert answer.status_code == 200 and codes(answer) == expected
    for refused in answer.json()["rejected"]:
        assert refused["name"] in refused["detail"]
    assert answer.json()["enrolled"] == len(rows) - len(expected)


@pytest.mark.parametrize("name", ["roster-utf-8-sig.csv", "roster-gbk.csv", "roster.xlsx"])
def test_the_rows_of_a_school_s_table_are_taken_or_explained(huang: TestClient, name: str) -> None:
    """A platform reads the table and sends its rows; there is no door for the table itself."""
    rows = [
        row(f"t{at}", it["姓名"], it["身份证号"], employer=it["工作单位"], category=it["人员类别"])
        for at, it in enumerate(table(CASES / name), 1)
    ]
    answer = put(huang, *rows)
    assert answer.status_code == 200
    assert [it["name"] for it in answer.json()["learners"]] == ["张三", "买买提·艾力"]
    (refused,) = answer.json()["rejected"]
    cut = name.endswith("xlsx")  # of the third number Excel kept fifteen digits
    assert refused["code"] == ("id_number_cut" if cut else "bad_id_number")
    assert refused["learner_id"] == "t3" and refused["name"] in refused["detail"]


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV or an XLSX file under its line of headings."""
    if path.suffix == ".csv":
        encoding = "gbk" if "gbk" in path.name else "utf-8-sig"
        return list(csv.DictReader(io.StringIO(path.read_text(encoding))))
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as file:
        shared = ElementTree.fromstring(file.read("xl/sharedStrings.xml"))
        sheet = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))
    texts = [it.findtext("m:t", "", space) for it in shared.findall("m:si", space)]

    def cell(it: ElementTree.Element) -> str:
        value = it.findtext("m:v", "", space)
        return texts[int(value)] if it.get("t") == "s" else value

    lines = [
        [cell(it) for it in line.findall("m:c", space)]
        for line in sheet.iterfind(".//m:row", space)
    ]
    head = next(at for at, line in enumerate(lines) if "姓名" in line)
    return [dict(zip(lines[head], line, strict=False)) for line in lines[head + 1 :]]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some),
    max_leaves=5,
)
fields = st.sampled_from(["learner_id", "name", "id_number", "id_type", "consent", "employer"])


@seed(20261128)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.dictionaries(fields, anything) | anything, max_size=6))
def test_every_refused_row_says_whom_it_is_about(rows: list[Any]) -> None:
    good, bad, _ = read(rows)
    assert sorted([index for index, _ in good] + [it.index for it in bad]) == [*range(len(rows))]
    for error in bad:
        assert error.name and error.name in error.detail
        assert " / " in error.detail and error.field


def test_two_people_under_one_number_are_both_kept_out(huang: TestClient) -> None:
    number = invented_id_number(7)
    answer = put(huang, WU, row("a", "林一", number), row("b", "吴二", number))
    assert codes(answer) == {"a": "id_number_shared", "b": "id_number_shared"}
    for refused in answer.json()["rejected"]:
        assert "两人身份证号相同" in refused["detail"]
        assert "林一" in refused["detail"] and "吴二" in refused["detail"]
        assert number not in refused["detail"]
    assert [it["learner_id"] for it in answer.json()["learners"]] == ["wu"]


def test_one_person_stands_once_under_whatever_account(huang: TestClient) -> None:
    number = invented_id_number(7)
    put(huang, row("a", "林一", number))
    again = put(huang, row("b", "林　一", number), WU)
    assert codes(again) == {"b": "one_person_twice"}
    other = put(huang, row("c", "吴二", number))
    assert codes(other) == {"c": "id_number_shared"} and "林一" in other.json()["detail"]
    # the one who stands there already is no part of the question
    assert codes(put(huang, row("c", "吴二", number), row("a", "林一", number))) == {
        "c": "id_number_shared"
    }


def test_another_name_under_a_number_of_another_class_is_a_question(huang: TestClient) -> None:
    huang.put("/v1/courses/selling", json=course("selling"))
    klass = training_class("c2", course_ids=["selling"])
    huang.put("/v1/classes/c2", json=klass)
    number = invented_id_number(7)
    put(huang, row("a", "林一", number))
    assert codes(put(huang, row("b", "吴二", number), class_id="c2")) == {"b": "id_number_shared"}
    assert put(huang, row("b", "林一", number), class_id="c2").status_code == 200


def test_two_mixed_up_numbers_are_set_right_in_one_call(huang: TestClient) -> None:
    one, two = invented_id_number(7), invented_id_number(8)
    put(huang, row("a", "林一", two, consent=None))
    right = [row("b", "吴二", two, consent=None), row("a", "林一", one, consent=None)]
    answer = put(huang, *right)
    assert answer.json()["rejected"] == [] and answer.json()["enrolled"] == 2


def test_eighty_persons_are_counted_and_not_eighty_rows(huang: TestClient) -> None:
    rows = [row(f"p{n}", f"学员{n}", invented_id_number(n + 1)) for n in range(80)]
    twin = row("twin", "学员0", invented_id_number(1))
    bad = row("bad", "郑某", "000000198002020011")
    answer = put(huang, *rows, twin, bad)
    assert answer.json()["enrolled"] == 80
    assert codes(answer) == {"twin": "one_person_twice", "bad": "id_number_check_digit"}
    assert put(huang, row("one-more", "王某", invented_id_number(99))).json()["code"] == (
        "roster_too_large"
    )


def audited(services: Services, action: str) -> list[Any]:
    with services.database.read() as connection:
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(connection.execute(query))


def test_a_name_may_be_corrected_while_there_is_no_evidence(
    huang: TestClient, services: Services
) -> None:
    put(huang, row("a", "林亿", invented_id_number(7), consent=None))
    answer = put(huang, row("a", "林一", invented_id_number(8)))
    assert [it["name"] for it in answer.json()["learners"]] == ["林一"]
    assert [it.detail["fields"] for it in audited(services, "learner.corrected")] == [
        ["name", "id_number"]
    ]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "郑某"}, ["name"]),
        ({"id_number": invented_id_number(9)}, ["id_number"]),
        ({"name": "郑某", "id_number": invented_id_number(9)}, ["name", "id_number"]),
    ],
)
def test_nobody_becomes_somebody_else_in_silence(
    huang: TestClient, services: Services, change: dict[str, Any], fields: list[str]
) -> None:
    put(huang, LIN, WU)
    answer = put(huang, LIN | change, WU)
    assert answer.status_code == 200
    (refused,) = answer.json()["rejected"]
    assert refused["code"] == "identity_frozen" and LIN["name"] in refused["detail"]
    assert "identity_correction" in refused["detail"]
    assert put(huang, LIN | change).status_code == 422
    import_ = {"kind": "roster", "class_id": "c1", "learners": [LIN | change]}
    report = huang.post("/v1/imports", json=import_).json()
    assert [it["code"] for it in report["rejected"]] == ["identity_frozen"]
    (lin, _) = huang.get("/v1/classes/c1/roster").json()["learners"]
    assert (lin["name"], lin["id_number"][-4:]) == (LIN["name"], "0022")
    entries = audited(services, "roster.identity_refused")
    assert [it.detail["fields"] for it in entries] == [fields] * 3


def test_other_words_for_one_name_are_no_other_person(huang: TestClient) -> None:
    put(huang, row("a", "买买提·艾力", invented_id_number(7)))
    answer = put(huang, row("a", "买买提 • 艾力", invented_id_number(7), employer="新厂"))
    assert answer.json()["rejected"] == []
    assert answer.json()["learners"][0]["employer"] == "新厂"


fresh = itertools.count(1)


@seed(20261128)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8
)
@given(st.permutations(range(6)), st.integers(0, 3))
def test_who_is_kept_out_hangs_on_no_order(huang: TestClient, order: list[int], pairs: int) -> None:
    """People under each other's number are kept out together, whoever stands first."""
    n = next(fresh) * 10
    huang.put(f"/v1/classes/c{n}", json=training_class(f"c{n}"))
    numbers = [invented_id_number(n + (k // 2 if k < 2 * pairs else k)) for k in range(6)]
    rows = [row(f"x{n + k}", f"学员{k}", number) for k, number in enumerate(numbers)]
    answer = put(huang, *(rows[k] for k in order), class_id=f"c{n}")
    assert codes(answer) == {f"x{n + k}": "id_number_shared" for k in range(2 * pairs)}
