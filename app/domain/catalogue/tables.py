"""Tables of a class, tried out and taken row by row by the rules that the API has.

`trial` does all that `take` does and undoes it, so that what people are shown before they agree is
what will happen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain import id_numbers
from app.domain.catalogue import person_names, records, roster, roster_rows, table_files, table_rows
from app.domain.catalogue.learner_account import number_hash
from app.domain.catalogue.roster_intake import Enrolled
from app.domain.catalogue.roster_rows import RowError
from app.domain.catalogue.table_cells import PARTS
from app.domain.catalogue.table_kinds import ROSTER, TableKind
from app.domain.catalogue.table_rows import FoundTable, TableRow
from app.domain.wire import ItemError
from app.errors import BadInput
from app.languages import Text, both
from app.store.accounts import audit
from app.store.catalogue import catalogue, class_file
from app.store.catalogue import people as store
from app.store.catalogue import records as record_store
from app.vault import NumberHash, Vault
from detectors.qualifications import TraineeKind, trainee_of

_FIELD_LABELS = {"name": "姓名", "id_number": "证件号码"}
_WORDS = {
    "missing": "有必填的内容没有填写",
    "nobody_named": "没有学员编号，也没有证件号码，不知道是谁",
    "unknown_learner": "花名册上没有此人",
    "ends_before_start": "结束日期早于开始日期",
    "more_than_answered": "满意数多于有效答卷数",
    "date_out_of_range": "日期应在2000年至2099年之间",
    "string_too_long": "内容太长",
    "literal_error": "填写的词不在可选范围内",
    "unprintable": "含有看不见的控制字符",
    "string_pattern_mismatch": "写法不对",
    "bad_class_hours": "学时序号从1起，由小到大，如 1 或 1至3",
    "certificate_not_passed": "考核没有登记为合格，不能登记证书编号",
    "duplicate_item": "与另一行是同一人同一天（同一项）：两个半天请填时段（上午、下午或晚上），"
    "重复的请删去一行",
}
_ACCOUNT = re.compile(r"^'[^']*' ")  # people read the name beside it
_ACCOUNT_TOLD = re.compile(r"^学员编号'[^']*'")
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_OF_A_COLUMN = (
    *_OUT_OF_RANGE,
    "literal_error",
    "string_pattern_mismatch",
    "string_too_long",
    "date_out_of_range",
    "unprintable",
)
# What of an item may come in a table of its own.
_STAYS: dict[type[records.Item], tuple[str, ...]] = {
    records.Assessment: ("passed", "score", "certificate_type", "certificate_no"),
    records.Leave: ("made_up_on", "reason"),
    records.OfflineHours: ("session", "practical", "minutes", "place", "teacher"),
}


@dataclass(frozen=True, slots=True)
class TableReport:
    """What becomes of a table: rows that are taken have no reason."""

    table: FoundTable
    taken: list[TableRow]
    refused: list[TableRow]

    @property
    def changed(self) -> int:
        return sum(bool(it.changes) for it in self.taken)


def read(kind: TableKind, data: bytes) -> FoundTable:
    """The table of a file, before any transaction: a large file takes seconds. Each table is for
    one `trial` or `take`, which note in its rows what became of them. Raises BadTable."""
    return table_rows.read(table_files.sheets(data), kind)


def trial(
    connection: Connection,
    vault: Vault,
    row: catalogue.ClassRow,
    table: FoundTable,
    now_ms: int,
) -> TableReport:
    """What `take` would do. Raises BadInput."""
    undone = connection.begin_nested()
    try:
        return _take(connection, vault, row, table, "system:trial", now_ms)[0]
    finally:
        undone.rollback()


def take(
    connection: Connection,
    vault: Vault,
    row: catalogue.ClassRow,
    table: FoundTable,
    *,
    sha256: str,
    actor: str,
    now_ms: int,
) -> TableReport:
    """Store the good rows of a table for a class that the caller holds locked; the audit log says
    by its SHA-256 which file it was. Raises BadInput when nothing could be taken as a whole."""
    report, done = _take(connection, vault, row, table, actor, now_ms)
    if done is not None:
        roster.tell_swaps(connection, row.external_id, done, actor=actor, now_ms=now_ms)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="table.taken",
        subject=f"class:{row.id}",
        detail={
            "kind": table.kind.name,
            "taken": len(report.taken),
            "refused": len(report.refused),
            "sha256": sha256,
        },
    )
    return report


def _take(
    connection: Connection,
    vault: Vault,
    row: catalogue.ClassRow,
    table: FoundTable,
    actor: str,
    now_ms: int,
) -> tuple[TableReport, Enrolled | None]:
    kind = table.kind
    _Accounts(connection, vault, row, kind).tell(table.rows)
    _fill_in(connection, row, table)
    rows = [it for it in table.rows if it.reason is None]
    items = [it.item for it in rows]
    done = None
    if kind.item is None:
        good, bad, cleaned = roster_rows.read([_learner(it) for it in items])
        done = roster.enrol(connection, vault, row, good, actor=actor, now_ms=now_ms)
        _refuse(kind, rows, [*bad, *done.refused])
        kept = {index: learner for index, learner in good}
        for index, learner in good:
            rows[index].note = _private_letter(learner.name) or _unknown_kind(learner.category)
        for it in cleaned:
            for field in it.fields:
                typed = str(rows[it.index].item[field])
                now = str(getattr(kept[it.index], field))
                rows[it.index].changes.append((_FIELD_LABELS[field], typed, now))
    else:
        by: Any = {"actor": actor, "now_ms": now_ms}
        _refuse(kind, rows, records.take(connection, vault, row, kind.item, items, **by).rejected)
        if kind.item is records.Assessment:
            _note_not_admitted(connection, row, rows)
    taken = [it for it in table.rows if it.reason is None]
    return TableReport(table, taken, [it for it in table.rows if it.reason]), done


def _fill_in(connection: Connection, row: catalogue.ClassRow, table: FoundTable) -> None:
    """Certificates come weeks after the results, and in a table of their own, as days of make-up do
    after the leave: what a table has no column for stays as it was told of the same item."""
    kind = table.kind.item
    lacking = set(_STAYS.get(kind, ()) if kind else ()) - {it.field for it in table.used.values()}
    if kind is None or not lacking:
        return
    known = record_store.by_key(connection, kind.table, "class_id", [row.id], kind.key)
    ids = {it.external_id: it.id for it in store.enrolled(connection, row.id)}
    for it in table.rows:
        learner = ids.get(it.item.get("learner_id", ""))
        if it.reason is not None or learner is None:
            continue
        if "session" in lacking:
            it.reason = _tell_part(it, learner, known)
        before = known.get(_key(kind, row, learner, it), {"body": {}})["body"]
        kept = {name: before[name] for name in sorted(lacking) if name in before}
        if kept.get("minutes") and before["hours"] != it.item["hours"]:
            del kept["minutes"]  # they were those of other hours
        it.item |= kept
        if "certificate_no" in lacking and not it.item.get("passed"):
            it.item.pop("certificate_no", None)


def _key(
    kind: type[records.Item], row: catalogue.ClassRow, learner: int, told: TableRow
) -> tuple[Any, ...]:
    """By what an item of a table is known, as its kind's `columns` say."""
    if kind is records.OfflineHours:
        return row.id, learner, told.item["held_on"], told.item.get("session", "1")
    return row.id, learner, told.item["from_on" if kind is records.Leave else "held_on"]


