"""Every list has its columns, says who is who, and its counts tie to the other lists'."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import select, update

from app.domain.accounts import users
from app.domain.catalogue import classes, records
from app.domain.catalogue.classes import ClassTerms
from app.reports import csv, exports, package, signed_lists
from app.reports.dossier import Dossier
from app.reports.exports import ExportOptions
from app.reports.lists import LISTS
from app.reports.sheet import NO_DATA, Sheet
from app.reports.verify import verify
from app.services import Services
from app.store.catalogue import class_file
from app.store.catalogue.catalogue import ClassRow
from app.store.review import reviews
from app.store.scope import EVERYTHING
from detectors import registry
from models import Enrolment, Finding, Learner, TrainingClass, Verdict
from tests.people import County, training_class

INVALID = (
    "班级编号, 姓名, 证件后四位, 课程, 课时序号, 发生时间, 规则, 对应条款, 条款原文, 事实描述, "
    "证据编号, 责任方, 影响范围, 处理, 初审人, 复核人, 复核时间, 申诉状态"
)
ANNEX_2 = """
培训机构（或企业、个人）名称 联系人及电话 开户银行名称 银行帐号 开班申请 开班批次及开班时间
培训工种及级别 拟培训人数 培训时长 拟培训方式（企业自主培训或委托培训等）
培训计划及人员名册是否在职业培训信息化管理系统填报 行业主管部门审核意见
人力资源社会保障部门审核意见 过程监管 开班当日检查情况 培训期间检查情况
检查情况是否在职业培训信息化管理系统填报 平均出勤人数 人力资源社会保障部门检查意见 结业考核
参加考核人数 其中 参加国家职业资格鉴定人数 参加职业技能等级评定人数 参加特种作业操作考核人数
参加专项能力考核认定人数 参加结业考核人数 考核结果是否在职业培训信息化管理系统填报 取证总人数
考核巡查人员签字 补贴资金申领 企业或培训机构或个人向行业主管部门申请 申请补贴人数 申请补贴资金
行业主管部门审核情况（自受理之日起15个工作日内）
人力资源社会保障部门对补贴信息公示情况（不少于3个工作日） 资金拨付 拨付时间 拨付金额（万元）
资金来源（就业补助资金、失业保险基金、职业技能提升行动资金等） 备注
""".split()  # the labels of the plan's form
AN_AUDITOR = ExportOptions("user:zhao", named=True)


@pytest.fixture
def sheets(services: Services, klass: ClassRow) -> dict[str, Sheet]:
    made = exports.sheets(services, klass, list(LISTS), AN_AUDITOR)
    return {it.name: it for it in made}


def test_the_list_of_invalid_hours_has_the_prescribed_columns_and_what_was_upheld_alone(
    services: Services, klass: ClassRow, sheets: dict[str, Sheet]
) -> None:
    assert ", ".join(it.title for it in sheets["invalid-hours"].columns) == INVALID
    assert not sheets["invalid-hours"].rows
    with services.database.write() as connection:
        connection.execute(update(Finding).values(status="upheld"))
    (listed,) = exports.sheets(services, klass, ["invalid-hours"], AN_AUDITOR)
    assert listed.rows


def test_every_list_names_institution_class_pack_period_time_and_digest(
    sheets: dict[str, Sheet],
) -> None:
    for sheet in sheets.values():
        told = dict(sheet.lines)
        rules = {"依据", "公示单位", "公示期"} if sheet.posted else {"依据", "生成时间"}
        assert set(told) >= {"培训机构", "班级编号（批次）", "培训期间"} | rules
        assert all(told.values()), sheet.name
        foot = {"规则包", "内容摘要"}
        assert not foot & set(told) and set(dict(sheet.proof)) == (set() if sheet.posted else foot)
        assert sheet.counts, sheet.name


def test_the_counts_tie(sheets: dict[str, Sheet]) -> None:
    roster = len(sheets["roster"].rows)
    summary, detail, invalid = (
        sheets[it] for it in ("hours-summary", "hours-detail", "invalid-hours")
    )
    assert summary.count("花名册人数") == roster == len(summary.rows)
    assert len(detail.rows) == summary.count("计划课时合计（人数×课时）")
    for outcome in ("有效", "无效", "未能证实", "待人工审核", "未学完", "未学习"):
        total = summary.count(f"{outcome}课时")
        assert sum(int(it or 0) for it in summary.values(f"{outcome}课时")) == total
        assert list(detail.values("结论")).count(outcome) == total
    lost = set(zip(invalid.values("姓名"), invalid.values("课时序号"), strict=True))
    assert invalid.count("无效课时（人·课时）") == summary.count("无效课时") == len(lost)
    parts = [len(sheets[it].rows) for it in ("admitted", "refused", "pending")]
    for name in ("admitted", "refused", "pending", "batch-report"):
        told = [value for _, value in sheets[name].counts[:4]]
        assert told == [*parts, roster]
    assert sum(parts) == roster
    assert (
        len(sheets["public-list"].rows) == parts[0] == sheets["annex-2"].count("准予申请线下考核")
    )
    assert sheets["face-data"].count("留存抓拍影像") == sheets["photo-list"].count("仍留存")
    assert sheets["monthly"].count("有效课时") == summary.count("有效课时")


def test_a_refusal_tells_each_reason_and_beside_it_under_its_number_what_cures_it(
    sheets: dict[str, Sheet],
) -> None:
    refused = sheets["refused"]
    several = 0
    for told, cures in zip(refused.values("原因"), refused.values("能否补正"), strict=True):
        reasons, ways = str(told).split("\n"), str(cures).split("\n")
        assert len(reasons) == len(ways)
        assert all(it.endswith("。") for it in reasons)
        for number, pair in enumerate(zip(reasons, ways, strict=True), 1):
            assert len(reasons) == 1 or all(it.startswith(f"{number}. ") for it in pair)
            assert "待人工复核" not in pair[0] or "待审结" in pair[1]
        several += len(reasons) > 1
    assert several


def test_lists_tell_until_when_what_is_made_up_counts(
    klass: ClassRow, sheets: dict[str, Sheet]
) -> None:
    for name in ("refused", "pending"):
        assert f"补学的课时只在本班日期内（至{klass.ends_on}）计入" in sheets[name].notes[-1]
    assert not any("补学" in it for it in sheets["admitted"].notes)


def test_missing_evidence_is_not_printed_as_a_violation(sheets: dict[str, Sheet]) -> None:
    detail, invalid = sheets["hours-detail"], sheets["invalid-hours"]
    unproven = {
        (row[1], row[4]) for row in detail.rows if row[5] in ("未能证实", "未学完", "未学习")
    }
    accused = set(zip(invalid.values("姓名"), invalid.values("课时序号"), strict=True))
    assert unproven
    assert not unproven & accused
    assert NO_DATA in detail.values("证据来源")


def test_the_ledger_tells_where_faces_were_compared_with_few_enrolled_photos(
    services: Services, klass: ClassRow
) -> None:
    with services.database.write() as connection:
        connection.execute(
            update(Finding)
            .where(Finding.rule == "fast_forward")
            .values(rule="person_over_course", shadow=False)
        )
        keys = set(connection.scalars(select(Finding.key).where(Finding.rule.like("person%"))))
    (ledger,) = exports.sheets(services, klass, ["reviews"], AN_AUDITOR)
    few = {row[0] for row in ledger.rows if "登记照片1张，不足5张，比对把握较低" in str(row[4])}
    assert few == keys and keys and len(ledger.rows) > len(few)


def test_the_public_list_shows_no_number_and_no_whole_name(
    sheets: dict[str, Sheet],
) -> None:
    printed = str(sheets["public-list"].rows)
    for row in sheets["roster"].rows:
        assert str(row[3]) not in printed
        assert str(row[2]) not in printed


def test_the_same_content_has_the_same_digest_on_another_day(
    services: Services, klass: ClassRow, sheets: dict[str, Sheet]
) -> None:
    services.clock.advance(minutes=5)  # type: ignore[attr-defined]
    again = exports.sheets(services, klass, ["roster"], AN_AUDITOR)[0]
    assert again.digest == sheets["roster"].digest


def test_reports_take_the_columns_that_are_wished_for(services: Services, klass: ClassRow) -> None:
    options = ExportOptions("user:zhao", named=True, columns=("培训人数", "满意度"))
    sheet = exports.sheets(services, klass, ["ten-day"], options)[0]
    assert [it.title for it in sheet.columns] == ["培训人数", "满意度"]
    assert sheet.rows == ((6, "100.0%"),)


@pytest.fixture
def upheld(services: Services, klass: ClassRow) -> str:
    """Two people uphold the first violation; its key."""
    now_ms = services.clock()
    with services.database.write() as connection:
        finding = connection.execute(
            select(Finding).where(Finding.outcome == "violation").limit(1)
        ).one()
        for stage, name in (("first", "赵初审"), ("second", "孙复核")):
            reviewer = users.add_user(
                connection,
                username=stage,
                display_name=name,
                password="a-quiet-river-in-henan",
                role="reviewer",
                counties=["潢川县"],
                actor="system",
                now_ms=now_ms,
            )
            reviews.insert_review(
                connection,
                finding_id=finding.id,
                reviewer_id=reviewer,
                stage=stage,
                decision="uphold",
                reason="属实",
                created_ms=now_ms,
            )
    return str(finding.key)


def test_reviews_are_told_once_settled_and_names_to_people_only(
    services: Services, klass: ClassRow, upheld: str
) -> None:
    def printed(named: bool) -> str:
        options = ExportOptions("somebody", named=named)
        made = exports.sheets(services, klass, ["reviews", "invalid-hours"], options)
        return str([it.rows for it in made])

    assert "赵初审" not in printed(named=True)
    with services.database.write() as connection:
        connection.execute(update(Finding).where(Finding.key == upheld).values(status="upheld"))
    assert "赵初审" in printed(named=True)
    assert "孙复核" in printed(named=True)
    assert "属实" in printed(named=False)
    assert "赵初审" not in printed(named=False)


def test_the_report_says_who_picked_the_scale_and_when(
    services: Services, klass: ClassRow, sheets: dict[str, Sheet]
) -> None:
    assert "主管部门未另选" in sheets["batch-report"].notes[0]
    now_ms = services.clock()
    with services.database.write() as connection:
        zhao = users.add_user(
            connection,
            username="zhao",
            display_name="赵主管",
            password="a-quiet-river-in-henan",
            role="auditor",
            counties=["潢川县"],
            actor="system",
            now_ms=now_ms,
        )
        class_file.set_scale(connection, klass.id, "literal", zhao, now_ms)
        picked = classes.class_seen(connection, EVERYTHING, klass.external_id)
    exports.conclude(services, picked)
    for named, name in ((True, "赵主管"), (False, "已署名")):
        options = ExportOptions("somebody", named=named)
        (report,) = exports.sheets(services, picked, ["batch-report"], options)
        assert "按字面处理" in report.notes[0] and "选定" in report.notes[0]
        assert name in report.notes[0]


def test_a_class_in_which_nobody_studied_has_all_lists_and_a_package(
    services: Services, county: County
) -> None:
    with services.database.write() as connection:
        terms = ClassTerms.model_validate(
            {it: value for it, value in training_class().items() if it != "class_id"}
            | {"course_ids": [], "mode": "offline"}
        )
        classes.open_class(
            connection,
            county.guang.platform.id,
            "empty",
            terms,
            default_pack="huangchuan-2021-graded",
            actor="system",
            now_ms=services.clock(),
        )
        empty = classes.class_of(connection, county.guang.platform.id, "empty")
    exports.conclude(services, empty)
    made = exports.sheets(services, empty, list(LISTS), AN_AUDITOR)
    assert len(made) == len(LISTS)
    assert not verify(package.export(services, empty, AN_AUDITOR, EVERYTHING).file.data).problems


def test_annex_2_is_the_plan_s_form_with_its_words_and_the_known_entries(
    sheets: dict[str, Sheet],
) -> None:
    sheet = sheets["annex-2"]
    assert sheet.form is not None
    boxes = [cell for _, _, cell in sheet.form.placed()]
    labels = ["".join(it.words.split()) for it in boxes if it.label]
    assert [it for it in ANNEX_2 if it not in labels] == []
    assert labels.count("取证人数") == 5 and labels.count("检查人员签字") == 3
    told: dict[Any, Any] = dict(cast(Any, sheet.rows))
    size = len(sheets["roster"].rows)
    assert told["开班申请·拟培训人数"] == f"{size}人"
    assert told["结业考核·其中·参加国家职业资格鉴定人数"] == ""
    assert told["结业考核·取证总人数"] == "（考核取证后填写）"
    assert told["过程监管·人力资源社会保障部门检查意见"] == ""
    assert told["银行帐号"] == ""
    filled = sum(it.filled for it in boxes)
    assert sheet.count("已预填栏目") == filled >= 6


def decide(services: Services, learner: str, outcome: str) -> None:
    """Have the newest verdict on somebody say so."""
    with services.database.write() as connection:
        row = connection.execute(
            select(Verdict.id, Verdict.body)
            .join(Enrolment, Enrolment.id == Verdict.subject_id)
            .join(Learner, Learner.id == Enrolment.learner_id)
            .where(Verdict.subject_kind == "enrolment", Learner.external_id == learner)
            .order_by(Verdict.id.desc())
        ).first()
        assert row is not None
        body = msgspec.json.encode(msgspec.json.decode(row.body) | {"outcome": outcome})
        changed = update(Verdict).where(Verdict.id == row.id)
        connection.execute(changed.values(body=body, outcome=outcome))


def certified(services: Services, klass: ClassRow) -> dict[str, Sheet]:
    """Two have a certificate, of whom one was never admitted to the assessment."""
    day = {"held_on": "2026-12-20", "passed": True}
    results = [
        {"learner_id": "learner-01", **day, "certificate_no": "S000041"},
        {"learner_id": "learner-02", **day, "certificate_no": "S000042"},
    ]
    with services.database.write() as connection:
        by: dict[str, Any] = {"actor": "test", "now_ms": services.clock()}
        records.take(connection, services.vault, klass, records.Assessment, results, **by)
    decide(services, "learner-01", "eligible")
    decide(services, "learner-02", "ineligible")
    made = exports.sheets(services, klass, ["annex-2", "certificates"], AN_AUDITOR)
    return {it.name: it for it in made}


def test_annex_2_counts_certificates_of_who_was_admitted_and_tells_of_others(
    services: Services, klass: ClassRow
) -> None:
    sheet = certified(services, klass)["annex-2"]
    told: dict[Any, Any] = dict(cast(Any, sheet.rows))
    assert told["结业考核·取证总人数"] == told["结业考核·参加考核人数"] == "1人"
    assert [value for label, value in sheet.rows if str(label).endswith("·取证人数")].count(
        "1人"
    ) == 1
    assert "另有1人未列入准予申请线下考核名单而有考核结果（其中合格1人）" in "".join(sheet.origin)


def test_who_passed_without_being_admitted_is_told_and_not_counted(
    services: Services, klass: ClassRow
) -> None:
    sheet = certified(services, klass)["certificates"]
    assert sheet.count("考核合格") == sheet.count("已有证书编号") == 1
    assert sheet.count("未准予而考核合格") == 1
    told = dict(zip(sheet.values("学员编号"), sheet.values("说明"), strict=True))
    assert told == {"learner-01": "", "learner-02": "未列入准予名单，须核实"}
    assert "资料不一致" in sheet.closing[0]


def test_a_class_without_an_official_number_has_its_own_under_its_own_name(
    services: Services, klass: ClassRow
) -> None:
    with services.database.write() as connection:
        connection.execute(update(TrainingClass).values(official_class_no=None))
    for it in exports.sheets(services, klass, list(LISTS), AN_AUDITOR):
        assert dict(it.lines)["班级自编号"] == klass.external_id, it.name
        foot = it.origin if it.form else it.closing
        assert it.posted or any("更改班级" in words for words in foot), it.name
        assert NO_DATA not in dict(it.lines).values()


def test_the_list_of_who_may_be_assessed_has_no_days_of_the_subsidys_notice(
    services: Services, klass: ClassRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dossier, "published", "2026-12-01 至 2026-12-05（县政府网站）")
    made = exports.sheets(services, klass, ["public-list", "subsidy-notice"], AN_AUDITOR)
    posted = {it.name: dict(it.lines)["公示期"] for it in made}
    assert "2026" not in posted["public-list"] and "2026-12-01" in posted["subsidy-notice"]


def test_what_people_sign_has_the_place_of_the_office_s_seal(sheets: dict[str, Sheet]) -> None:
    for name, it in sheets.items():
        assert it.seal.endswith("人力资源和社会保障局"), name
        assert f"{it.seal}（盖章）" in csv.write(it).decode(), name


def test_the_form_tells_at_its_foot_the_scale_and_that_the_rules_were_not_in_force(
    sheets: dict[str, Sheet],
) -> None:
    assert "处理尺度：分级处理" in sheets["annex-2"].origin
    assert "不在所用规定的有效期内" in sheets["annex-2"].origin[-1]


def test_lists_of_outcomes_name_the_one_scale_that_applies(sheets: dict[str, Sheet]) -> None:
    for name in (
        *("admitted", "refused", "public-list", "batch-report", "hours-summary", "ten-day"),
        *("monthly", "certificates", "subsidy-claim", "subsidy-notice", "subsidy-paid"),
    ):
        words = str((sheets[name].lines, sheets[name].columns, sheets[name].notes))
        assert "分级处理" in words and "按字面" not in words


def test_no_paper_names_a_rule_by_its_code(sheets: dict[str, Sheet]) -> None:
    for name in ("invalid-hours", "refused", "batch-report", "public-list"):
        cells = {str(it) for row in sheets[name].rows for it in row}
        assert not cells & {*(it.rule for it in registry.ALL), "verified", "not verified"}, name


def test_no_list_names_a_code_or_a_digest_to_the_public(sheets: dict[str, Sheet]) -> None:
    assert "原因代码" not in [
        it.title for name in ("refused", "pending") for it in sheets[name].columns
    ]
    notice = str(sheets["public-list"].lines)
    assert "sha256" not in notice and sheets["public-list"].digest not in notice
    assert "潢技领办〔2021〕1号" in notice


def test_a_day_that_passes_makes_no_signed_list_out_of_date(sheets: dict[str, Sheet]) -> None:
    before = {name: sheets[name] for name in signed_lists.SIGNED}
    titles = [it.title for it in before["refused"].columns]

    def saying(title: str, value: str) -> dict[str, Sheet]:
        place = titles.index(title)
        rows = [(*row[:place], value, *row[place + 1 :]) for row in before["refused"].rows]
        assert rows
        return before | {"refused": replace(before["refused"], rows=tuple(rows))}

    assert not signed_lists.differ(before, saying("补正截止", "2026-04-12（已过）"))
    assert not signed_lists.differ(before, saying("下一考核窗口", "2026-08"))
    assert signed_lists.differ(before, saying("原因", "另一原因"))
