"""One cause is one case: decided once, exceptions taken out, undone, corrected, shared out."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.store.review import cases as store
from models import Assignment, AuditEntry, Finding, Review, ReviewCase, Session
from tests.console.conftest import Desk
from tests.evidence import picture

NewDesk = Callable[[], Desk]
REASON = "平台未设弹窗，已与平台核实。"
DAY_MS = 86_400_000
LIGHT = {
    "rule": "popup_gap",
    "reason": "none_issued",
    "fault": "platform",
    "needs_two_reviewers": False,
}


def one_case(desk: Desk, *findings: str, **changes: Any) -> tuple[int, list[int]]:
    """Give findings of the county one cause, as a judgement would have."""
    ids = sorted(desk.county.findings[it] for it in findings)
    with desk.services.database.write() as connection:
        chosen = Finding.id.in_(ids)
        connection.execute(update(Finding).where(chosen).values(**LIGHT | changes))
        query = select(Finding.__table__).where(chosen)
        rows = [dict(it._mapping) for it in connection.execute(query)]
        store.file_under(connection, rows[0]["class_id"], rows, desk.clock())
        (case,) = {row["case_id"] for row in rows}
        connection.execute(update(Finding).where(chosen).values(case_id=case))
    return case, ids


def post(desk: Desk, path: str, **form: Any) -> Any:
    csrf = desk.csrf("/console/cases")
    return desk.client.post(f"/console/cases/{path}", data={"csrf": csrf, **form})


def decide(desk: Desk, case: int, decision: str = "uphold", **form: Any) -> Any:
    seen = re.search(r'name="seen" value="([^"]+)"', desk.get(f"/console/cases/{case}"))
    form = {"seen": seen[1] if seen else "", "reason": REASON, **form}
    return post(desk, f"{case}/decision", decision=decision, **form)


def statuses(desk: Desk, ids: list[int]) -> list[str]:
    with desk.services.database.read() as connection:
        query = select(Finding.status).where(Finding.id.in_(ids)).order_by(Finding.id)
        return list(connection.scalars(query))


def keeper(desk: Desk, case: int) -> int | None:
    with desk.services.database.read() as connection:
        return connection.scalar(select(Assignment.user_id).where(Assignment.case_id == case))


def arranged(desk: Desk, case: int) -> Any:
    with desk.services.database.read() as connection:
        return connection.execute(select(ReviewCase).where(ReviewCase.id == case)).one()


FOUR = ("fast:fast_forward", "gap:popup_gap", "other:face_liveness")


def test_deciding_a_case_settles_its_findings_but_those_taken_out(desk: Desk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR)
    assert f"/console/cases/{case}" in desk.get("/console/cases")
    answer = decide(desk, case, without=ids[1])
    assert answer.status_code == 200 and "已决定2条" in answer.text
    assert statuses(desk, ids) == ["upheld", "open", "upheld"]
    with desk.services.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Review)) == 2
        details = connection.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "finding.uphold")
        ).all()
    assert [it["case"] for it in details] == [case, case]
    assert desk.followed == [ids[0], ids[2]]


def test_a_case_shows_what_upholding_does_and_sittings_at_once_on_one_axis(desk: Desk) -> None:
    case, ids = one_case(desk, "fast:fast_forward", "gap:popup_gap")
    with desk.services.database.write() as connection:
        mine, other = (
            connection.execute(
                select(Session.id, Session.external_id)
                .join(Finding, Finding.session_id == Session.id)
                .where(Finding.id == it)
            ).one()
            for it in (
                desk.county.findings["fast:fast_forward"],
                desk.county.findings["gap:popup_gap"],
            )
        )
        concerned = Finding.session_id == mine.id, Finding.id.in_(ids)
        body = connection.scalar(select(Finding.body).where(*concerned))
        named = body | {"rival_session_id": other.external_id}
        connection.execute(update(Finding).where(*concerned).values(body=named))
    page = desk.sign_in("zhao").get(f"/console/cases/{case}")
    assert "认定之后：" in page
    axis = page.partition("同时进行的学习</h2>")[2].partition("</section>")[0]
    assert f"/console/sessions/{mine.id}" in axis and f"/console/sessions/{other.id}" in axis


def test_what_came_to_the_case_meanwhile_is_not_decided_unseen(desk: Desk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR)
    answer = decide(desk, case, seen=f"2-{ids[1]}")
    assert (
        answer.status_code == 422 and "本案又有了新的问题" in answer.text and REASON in answer.text
    )
    assert statuses(desk, ids) == ["open"] * 3


def test_who_comes_second_is_told_that_somebody_decided(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR)
    sun = new_desk().sign_in("sun")
    seen = re.search(r'name="seen" value="([^"]+)"', sun.get(f"/console/cases/{case}"))
    assert seen and decide(desk, case).status_code == 200
    answer = decide(sun, case, seen=seen[1])
    assert "已有他人作出决定，您这次没有存入" in answer.text
    assert statuses(desk, ids) == ["upheld"] * 3


def test_two_people_decide_a_case_that_needs_two(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR, needs_two_reviewers=True)
    decide(desk, case)
    assert statuses(desk, ids) == ["first_review"] * 3
    assert "等待另一人复核" in desk.get(f"/console/cases/{case}")
    sun = new_desk().sign_in("sun")
    page = sun.get(f"/console/cases/{case}")
    assert REASON not in page and "已决定3条（您决定后显示）" in page
    decide(sun, case)
    assert statuses(desk, ids) == ["upheld"] * 3
    assert REASON in sun.get(f"/console/cases/{case}")


def test_a_decision_can_be_undone_for_minutes_and_by_its_author_alone(
    desk: Desk, new_desk: NewDesk
) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR)
    decide(desk, case)
    assert "不能撤回" in post(new_desk().sign_in("sun"), f"{case}/undo").text
    assert "已撤回" in post(desk, f"{case}/undo").text
    assert statuses(desk, ids) == ["open"] * 3
    assert "已不作数" in desk.get(f"/console/cases/{case}")
    decide(desk, case, "overturn")
    desk.clock.now_ms += 11 * 60_000
    assert post(desk, f"{case}/undo").status_code == 422
    assert statuses(desk, ids) == ["overturned"] * 3


def test_undoing_the_second_of_two_leaves_the_first(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR, needs_two_reviewers=True)
    decide(desk, case)
    desk.clock.now_ms += 1000
    sun = new_desk().sign_in("sun")
    decide(sun, case)
    assert "不能撤回" in post(desk, f"{case}/undo").text
    post(sun, f"{case}/undo")
    assert statuses(desk, ids) == ["first_review"] * 3


def test_a_correction_opens_what_was_decided_and_keeps_it_on_record(desk: Desk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR)
    decide(desk, case)
    desk.clock.now_ms += DAY_MS
    desk.sign_in("zhao")
    assert post(desk, f"{case}/correction", finding=ids[0], reason="错").status_code == 422
    post(desk, f"{case}/correction", finding=ids[0], reason="核对错了一个平台")
    assert statuses(desk, ids) == ["open", "upheld", "upheld"]
    page = desk.get(f"/console/cases/{case}")
    assert "核对错了一个平台" in page and "已不作数" in page
    decide(desk, case, "overturn")
    assert statuses(desk, ids) == ["overturned", "upheld", "upheld"]


def test_a_case_of_another_county_is_not_there(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, ids = one_case(desk, *FOUR)
    qian = new_desk().sign_in("qian")
    assert qian.client.get(f"/console/cases/{case}").status_code == 404
    for path in ("decision", "undo", "correction", "notes", "arrange"):
        assert post(qian, f"{case}/{path}", decision="uphold", reason=REASON).status_code == 404
    assert statuses(desk, ids) == ["open"] * 3


def test_a_case_put_off_comes_back_on_its_day_and_for_something_new(desk: Desk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    assert post(desk, f"{case}/arrange", act="snooze", until="2026-04-07").status_code == 422
    post(desk, f"{case}/arrange", act="snooze", until="2026-04-10")
    link = f'/console/cases/{case}"'
    assert link not in desk.get("/console/cases")
    assert f"/console/cases/{case}" in desk.get("/console/cases?state=snoozed")
    with desk.services.database.write() as connection:
        store.wake(connection, [case])
    assert link in desk.get("/console/cases")
    post(desk, f"{case}/arrange", act="snooze", until="2026-04-10")
    desk.clock.now_ms += 2 * DAY_MS
    assert link in desk.sign_in("zhao").get("/console/cases")


def test_a_case_is_due_ten_days_on_and_then_overdue(desk: Desk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    assert arranged(desk, case).due_on == "2026-04-18"
    post(desk, f"{case}/arrange", act="due", due_on="2026-04-09")
    assert "/console/cases/" not in desk.get("/console/cases?overdue=1").split("<tbody")[-1]
    desk.clock.now_ms += 2 * DAY_MS
    assert f"/console/cases/{case}" in desk.sign_in("zhao").get("/console/cases?overdue=1")


def test_taking_the_next_leads_through_the_cases_nobody_has(desk: Desk) -> None:
    desk.sign_in("zhao")
    first = post(desk, "next").url.path
    assert first.startswith("/console/cases/") and first != "/console/cases"
    assert keeper(desk, int(first.rpartition("/")[2])) is not None
    seen = {first}
    while (path := post(desk, "next").url.path) != "/console/cases":
        assert path not in seen
        seen.add(path)
    assert "尚无人负责" in desk.get("/console/cases?assigned=nobody")


def test_sharing_out_gives_everybody_as_many_as_they_may_have(desk: Desk) -> None:
    desk.sign_in("zhao")
    assert post(desk, "share", act="all", limit="0").status_code == 422
    told = post(desk, "share", act="all", limit="1").text
    with desk.services.database.read() as connection:
        held = connection.scalars(select(Assignment.user_id)).all()
    assert len(held) == len(set(held)) >= 2 and f"已分派{len(held)}案" in told


def test_who_decided_first_is_not_given_the_second_decision(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR, needs_two_reviewers=True)
    decide(desk, case)
    sun = new_desk().sign_in("sun")
    post(sun, "share", act="all", limit="200")
    name = re.search(r"<dt>负责人</dt><dd>([^<]+)", sun.get(f"/console/cases/{case}"))
    assert name and name[1] == "孙丽"


def test_a_comment_with_a_file_is_kept_sealed_and_given_back(desk: Desk, new_desk: NewDesk) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    csrf = desk.csrf("/console/cases")
    answer = desk.client.post(
        f"/console/cases/{case}/notes",
        data={"csrf": csrf, "comment": "平台书面答复"},
        files={"file": ("答复<1>.png", picture(0), "text/html")},
    )
    assert answer.status_code == 200 and "平台书面答复" in answer.text
    path = re.search(rf"/console/cases/{case}/files/\d+", answer.text)
    assert path
    given = desk.client.get(path[0])
    assert given.content == picture(0) and given.headers["content-type"] == "image/png"
    assert given.headers["content-disposition"].startswith("attachment;")
    stored = [
        it for it in (desk.services.settings.data_dir / "blobs").rglob("cases/**/*") if it.is_file()
    ]
    assert len(stored) == 1 and picture(0)[:40] not in stored[0].read_bytes()
    feng = new_desk().sign_in("feng")
    assert feng.client.get(path[0]).status_code == 403
    with desk.services.database.read() as connection:
        wanted = AuditEntry.action == "case.file_opened"
        query = select(AuditEntry.actor, AuditEntry.subject).where(wanted)
        assert connection.execute(query).all() == [("user:zhao", f"case:{case}")]
    assert "平台书面答复" not in feng.get(f"/console/cases/{case}")


def office(*names: str, **parts: str) -> bytes:
    """A document with these parts; `parts` by the last word of their names."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name in names:
            told = next((it for word, it in parts.items() if word in name), "<x/>")
            archive.writestr(name, told)
    return kept.getvalue()