def _tell_part(told: TableRow, learner: int, known: records.Rows) -> Text | None:
    """A table without a column for the part of the day speaks of the part that is on record; where
    there are several, why it cannot be told which."""
    day = told.item["held_on"]
    items = [item for (_, who, on, item) in known if (who, on) == (learner, day)]
    parts = [it for it in PARTS if it in items]
    if "1" in items or not parts:
        return None
    if len(parts) == 1:
        told.item["session"] = parts[0]
        return None
    halves = "、".join(PARTS[it] for it in parts)
    return Text(
        f"{day}已按{halves}分别登记，表里没有“时段”列，不知道改的是哪一段：请加上该列再传",
        f"{day} is on record as {', '.join(parts)}: add the column 时段 (part of the day)",
    )


def _note_not_admitted(
    connection: Connection, row: catalogue.ClassRow, rows: Sequence[TableRow]
) -> None:
    """Who was assessed though the class was judged and they are not admitted."""
    pack = f"{row.pack_id}@{row.pack_version}"
    outcomes = class_file.enrolment_outcomes(connection, row.id, pack)
    admitted = {
        it.external_id
        for it in class_file.roster(connection, row.id)
        if outcomes.get(it.enrolment_id, "eligible") == "eligible"
    }
    for it in rows:
        if it.reason is None and it.item["learner_id"] not in admitted:
            it.note = Text(
                "不在准予考核的人之中：结果照样接收，但不能申请补贴，请核对",
                "not admitted to the assessment: kept, and nothing can be claimed for it; check",
            )


