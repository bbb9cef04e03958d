"""补贴申领名单, 补贴公示名单, 补贴拨付名单 and 追缴台账: the money of a class by learner."""

from __future__ import annotations

from dataclasses import replace

from app.domain.review.recoveries import RecoveryState
from app.domain.review.subsidies import Standing, SubsidyShare
from app.domain.review.subsidy_standards import yuan
from app.reports.dossier import Dossier
from app.reports.lists.people import masked, told_apart
from app.reports.sheet import Column, Row, Sheet, Value, said

_WHO = (
    Column("序号", 6, "center"),
    Column("学员编号", 16),
    Column("姓名", 12),
    Column("证件后四位", 11, "center"),
)
_STANDINGS = {
    Standing.PAYABLE: "可以申请",
    Standing.PAID: "已拨付",
    Standing.NOT_ELIGIBLE: "不接受考核申请",
    Standing.NOT_PASSED: "考核未合格",
    Standing.PAID_BEFORE: "同一职业同一等级已享受补贴",
    Standing.YEAR_FULL: "本年度享受补贴的次数已满",
    Standing.UNDECIDED: "考核资格未定",
    Standing.NOT_ASSESSED: "没有考核结果",
}
_RECOVERIES = {
    RecoveryState.DUE: "待追缴",
    RecoveryState.DEMANDED: "已通知退回",
    RecoveryState.RETURNED: "已全部退回",
    RecoveryState.SETTLED: "不再追缴",
}
_DEEDS = {"demanded": "通知退回", "returned": "退回"}


def claimed(dossier: Dossier) -> Sheet:
    """Everybody of the class: who is claimed for with what amount, and why others are not."""
    subsidy = dossier.subsidy
    columns = (
        *_WHO,
        Column("批次", 8, "center"),
        Column("金额（元）", 12, "right"),
        Column("结论", 30),
        Column("说明", 26),
    )
    batches = _batches(dossier)
    rows = tuple(
        (
            *_who(number, it),
            batches.get(it.learner.id, ""),
            _amount(it.amount_fen),
            _STANDINGS[it.standing],
            _remark(it),
        )
        for number, it in enumerate(subsidy.shares, 1)
    )
    money = subsidy.of(Standing.PAYABLE, Standing.PAID)
    counts: tuple[tuple[str, Value], ...] = (
        ("花名册人数", len(rows)),
        ("申请补贴人数", len(money)),
        ("申请补贴资金（元）", _amount(subsidy.payable_fen + subsidy.paid_fen)),
        ("其中以前各批已拨付（元）", _amount(_before(dossier))),
        *((f"其中{word}", len(subsidy.of(it))) for it, word in _STANDINGS.items()),
    )
    heading = dossier.heading(scaled=True)
    return Sheet(
        "subsidy-claim", "补贴申领名单", heading, columns, rows, counts, (_standard(dossier),),
    )  # fmt: skip


def notice(dossier: Dossier) -> Sheet:
    """Masked, for the public notice before the payment."""
    columns = (
        Column("序号", 6, "center"),
        Column("姓名", 14),
        Column("证件尾号", 10, "center"),
        Column("培训职业（工种）", 26),
        Column("等级", 14, "center"),
        Column("补贴金额（元）", 14, "right"),
    )
    shares = _of_batch(dossier)
    tails = told_apart([(masked(it.learner.name), it.learner.id_last4 or "") for it in shares])
    rows = tuple(
        (
            number,
            masked(it.learner.name),
            said(tails[number - 1]),
            dossier.row.occupation,
            said(dossier.terms.get("level")),
            _amount(it.amount_fen),
        )
        for number, it in enumerate(shares, 1)
    )
    total = sum(it.amount_fen for it in shares)
    batch = f"（第{dossier.claim_batch}批）" if dossier.claim_batch > 1 else ""
    counts = ((f"公示人数{batch}", len(rows)), ("补贴资金（元）", _amount(total)))
    heading = replace(dossier.heading(scaled=True), published=dossier.published)
    notes = (
        _standard(dossier),
        f"公示期不少于3个工作日；公示期间如有异议，请向{heading.office}反映。",
    )
    return Sheet(
        "subsidy-notice", "补贴公示名单", heading, columns, rows, counts, notes,
        personal=False, posted=True,
    )  # fmt: skip