DOCX = ("[Content_Types].xml", "word/document.xml", "word/_rels/settings.xml.rels")
XLSX = ("[Content_Types].xml", "xl/workbook.xml", "xl/macros.bin", "xl/externalLinks/link1.xml")
_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def linked(kind: str) -> str:
    return (
        f'<Relationships><Relationship Id="r" Type="{_TYPE}{kind}" Target="https://x.example/a"'
        ' TargetMode="External"/></Relationships>'
    )


def pdf(
    objects: bytes,
    filter_name: bytes = b"/FlateDecode",
    more: bytes = b"",
    within: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """One whose objects are packed, as most programs write it; `within` packs them first."""
    packed = zlib.compress(within(b"1 0 2 60 " + objects))
    return (
        b"%PDF-1.7\n9 0 obj\n<< /Type /ObjStm /N 2 /First 9 /Filter "
        + filter_name
        + b" >>\nstream\n"
        + packed
        + b"\nendstream\nendobj\n"
        + more
        + b"\ntrailer << /Root 1 0 R >>\n%%EOF"
    )


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R "
ACTING = CATALOGUE + b"/OpenAction << /S /JavaScript /JS (x) >> >>"


def spaced_hex(objects: bytes) -> bytes:
    return objects.hex(" ").encode() + b">"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("说明.pdf", pdf(CATALOGUE + b"/OpenAction [2 0 R /Fit] >>")),
        (
            "扫描.pdf",
            pdf(CATALOGUE + b">>", more=b"stream\n" + b"\x81/AA\x02/JS\x03" + b"\nendstream"),
        ),
        ("说明.docx", office(*DOCX, rels=linked("hyperlink"))),
        ("汇总.xlsx", office(*XLSX, link1='<l><externalBook r="1"/></l>')),
    ],
)
def test_files_as_people_make_them_are_taken(desk: Desk, name: str, data: bytes) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    answer = desk.client.post(
        f"/console/cases/{case}/notes",
        data={"csrf": desk.csrf("/console/cases")},
        files={"file": (name, data)},
    )
    assert answer.status_code == 200 and name in answer.text


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.pdf", b"<html><script>", "附件不是照片"),
        ("a.pdf", b"%PDF-1.7 /Open /J#61vaScript (x)", "含有宏"),
        ("a.png", b"\x89PNG\r\n\x1a\nrubbish", "再交"),
        ("a.xlsx", office("xl/workbook.xml", "xl/vbaProject.bin"), "含有宏"),
        ("a.docx", office("whatever.xml"), "附件不是照片"),
        ("a.pdf", pdf(CATALOGUE + b"/OpenAction << /S /JavaScript /JS (x) >> >>"), "含有宏"),
        ("a.pdf", pdf(ACTING, b"[/FlateDecode /FlateDecode]", within=zlib.compress), "加了密"),
        ("a.pdf", pdf(ACTING, b"[/FlateDecode/ASCIIHexDecode]", within=spaced_hex), "加了密"),
        ("a.pdf", pdf(ACTING, b"[/Fl /AHx]", within=spaced_hex), "加了密"),
        ("a.pdf", pdf(CATALOGUE + b"/Names << /Embedded#46iles 3 0 R >> >>"), "含有宏"),
        (
            "a.pdf",
            pdf(CATALOGUE + b">>", b"/FlateDecode /Predictor 12"),
            "加了密",
        ),
        ("a.pdf", pdf(CATALOGUE + b">>").replace(b"stream\nx", b"stream\n789C"), "加了密"),
        ("a.pdf", pdf(CATALOGUE + b">>", more=b"trailer << /Encrypt 4 0 R >>"), "加了密"),
        ("a.docx", office(*DOCX, rels=linked("attachedTemplate")), "含有宏"),
        ("a.docx", office(*DOCX, rels=linked("image")), "含有宏"),
        (
            "a.docx",
            office(
                *DOCX,
                document='<d xmlns:w="w"><w:instrText>DDE</w:instrText>'
                "<w:instrText>AUTO c:\\cmd.exe</w:instrText></d>",
            ),
            "含有宏",
        ),
        (
            "a.xlsx",
            office(
                *XLSX,
                Content='<Types><Override PartName="/xl/macros.bin"'
                ' ContentType="application/vnd.ms-office.vbaProject"/></Types>',
            ),
            "含有宏",
        ),
        ("a.xlsx", office(*XLSX, link1='<l><ddeLink ddeService="cmd"/></l>'), "含有宏"),
        ("a.xlsx", office(*XLSX, Content="no xml"), "加了密"),
        ("a.pdf", b"", "请写备注"),
    ],
)
def test_files_that_act_or_are_something_else_are_refused(
    desk: Desk, name: str, data: bytes, told: str
) -> None:
    desk.sign_in("zhao")
    case, _ = one_case(desk, *FOUR)
    answer = desk.client.post(
        f"/console/cases/{case}/notes",
        data={"csrf": desk.csrf("/console/cases")},
        files={"file": (name if data else "", data)},
    )
    assert answer.status_code == 422 and told in answer.text


