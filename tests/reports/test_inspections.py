"""Remote inspections leave the house: in lists to sign, and in a package that draws them again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from app.canonical import canonical
from app.domain.accounts import users
from app.domain.review import inspections
from app.domain.review.inspections import drawn
from app.reports import container, exports, layout, package
from app.reports.exports import ExportOptions
from app.reports.package import ndjson
from app.reports.sheet import Sheet
from app.reports.verify import verify
from app.services import Services
from app.store.catalogue.catalogue import ClassRow
from app.store.review import inspections as store
from app.store.scope import EVERYTHING
from models import Session
from tests.people import HUANGCHUAN
from tests.reports.test_package import named, resealed
from tests.verdicts import sign_in

PERSON, KEY = ExportOptions("user:zhao", named=True), ExportOptions("key:1", named=False)
Members = dict[str, bytes]


@pytest.fixture
def inspected(services: Services, klass: ClassRow) -> int:
    """Zhao drew three of the roster while one was learning, and met one of them, at last."""
    sign_in(services, "zhao", HUANGCHUAN)
    now_ms = services.clock()
    with services.database.write() as connection:
        zhao = users.check_password(connection, "zhao", "a-quiet-river-in-henan")
        assert zhao is not None
        first = connection.execute(Session.__table__.select().limit(1)).one()
        mine = update(Session).where(Session.id == first.id)
        connection.execute(mine.values(state="open", closed_ms=None, last_recv_ms=now_ms))
        made = inspections.draw(connection, klass.id, zhao, "roster", 3, now_ms)
        who = store.one(connection, made, EVERYTHING).drawn[0]
        for result, remark in (("absent", ""), ("present", "视频通话，本人在学")):
            inspections.check(connection, made, zhao, who, result, remark, now_ms)
        connection.execute(mine.values(state="closed", closed_ms=now_ms))
    return made


def sheet(services: Services, klass: ClassRow, name: str, options: ExportOptions = PERSON) -> Sheet:
    (made,) = exports.sheets(services, klass, [name], options)
    return made


def test_the_list_tells_who_was_drawn_from_whom_by_which_seed_and_what_was_found(
    services: Services, klass: ClassRow, inspected: int
) -> None:
    told = sheet(services, klass, "inspections")
    assert len(told.rows) == told.count("抽中人次") == 3
    assert list(told.values("巡查结果")) == ["本人在学", "未登记", "未登记"]
    assert told.count("本人在学") == 1 and told.count("未在学") == 0, "the last entry counts"
    with services.database.read() as connection:
        made = store.one(connection, inspected, EVERYTHING)
    seed, size = told.values("抽取种子")[0], told.values("范围人数")[0]
    assert size == len(made.frame)
    assert list(told.values("学员编号")) == drawn(str(seed), made.frame, 3)


def test_who_was_on_line_at_the_draw_is_a_list_of_its_own(
    services: Services, klass: ClassRow, inspected: int
) -> None:
    told = sheet(services, klass, "inspections-online")
    assert told.count("在线人次") == len(told.rows) == 1
    assert sheet(services, klass, "inspections").values("在线人数")[0] == 1


def test_a_platform_reads_the_record_and_not_who_inspected(
    services: Services, klass: ClassRow, inspected: int
) -> None:
    own = sheet(services, klass, "inspections").values("抽取人")[0]
    assert own not in sheet(services, klass, "inspections", KEY).values("抽取人")


@pytest.fixture
def members(services: Services, klass: ClassRow, inspected: int) -> Members:
    return container.unpack(package.export(services, klass, PERSON, EVERYTHING).file.data)


def lines(members: Members, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members[name].splitlines()]


def test_a_package_draws_its_inspections_again(members: Members) -> None:
    report = verify(container.pack(members))
    assert not report.problems and report.checked["draws"] == 1
    assert members["lists/inspections.csv"].decode("utf-8-sig").count("本人在学") >= 1


def test_every_field_of_an_inspection_is_in_the_dictionary(members: Members) -> None:
    dictionary = members["dictionary.csv"].decode()
    for name, meanings in layout.LINES.items():
        for row in lines(members, name):
            assert row.keys() == meanings.keys()
        assert all(f"{name},,{field}," in dictionary for field in meanings)


@pytest.mark.parametrize("field", ["seed", "frame", "drawn", "drawn_ms", "frame_kind"])
def test_a_draw_that_was_changed_and_sealed_anew_is_found(members: Members, field: str) -> None:
    (row,) = lines(members, "inspections.ndjson")
    other = {
        "seed": "0" * 32,
        "frame": row["frame"][1:],
        "drawn": row["drawn"][::-1],
        "drawn_ms": row["drawn_ms"] + 1,
        "frame_kind": "online",
    }
    changed = ndjson([row | {field: other[field]}])
    report = verify(resealed({**members, "inspections.ndjson": changed}))
    assert named(report) == {"inspections.ndjson"}
    assert {it.code for it in report.problems} == {"draw"}


def test_a_more_convenient_draw_made_up_afterwards_contradicts_the_audit_log(
    members: Members,
) -> None:
    (row,) = lines(members, "inspections.ndjson")
    chosen = row | {"seed": "1" * 32, "drawn": drawn("1" * 32, row["frame"], 3)}
    report = verify(resealed({**members, "inspections.ndjson": canonical(chosen) + b"\n"}))
    assert "the audit log names another seed" in report.problems[0].detail


def test_an_inspection_or_a_result_that_was_left_out_is_missed(members: Members) -> None:
    report = verify(resealed({**members, "inspections.ndjson": b""}))
    assert "is missing here" in report.problems[0].detail
    one = ndjson(lines(members, "inspection-checks.ndjson")[1:])
    report = verify(resealed({**members, "inspection-checks.ndjson": one}))
    assert named(report) == {"inspection-checks.ndjson"}