def paid(dossier: Dossier) -> Sheet:
    """Who was paid when; the sum less what was advanced is what the payments came to."""
    columns = (
        *_WHO,
        Column("批次", 8, "center"),
        Column("拨付日期", 12, "center"),
        Column("金额（元）", 12, "right"),
    )
    batches = _batches(dossier)
    shares = dossier.subsidy.of(Standing.PAID)
    rows = tuple(
        (
            *_who(number, it),
            batches[it.learner.id],
            it.payment.paid_on.isoformat(),
            _amount(it.amount_fen),
        )
        for number, it in enumerate(shares, 1)
        if it.payment is not None
    )
    advance = dossier.done("advance").get("amount_yuan", "0.00")
    payments = dossier.steps["payment"].batches
    counts = (
        ("拨付人数", len(rows)),
        ("补贴资金（元）", _amount(dossier.subsidy.paid_fen)),
        ("其中先行拨付（元）", advance),
        *((f"第{number}批拨付（元）", it["amount_yuan"]) for number, it in enumerate(payments, 1)),
    )
    return Sheet(
        "subsidy-paid", "补贴拨付名单", dossier.heading(scaled=True), columns, rows, counts,
        (_standard(dossier),),
    )  # fmt: skip


def recovered(dossier: Dossier) -> Sheet:
    columns = (
        *_WHO,
        Column("已拨付（元）", 12, "right"),
        Column("已追回（元）", 12, "right"),
        Column("待追缴（元）", 12, "right"),
        Column("状态", 12, "center"),
        Column("经过", 44),
    )
    cases = dossier.recoveries
    rows = tuple(
        (
            *_who(number, it.share),
            _amount(it.paid_fen),
            _amount(it.returned_fen),
            _amount(it.left_fen),
            _RECOVERIES[it.state],
            "；".join(
                f"{event.happened_on}{_DEEDS[event.deed]}{yuan(event.amount_fen)}元（{event.document}）"
                for event in it.events
            ),
        )
        for number, it in enumerate(cases, 1)
    )
    counts = (
        ("追缴人数", len(rows)),
        ("已追回（元）", _amount(sum(it.returned_fen for it in cases))),
        ("待追缴（元）", _amount(sum(it.left_fen for it in cases))),
    )
    notes = (
        "拨付之后结论改为不接受考核申请，或考核结果更正为不合格的，须追缴；再改回的，不再追缴。",
    )
    return Sheet(
        "recoveries", "追缴台账", dossier.heading(scaled=True), columns, rows, counts, notes
    )


def _remark(share: SubsidyShare) -> str:
    if share.paid_in:
        return f"已在班级{share.paid_in}拨付"
    outside = share.standing in (Standing.NOT_ELIGIBLE, Standing.UNDECIDED)
    return "未准予考核而考核合格，须核实" if outside and share.learner.passed else ""


def _batches(dossier: Dossier) -> dict[int, str]:
    """In which batch each learner who is or was claimed for stands."""
    paid = dossier.batch_of_payment
    now = dossier.claim_batch + (dossier.claim_batch in paid.values())
    return {
        it.learner.id: f"第{paid[it.payment.event_id] if it.payment else now}批"
        for it in dossier.subsidy.of(Standing.PAYABLE, Standing.PAID)
    }


def _before(dossier: Dossier) -> int:
    """What was paid in batches before the one that is under way, in 分."""
    return dossier.subsidy.paid_fen - sum(
        it.amount_fen for it in _of_batch(dossier) if it.payment is not None
    )


def _of_batch(dossier: Dossier) -> list[SubsidyShare]:
    """Who is claimed for, or was paid, in the batch that is under way, or was the last one."""
    paid = dossier.batch_of_payment
    if dossier.claim_batch in paid.values():
        return [
            it
            for it in dossier.subsidy.of(Standing.PAID)
            if it.payment and paid[it.payment.event_id] == dossier.claim_batch
        ]
    return dossier.subsidy.of(Standing.PAYABLE)


def _who(number: int, share: SubsidyShare) -> Row:
    it = share.learner
    return (number, it.external_id, it.name, said(it.id_last4))


def _amount(fen: int) -> str:
    return f"{yuan(fen):.2f}"


def _standard(dossier: Dossier) -> str:
    standard = dossier.subsidy.standard
    if standard is None:
        return f"{dossier.row.county}没有登记适用于本班的补贴标准，金额不能核定。"
    return f"标准：每人{_amount(standard.amount_fen)}元，{standard.document}（{standard.dated}）。"
