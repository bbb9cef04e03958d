"""花名册 and 公示名单: who is in the class, for the office and for the notice board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.reports.dossier import Dossier
from app.reports.lists.hours import ended
from app.reports.sheet import NO_DATA, Column, Sheet, said, yes
from app.store.exchange.report_rows import MemberRow
from app.store.stays import Away
from detectors.eligibility import Eligibility


def roster(dossier: Dossier) -> Sheet:
    columns = (
        Column("序号", 6, "center"),
        Column("学员编号", 18),
        Column("姓名", 12),
        Column("证件后四位", 11, "center"),
        Column("工作单位", 24),
        Column("人员类别", 16),
        Column("实名认证", 10, "center"),
        Column("人脸处理同意", 13, "center"),
        Column("在班情况", 26),
    )
    rows = tuple(
        (
            number,
            it.external_id,
            it.name,
            said(it.id_last4),
            said(it.employer),
            said(it.category),
            yes(it.real_name_verified),
            yes(it.face_consent),
            "，".join(_stays(it)),
        )
        for number, it in enumerate(dossier.everybody, 1)
    )
    verified = [it.real_name_verified for it in dossier.everybody]
    counts = (
        ("花名册人数", len(rows)),
        ("现在班人数", len(dossier.members)),
        ("已实名认证", verified.count(True)),
        ("未实名认证", verified.count(False)),
        (f"实名认证{NO_DATA}", verified.count(None)),
    )
    return Sheet("roster", "花名册", dossier.heading(), columns, rows, counts)


def _stays(member: MemberRow) -> Iterator[str]:
    """What is out of the ordinary about when somebody is or was in the class."""
    if member.first_on:
        yield f"{member.first_on}入班"
    for it in filter(None, Away.all(member.away)):
        yield f"{it.from_on}至{it.to_on}不在班"
    if member.ended_by:
        yield ended(member)


def public(dossier: Dossier) -> Sheet:
    """Masked: no ID number, phone, bank account or photo, and only part of the name. The last two
    characters of the number stand beside it, or more where two people would else look alike."""
    columns = (
        Column("序号", 6, "center"),
        Column("姓名", 14),
        Column("证件尾号", 10, "center"),
        Column("工作单位", 30),
        Column("培训职业（工种）", 22),
        Column("等级", 10, "center"),
        Column("有效学时", 10, "right"),
    )
    admitted = [
        it
        for it in dossier.members
        if dossier.verdicts[it.external_id].outcome is Eligibility.ELIGIBLE
    ]
    tails = told_apart([(masked(it.name), it.id_last4 or "") for it in admitted])
    rows = tuple(
        (
            number,
            masked(it.name),
            said(tails[number - 1]),
            said(it.employer),
            dossier.row.occupation,
            said(dossier.terms.get("level")),
            dossier.verdicts[it.external_id].hours.valid,
        )
        for number, it in enumerate(admitted, 1)
    )
    counts = (("公示人数（同准予申请线下考核名单）", len(rows)),)
    heading = dossier.heading(scaled=True)
    notes = (f"公示期不少于3个工作日；公示期间如有异议，请向{heading.office}反映。",)
    return Sheet(
        "public-list",
        "公示名单",
        heading,
        columns,
        rows,
        counts,
        notes,
        personal=False,
        posted=True,
    )


def told_apart(people: Sequence[tuple[str, str]]) -> list[str]:
    """The end of each number, of (masked name, last four characters): two characters, and more only
    where two of one name end alike.

    >>> told_apart([("王*", "1234"), ("王*", "5634"), ("李*", "7834"), ("林*", "")])
    ['*234', '*634', '**34', '']
    """
    shown = []
    for name, number in people:
        others = [it for other, it in people if other == name]
        size = next((n for n in (2, 3) if sum(it[-n:] == number[-n:] for it in others) == 1), 4)
        shown.append(number[-size:].rjust(len(number), "*"))
    return shown


def masked(name: str) -> str:
    """The first and, of three or more, the last character of a name.

    >>> masked("林小兰"), masked("林一"), masked("林")
    ('林*兰', '林*', '*')
    """
    if len(name) < 2:
        return "*"
    last = name[-1] if len(name) > 2 else ""
    return f"{name[0]}{'*' * (len(name) - 1 - len(last))}{last}"
