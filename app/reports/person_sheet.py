"""职业培训电子档案 on paper and as a file: a person's trainings, one a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.clock import at
from app.domain.judging.person_file import PersonFile, SubsidyOnFile, TrainingOnFile
from app.reports import labels
from app.reports.dossier import office_of
from app.reports.sheet import NO_DATA, Column, Heading, Row, Sheet, said, text, yes

_COLUMNS = (
    Column("序号", 6, "center"),
    Column("职业（工种）及等级", 20),
    Column("培训机构", 22),
    Column("班级编号", 17),
    Column("学习平台", 16),
    Column("起止日期", 13, "center"),
    Column("有效课时", 11, "center"),
    Column("线下学时", 9, "right"),
    Column("考核申请结论", 15),
    Column("考核结果", 19),
    Column("电子证书编号", 20),
    Column("补贴（元）", 16, "right"),
)


@dataclass(frozen=True, slots=True)
class PersonHeading(Heading):
    """What stands above one person's file."""

    person: str = ""
    last4: str = ""

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        return (
            ("姓名", self.person),
            ("证件后四位", self.last4),
            ("县区", self.institution),
            ("期间", self.period),
            ("生成时间", f"{at(self.generated_ms):%Y-%m-%d %H:%M:%S}（北京时间）"),
        )


def of(file: PersonFile) -> Sheet:
    """The file as a list: trainings held here first, then those that a register reported."""
    rows = tuple((number, *row) for number, row in enumerate(_rows(file), 1))
    counts = (
        ("本系统班级", len(file.trainings)),
        ("有效课时合计", file.valid),
        ("取得证书", len(file.certificates)),
        ("补贴合计（元，已扣追回）", f"{file.subsidy_fen / 100:.2f}"),
        ("登记簿报送的以往培训", len(file.earlier)),
    )
    outside = {it.pack_warning.zh: None for it in file.trainings if it.pack_warning}
    notes = (
        "“未审结”不是违规：缺少资料、未能证实或正待人工审核。",
        "以往培训由平台按官方登记簿报送，本系统未核验。",
        *outside,
    )
    title, heading = "职业培训电子档案", _heading(file)
    return Sheet(
        "person-file", title, heading, _COLUMNS, rows, counts, notes, signatures=("经办人",)
    )


def _heading(file: PersonFile) -> PersonHeading:
    days = [it.starts_on for it in file.trainings] + [it.ends_on for it in file.trainings]
    return PersonHeading(
        institution="、".join(file.counties),
        class_no="",
        class_id=f"person:{file.person_id}",
        occupation="",
        pack="",
        pack_digest="",
        period=f"{min(days)} 至 {max(days)}",
        generated_ms=file.generated_ms,
        office="、".join(map(office_of, file.counties)),
        person="、".join(file.names),
        last4=said(file.id_last4),
    )


def _rows(file: PersonFile) -> Iterator[Row]:
    for it in file.trainings:
        yield (
            f"{it.occupation} {it.level or ''}".strip(),
            it.institution,
            it.official_class_no or it.klass,
            it.platform,
            f"{it.starts_on}\n{it.ends_on}" + (f"\n{it.left_on}离班" if it.left_on else ""),
            f"{it.valid} / {it.planned}",
            NO_DATA if it.attended is None else it.attended,
            labels.VERDICTS.get(it.outcome, "尚未判定"),
            _results(it),
            "\n".join(it.certificates),
            "\n".join(map(_paid, it.subsidies)),
        )
    for earlier in file.earlier:
        yield (
            f"{earlier.occupation} {earlier.level or ''}".strip(),
            said(earlier.institution),
            said(earlier.official_class_no),
            f"{earlier.told_by}报送",
            earlier.started_on,
            "",
            "",
            f"以往培训\n享受补贴：{yes(earlier.subsidised)}",
            f"{earlier.assessed_on} 考核" if earlier.assessed_on else NO_DATA,
            "",
            "",
        )


def _paid(it: SubsidyOnFile) -> str:
    back = f"\n追回{it.returned_fen / 100:.2f}" if it.returned_fen else ""
    return f"{it.amount_fen / 100:.2f}\n{it.paid_on}{back}"


def _results(it: TrainingOnFile) -> str:
    words = {True: "合格", False: "不合格", None: "结果未报"}
    told = [
        f"{each.held_on} {words[each.passed]}" + (f" {text(each.score)}分" if each.score else "")
        for each in it.assessments
    ]
    return "\n".join(told) or NO_DATA