def _private_letter(name: str) -> Text | None:
    if not person_names.private(name):
        return None
    return Text(
        "姓名里有专用区的字（造字），别的电脑上显示不出或成了别的字，与证件也对不上：请尽量改用标准的生僻字",
        "a letter of the name is some system's own, and shows elsewhere as a box: use Unicode's",
    )


def _unknown_kind(category: str | None) -> Text | None:
    """Of a kind of trainee by none of the words that the checks know."""
    if not category or trainee_of(category):
        return None
    known = "、".join(TraineeKind)
    return Text(
        f"人员类别“{category}”照原样接收，但不是文件里的名称，培训对象的检查认不出。文件里有：{known}",
        f"{category!r} is kept, and no kind of trainee that the checks know",
    )


def _learner(item: dict[str, Any]) -> dict[str, Any]:
    """A row of the roster as the API takes it; consent stands in two columns of a table."""
    learner = {name: it for name, it in item.items() if not name.startswith("consent_")}
    if "consent_face" in item:
        on = item.get("consent_on")
        at = {"at": f"{on}T00:00:00+08:00"} if on else {}
        learner["consent"] = {"face": item["consent_face"], **at}
    return learner


def _refuse(kind: TableKind, rows: Sequence[TableRow], errors: Sequence[ItemError]) -> None:
    titles = {it.field: it.title for it in kind.columns}
    for error in errors:
        reason = _reason(error)
        title = titles.get(error.detail.partition(": ")[0])
        if title and error.code in _OF_A_COLUMN:
            reason = Text(f"{title}：{reason.zh}", reason.en)
        if title and error.code == "missing":
            reason = Text(f"没有填写{title}", reason.en)
        if error.code == "duplicate_learner" and rows[error.index].by_number:
            reason = Text(
                _ACCOUNT_TOLD.sub("同一个证件号码", reason.zh),
                f"one ID number: {reason.en}",
            )
        rows[error.index].reason = reason


def _reason(error: ItemError) -> Text:
    """A refusal of the API without the field's and the person's name, which stand beside it."""
    said = _ACCOUNT.sub("", error.detail.partition(": ")[2] or error.detail)
    zh, _, en = (it.strip() for it in said.partition("/ "))
    if isinstance(error, RowError):
        zh, en = zh.removeprefix(f"{error.name}："), en.removeprefix(f"{error.name}: ")
    if error.code == "consent_undated":
        return Text("填了同意人脸核验，没有填同意日期", "consent without the day it was given")
    if error.code in _WORDS or not en:
        known = _range(said) if error.code in _OUT_OF_RANGE else _WORDS.get(error.code, zh)
        return Text(known, en or zh)
    return Text(zh, en)


def _range(said: str) -> str:
    """What a number must be, out of the sentence that says so in English."""
    found = re.search(r"(greater|less) than( or equal to)? (-?[\d.]+)", said)
    if not found:
        return "数值超出范围"
    words = {"greater": ("大于", "不小于"), "less": ("小于", "不大于")}
    return f"须{words[found[1]][bool(found[2])]}{found[3]}"


