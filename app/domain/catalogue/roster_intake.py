"""What is looked at before a row of a roster is taken: one person stands once, under one name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection

from app.clock import day
from app.domain import id_numbers
from app.domain.catalogue import person_names, roster_days
from app.domain.catalogue.learner_account import Account, number_hash
from app.domain.catalogue.roster_days import Stay
from app.domain.catalogue.roster_rows import LearnerTerms, RowError, refused
from app.store import stays
from app.store.catalogue import catalogue
from app.store.catalogue import people as store
from app.vault import Vault

Rows = Sequence[tuple[int, LearnerTerms]]


@dataclass(slots=True)
class Enrolled:
    """How many learners were new or changed, who was not taken, and which accounts (by row id)
    somebody tried to turn into another person."""

    changed: int = 0
    refused: list[RowError] = field(default_factory=list)
    swaps: list[tuple[int, list[str]]] = field(default_factory=list)


class RosterIntake:
    """Looks at every row before any is stored."""

    def __init__(
        self,
        connection: Connection,
        vault: Vault,
        row: catalogue.ClassRow,
        rows: Rows,
        now_ms: int,
    ) -> None:
        self.connection, self.vault, self.row, self.rows = connection, vault, row, rows
        self.today = day(now_ms)
        self.members = {it.external_id: it for it in store.enrolled(connection, row.id)}
        ids = [learner.learner_id for _, learner in rows]
        self.known = store.learners(connection, row.platform_id, ids)
        self.hashes = {
            learner.id_number: number_hash(vault, row, learner.id_number)
            for _, learner in rows
            if learner.id_number
        }
        self.holders: dict[bytes, list[store.LearnerRow]] = defaultdict(list)
        for holder in store.holders(connection, row.platform_id, self.hashes.values()):
            assert holder.id_hash is not None
            self.holders[holder.id_hash].append(holder)
        self.everyone: Sequence[LearnerTerms] = ()
        self.of_the_past = False
        self.done = Enrolled()

    def account(self, learner: LearnerTerms) -> Account:
        known = self.known.get(learner.learner_id)
        return Account(self.connection, self.vault, self.row, known)

    def examined(self) -> list[tuple[int, LearnerTerms]]:
        """The rows that can be taken; the others are refused."""
        rows = list(self.rows)
        for sieve in (
            self._unborn,
            self._repeated,
            self._apart,
            self._ended,
            self._late,
            self._frozen,
            self._shared,
            self._held,
            self._elsewhere,
        ):
            out = {error.index: error for error in sieve(rows)}
            self.done.refused += out.values()
            rows = [(index, learner) for index, learner in rows if index not in out]
        return rows

    def _unborn(self, rows: Rows) -> Iterable[RowError]:
        latest = self.today - timedelta(days=365)
        for index, learner in rows:
            born = id_numbers.birthday(learner.id_number or "")
            if born is not None and born > latest:
                yield refused(
                    index,
                    learner,
                    "id_number_birth_date",
                    "id_number",
                    f"身份证号中的出生日期 {born:%Y%m%d} 不可能，请对照证件核对",
                    f"its date of birth {born:%Y%m%d} cannot be; compare it with the document",
                )

    def _repeated(self, rows: Rows) -> Iterable[RowError]:
        """One account twice: the same again is spare, another person is a question."""
        seen: dict[str, list[tuple[int, LearnerTerms]]] = defaultdict(list)
        for index, learner in rows:
            seen[learner.learner_id].append((index, learner))
        for group in seen.values():
            first = group[0][1]
            one = all(_one_person(first, it) for _, it in group)
            names = "、".join(dict.fromkeys(it.name for _, it in group))
            for index, learner in group[1:] if one else group:
                yield refused(
                    index,
                    learner,
                    "duplicate_learner",
                    "learner_id",
                    f"学员编号{learner.learner_id!r}出现两次（{names}），请核对"
                    + ("，已按第一行接收" if one else "，均未接收"),
                    f"{learner.learner_id!r} stands twice ({names})"
                    + ("; the first row was taken" if one else "; neither was taken"),
                )

    def _apart(self, rows: Rows) -> Iterable[RowError]:
        """An account is for trying or for studying: what is said of it in a sandbox changes
        nobody's real one."""
        known = [self.known[it.learner_id].id for _, it in rows if it.learner_id in self.known]
        apart = store.of_other_kind(self.connection, known, sandbox=self.row.sandbox)
        for index, learner in rows:
            if learner.learner_id in self.known and self.known[learner.learner_id].id in apart:
                zh, en = ("正式", "a real") if self.row.sandbox else ("沙箱", "a sandbox")
                yield refused(
                    index,
                    learner,
                    "sandbox_apart",
                    "learner_id",
                    f"学员编号{learner.learner_id!r}已在{zh}班级；沙箱班级的学员须用单独的编号",
                    f"{learner.learner_id!r} is in {en} class: sandbox learners have ids of "
                    "their own",
                )

    def _ended(self, rows: Rows) -> Iterable[RowError]:
        """Who left is not put on the roster again by a list that has not heard of it."""
        for index, learner in rows:
            member = self.members.get(learner.learner_id)
            if member is not None and member.ended_by:
                moved = member.ended_by == stays.MOVED
                yield refused(
                    index,
                    learner,
                    "enrolment_ended",
                    "learner_id",
                    f"已登记{'转班' if moved else '离班'}（在班最后一天{member.last_on}）；"
                    "登记有误的，请先撤销该登记；又回到本班的，请登记“学员返班”",
                    f"{member.ended_by} the class, the last day was {member.last_on}: revoke that "
                    "act where it is wrong, record a came_back act for who came back",
                )

    def _late(self, rows: Rows) -> Iterable[RowError]:
        """The first day lies within the class, and of who is in it changes by an act only."""
        starts, ends = self.row.starts_on, self.row.ends_on
        for index, learner in rows:
            if learner.joined_on is None:
                continue
            said = learner.joined_on.isoformat()
            member = self.members.get(learner.learner_id)
            if not starts <= said <= ends:
                yield refused(
                    index,
                    learner,
                    "outside_class_dates",
                    "joined_on",
                    f"入班日期{said}不在班级日期内（{starts}至{ends}）",
                    f"{said} lies outside the class, {starts} to {ends}",
                )
            elif member is not None and said != (member.first_on or starts):
                yield refused(
                    index,
                    learner,
                    "joined_already",
                    "joined_on",
                    f"已在班（{member.first_on or starts}起），更改入班日期请登记“学员中途入班”",
                    f"is in the class since {member.first_on or starts}: record a joined_late act",
                )

    def _elsewhere(self, rows: Rows) -> Iterable[RowError]:
        """Nobody is in two classes of one course at a time."""
        if self.of_the_past:
            return
        held = {id_hash: it[0].person_id for id_hash, it in self.holders.items() if it}
        mine: dict[int, Stay] = {}
        for _, learner in rows:
            person = self._person(learner, held)
            if person is not None and learner.learner_id not in self.members:
                mine[person] = self.stay_of(person, learner)
        there = roster_days.in_class_of_course(self.connection, self.row, mine.values())
        for index, learner in rows:
            person = self._person(learner, held)
            if person in there and learner.learner_id not in self.members:
                other = there[person]
                yield refused(
                    index,
                    learner,
                    "in_class_of_course",
                    "learner_id",
                    f"已在班级{other}（同一课程），同一时间不能在两个班；换班请在该班登记“学员转班”",
                    f"is in class {other} of the same course: record a moved_class act there",
                )

    def _person(self, learner: LearnerTerms, held: dict[bytes, int]) -> int | None:
        """The natural person, where anybody stands for them already."""
        if learner.id_number is not None:
            return held.get(self.hashes[learner.id_number])
        known = self.known.get(learner.learner_id)
        return None if known is None else known.person_id

    def stay_of(self, person: Hashable, learner: LearnerTerms) -> Stay:
        """When somebody who is new to the class is in it."""
        first = learner.joined_on or date.fromisoformat(self.row.starts_on)
        return Stay(person, first)

    def _frozen(self, rows: Rows) -> Iterable[RowError]:
        """Evidence belongs to a person: once there is some, name and number stay."""
        for index, learner in rows:
            account = self.account(learner)
            changed = account.would_change(learner)
            evidence = changed and store.evidence_of(self.connection, account.known.id)
            if not evidence:
                continue
            self.done.swaps.append((account.known.id, changed))
            what = "、".join({"name": "姓名", "id_number": "证件号码"}[it] for it in changed)
            yield refused(
                index,
                learner,
                "identity_frozen",
                changed[0],
                f"学员编号{learner.learner_id!r}登记为{account.known.name}，已有学习或同意记录，"
                f"{what}不能直接更改；确需更正的，请登记“更正姓名或证件号码”事项，经另一人批准后生效",
                f"{learner.learner_id!r} stands for {account.known.name} and has studied or "
                f"consented under that identity: record an identity_correction act, which a second "
                f"person approves, to change {' and '.join(changed)}",
            )

    def _shared(self, rows: Rows) -> Iterable[RowError]:
        """Two accounts under one number in what is said of this roster."""
        groups: dict[str, dict[str, LearnerTerms]] = defaultdict(dict)
        for learner in self.everyone:
            if learner.id_number:
                groups[learner.id_number].setdefault(learner.learner_id, learner)
        for index, learner in rows:
            group = groups.get(learner.id_number or "", {})
            if len(group) < 2:
                continue
            first, *others = group.values()
            one = all(person_names.same(first.name, it.name) for it in others)
            settled = {name for name, it in group.items() if self._settled(it)}
            stays = settled or ({first.learner_id} if one else set())
            if learner.learner_id not in stays:
                names = _words([(it.learner_id, it.name) for it in group.values()])
                yield _same_number(index, learner, names, one, bool(stays))

    def _held(self, rows: Rows) -> Iterable[RowError]:
        """A row under the number of another account: in the class, or under another name."""
        becoming = {it.learner_id: it.id_number for _, it in rows if it.id_number}
        for index, learner in rows:
            if learner.id_number is None or self._settled(learner):
                continue
            for holder in self.holders[self.hashes[learner.id_number]]:
                name = holder.external_id
                if name == learner.learner_id or becoming.get(name, learner.id_number) != (
                    learner.id_number
                ):
                    continue
                one = person_names.same(holder.name, learner.name)
                if one and holder.external_id not in self.members:
                    continue  # one person, an account in each class
                who = (holder.external_id, holder.name)
                names = _words([(learner.learner_id, learner.name), who])
                yield _same_number(index, learner, names, one, stays=True)
                break

    def _settled(self, learner: LearnerTerms) -> bool:
        """Whether the account is in the class under that very number already."""
        member = self.members.get(learner.learner_id)
        return (
            member is not None
            and learner.id_number is not None
            and member.id_hash == self.hashes[learner.id_number]
        )


def _one_person(one: LearnerTerms, other: LearnerTerms) -> bool:
    return one.id_number == other.id_number and person_names.same(one.name, other.name)


def _same_number(
    index: int, learner: LearnerTerms, names: tuple[str, str], one: bool, stays: bool
) -> RowError:
    zh, en = names
    if one:
        return refused(
            index,
            learner,
            "one_person_twice",
            "id_number",
            f"同一人（身份证号相同）在花名册上有两个账号：{zh}；一人只能登记一次，此行未接收",
            f"one person (one ID number) stands under two accounts: {en}; this row was not taken",
        )
    kept = ("此行未接收", "this row was not taken") if stays else ("均未接收", "none was taken")
    return refused(
        index,
        learner,
        "id_number_shared",
        "id_number",
        f"两人身份证号相同：{zh}；其中必有一个录错，请对照证件核对，{kept[0]}",
        f"two people under one ID number: {en}; one must be wrong, {kept[1]}",
    )


def _words(people: list[tuple[str, str]]) -> tuple[str, str]:
    zh = "、".join(f"{name}（{learner_id}）" for learner_id, name in people)
    return zh, ", ".join(f"{name} ({learner_id})" for learner_id, name in people)