def alike(desk: Desk, *findings: str, **changes: Any) -> list[int]:
    """A case of its own for each finding, light and all alike."""
    light = {"outcome": "not_proven", "body": {"voids": False}, **LIGHT, **changes}
    ids = [desk.county.findings[it] for it in findings]
    with desk.services.database.write() as connection:
        for it in ids:
            case = {"key": f"alike-{it}", "kind": "sitting", "opened_ms": desk.clock()}
            query = insert(ReviewCase).values(**case, due_on="2026-05-01").returning(ReviewCase.id)
            body = connection.scalar(select(Finding.body).where(Finding.id == it))
            values = {**light, "body": {**body, **light["body"]}}
            values["case_id"] = connection.scalar(query)
            connection.execute(update(Finding).where(Finding.id == it).values(**values))
        rows = select(Finding.case_id).where(Finding.id.in_(ids))
        return [it for it in connection.scalars(rows.order_by(Finding.id)) if it]


def decide_several(desk: Desk, cases: list[int], counted: int = 1, **form: Any) -> Any:
    told = [f"{it}:{counted}" for it in cases]
    form = {"decision": "overturn", "reason": REASON, "counted": told, **form}
    return post(desk, "decide", case=cases, **form)


SEVERAL = ("fast:fast_forward", "gap:popup_gap")