class _Accounts:
    """Whose account a row is about, where it does not say so itself: by ID number, then by name.

    Schools know people by number and name, platforms by account. A learner whom nobody gave an
    account gets one that is made of the number's keyed hash: the same in every class.
    """

    def __init__(
        self, connection: Connection, vault: Vault, row: catalogue.ClassRow, kind: TableKind
    ) -> None:
        self.connection, self.vault, self.row, self.kind = connection, vault, row, kind
        self.members = store.enrolled(connection, row.id)
        self.by_id = {it.external_id: it for it in self.members}
        self.by_hash = {it.id_hash: it for it in self.members if it.id_hash}
        self.by_name: dict[str, list[store.EnrolledRow]] = defaultdict(list)
        for it in self.members:
            self.by_name[person_names.key(it.name)].append(it)

    def tell(self, rows: Sequence[TableRow]) -> None:
        """Fill in accounts, and refuse rows that name nobody for sure."""
        if not self.kind.names_people:
            return
        for row in rows:
            if row.reason is None and "learner_id" not in row.item:
                row.by_number = True
                row.reason = self._newcomer(row) if self.kind is ROSTER else self._member(row)
            if row.reason is None and self.kind is not ROSTER:
                row.reason = self._misnamed(row)

    def _hash(self, row: TableRow) -> NumberHash | Text | None:
        """The keyed hash of the row's number; Text: why it is no number."""
        said = row.item.get("id_number")
        if said is None:
            return None
        if not isinstance(said, str):
            return _lost()
        listed = "id_number_confirmed" not in {it.field for it in self.kind.columns}
        confirmed = listed or bool(row.item.get("id_number_confirmed"))
        try:
            number = id_numbers.read(said, _id_type(row), confirmed=confirmed)
            return number_hash(self.vault, self.row, number)
        except id_numbers.BadNumber as refusal:
            return both(str(refusal))

    def _newcomer(self, row: TableRow) -> Text | None:
        found = self._hash(row)
        if isinstance(found, Text):
            return found
        if found is None:
            return Text(
                "没有证件号码，也没有学员编号，无法确定是谁",
                "neither an ID number nor an account says who this is",
            )
        if found in self.by_hash:
            row.item["learner_id"] = self.by_hash[found].external_id
            return None
        name = row.item.get("name") or ""
        holders = store.holders(self.connection, self.row.platform_id, [found])
        known = [it.external_id for it in holders if person_names.same(it.name, name)]
        row.item["learner_id"] = known[0] if known else f"zx-{found.hex()[:12]}"
        return None

    def _member(self, row: TableRow) -> Text | None:
        found = self._hash(row)
        if isinstance(found, Text):
            return found
        if found is not None:
            member = self.by_hash.get(found)
            if member is None and self.kind.name == "history":
                return None  # the register knows people of no class
            if member is None:
                return Text("花名册上没有这个证件号码", "this ID number is not on the roster")
            row.item["learner_id"] = member.external_id
            return None
        named = self.by_name[person_names.key(row.item.get("name") or "")]
        if len(named) != 1:
            return (
                Text("花名册上没有此人", "not on the roster")
                if not named
                else Text(
                    f"花名册上有{len(named)}位同名，请填写证件号码",
                    f"{len(named)} on the roster have this name: add the ID number",
                )
            )
        row.item["learner_id"] = named[0].external_id
        return None

    def _misnamed(self, row: TableRow) -> Text | None:
        """A row whose number or account is that of somebody of another name."""
        member = self.by_id.get(row.item.get("learner_id") or "")
        name = row.item.get("name")
        if member is None or not name or person_names.same(member.name, name):
            return None
        return Text(
            f"该证件号码或学员编号在花名册上是{member.name}",
            f"this number or account is {member.name}'s on the roster",
        )


def _id_type(row: TableRow) -> str | None:
    said = row.item.get("id_type")
    return id_numbers.type_in_words(said) if said else None


def _lost() -> Text:
    return Text(
        "证件号码存成了数值（如 4.11526E+17），电脑只保留了前15位，末几位已经丢失。"
        "请把该列设为“文本”后按证件重新填写",
        "the number was kept as a number, and its last digits are lost: make the column text and "
        "enter it again",
    )


def not_taken(error: BadInput) -> Text:
    """Why a whole table was not taken."""
    said = error.detail
    zh, _, en = said.partition(" / ")
    return Text(zh.partition(": ")[2] or zh, en or zh)
