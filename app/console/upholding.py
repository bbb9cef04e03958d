"""What follows when a finding is upheld: for whom, on how much money, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from app.console.language import N_, Language
from app.domain.policy import packs
from app.domain.review import subsidy_standards
from app.store.catalogue import catalogue, class_file
from app.store.review.finding_rows import FindingRow
from detectors.finding import Fault
from detectors.policy import Reach

_REACHES: Mapping[Reach, str] = {
    Reach.CLASS_HOUR: N_("该段不计入学时"),
    Reach.LEARNER: N_("本人不得申请本次考核"),
    Reach.CLASS: N_("全班%(people)s人不接受考核申请"),
}
_ANSWERS_TO = (Fault.PLATFORM, Fault.INSTITUTION)


@dataclass(frozen=True, slots=True)
class Stake:
    """A class by what hangs on it: how many are in it, what is paid for one in yuan where that is
    known, and whose class it is."""

    people: int
    each_yuan: int | None
    platform: str
    institution: str


def stake_of(connection: Connection, klass: class_file.ClassCase) -> Stake:
    """By what the class itself says is paid, else by the county's standard."""
    row = catalogue.class_by_id(connection, klass.id)
    each = row.terms.get("subsidy_yuan")
    if each is None and "starts_on" in row.terms:
        try:
            standard = subsidy_standards.applying(connection, row)
        except packs.UnknownPack:  # the page says which file is missing
            standard = None
        each = standard.amount_fen // 100 if standard else None
    people = catalogue.enrolled(connection, klass.id)
    return Stake(people, each, klass.platform_name, klass.institution)


def effects(row: FindingRow, stake: Stake, lang: Language) -> tuple[str, ...]:
    """What upholding it does, each in a few words."""
    body, reach = row.body, _reach(row)
    if body.holds:
        said = [lang.say(N_("涉及的各次学习不计学时"))]
    elif reach is Reach.CLASS_HOUR and not body.voids:
        said = [lang.say(N_("记入复核台账，学时不变"))]
    else:
        said = [lang.say(_REACHES[reach], people=stake.people)]
    if reach is not Reach.CLASS_HOUR:
        people = stake.people if reach is Reach.CLASS else 1
        said.append(_money(stake.each_yuan, people, lang))
    if body.voids or body.holds or reach is not Reach.CLASS_HOUR:
        curable = body.curable or not _own_doing(row)
        said.append(lang.say(N_("可以补课") if curable else N_("不得补课")))
    if body.fault in _ANSWERS_TO:
        words = {"platform": stake.platform, "institution": stake.institution}
        said.append(lang.say(N_("提醒%(platform)s和%(institution)s的账号，请其书面答复"), **words))
    elif row.learner_id:
        said.append(lang.say(N_("学员在本人页面看到，可以申诉")))
    return tuple(said)


def _reach(row: FindingRow) -> Reach:
    """As verdicts count it (`reach_of` in detectors.eligibility)."""
    return row.body.reach if _own_doing(row) else Reach.CLASS_HOUR


def _own_doing(row: FindingRow) -> bool:
    """Whether it is held against who it is about, and not in its class-hour alone."""
    body = row.body
    return row.learner_id is None or body.needs_two_reviewers or body.fault is Fault.LEARNER


def _money(each_yuan: int | None, people: int, lang: Language) -> str:
    if each_yuan is None:
        return lang.say(N_("没有补贴标准，涉及金额算不出"))
    return lang.say(N_("涉及补贴%(yuan)s元"), yuan=f"{each_yuan * people:,}")