def test_cases_that_are_alike_are_decided_together_and_taken_back_together(desk: Desk) -> None:
    desk.sign_in("zhao")
    cases = alike(desk, *SEVERAL)
    ids = [desk.county.findings[it] for it in SEVERAL]
    page = desk.get("/console/cases")
    assert all(f'value="{it}:1"' in page for it in cases)
    done = decide_several(desk, cases)
    assert "已决定2案" in done.text and statuses(desk, ids) == ["overturned"] * 2
    with desk.services.database.read() as connection:
        given = select(func.count()).select_from(Review).where(Review.finding_id.in_(ids))
        assert connection.scalar(given) == 2
    assert post(desk, "undo", case=cases).status_code == 200
    assert statuses(desk, ids) == ["open"] * 2


@pytest.mark.parametrize(
    ("changes", "counted", "told"),
    [
        ({"outcome": "violation"}, 1, "须逐条决定"),
        ({"needs_two_reviewers": True}, 1, "须逐条决定"),
        ({"body": {"voids": True}}, 1, "须逐条决定"),
        ({}, 2, "又有了新的问题"),
    ],
)
def test_grave_cases_and_cases_that_changed_are_not_decided_together(
    desk: Desk, changes: dict[str, Any], counted: int, told: str
) -> None:
    desk.sign_in("zhao")
    cases = alike(desk, *SEVERAL, **changes)
    refused = decide_several(desk, cases, counted)
    assert refused.status_code == 422 and told in refused.text and REASON in refused.text


def test_cases_that_differ_are_not_decided_together(desk: Desk) -> None:
    desk.sign_in("zhao")
    cases = alike(desk, SEVERAL[0]) + alike(desk, SEVERAL[1], reason="ignored")
    assert "都相同的问题才能一并决定" in decide_several(desk, cases).text
