"""取证名单: who was assessed with what result, and the numbers of certificates."""

from __future__ import annotations

from collections.abc import Sequence

from app.reports.dossier import Dossier
from app.reports.sheet import NO_DATA, Column, Sheet, said, text, yes
from app.store.exchange.report_rows import AssessmentRow

_IN_STEAD = (
    "电子培训合格证书无法及时生成的，“以该培训学员电子证书编号作为领取培训补贴等的有效凭证，审核时由"
    "县（市、区）人力资源社会保障局在培训补贴申请表上备注说明”（2020年8月14日百日攻坚通知）。"
)
_NOT_ADMITTED = "未列入准予名单，须核实"


def obtained(dossier: Dossier) -> Sheet:
    columns = (
        Column("序号", 6, "center"),
        Column("学员编号", 16),
        Column("姓名", 12),
        Column("证件后四位", 11, "center"),
        Column("考核日期", 12, "center"),
        Column("是否合格", 10, "center"),
        Column("成绩", 8, "right"),
        Column("证书类型", 20),
        Column("等级", 10, "center"),
        Column("电子证书编号", 26),
        Column("说明", 18),
    )
    listed = [it for it in dossier.assessed if it.learner_id in dossier.by_id]
    rows = tuple(
        (
            number,
            dossier.by_id[it.learner_id].external_id,
            dossier.by_id[it.learner_id].name,
            said(dossier.by_id[it.learner_id].id_last4),
            str(it.body["held_on"]),
            yes(it.passed),
            text(it.body.get("score")),
            said(dossier.certificate_of(it)) if it.passed else "",
            said(dossier.terms.get("level")) if it.passed else "",
            said(it.body.get("certificate_no")) if it.passed else "",
            "" if it.learner_id in dossier.admitted else _NOT_ADMITTED,
        )
        for number, it in enumerate(listed, 1)
    )
    passed = [it for it in dossier.results if it.passed]
    outside = [it for it in dossier.outside if it.passed]
    counts = (
        ("花名册人数", len(dossier.members)),
        ("准予申请线下考核", len(dossier.admitted)),
        ("参加考核", _heads(dossier.results)),
        ("考核合格", _heads(passed)),
        ("已有证书编号", _heads([it for it in passed if it.body.get("certificate_no")])),
        *((("未准予而有考核结果", _heads(dossier.outside)),) if dossier.outside else ()),
        *((("未准予而考核合格", _heads(outside)),) if outside else ()),
    )
    heading = dossier.heading(scaled=True)
    notes = (*dossier.inconsistent, f"合格而证书编号印“{NO_DATA}”的，尚未报送编号。", _IN_STEAD)
    return Sheet("certificates", "取证名单", heading, columns, rows, counts, notes)


def _heads(results: Sequence[AssessmentRow]) -> int:
    return len({it.learner_id for it in results})
