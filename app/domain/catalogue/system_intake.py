"""What comes back from an official system: its numbers of a class and its learners.

Rows are matched with the class's learners by account, by ID number, or by name and last four
digits; what fits nobody, or two, is told and stays out.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from app.domain import id_numbers
from app.domain.catalogue import person_names, table_files
from app.domain.catalogue import table_cells as cells
from app.domain.catalogue.official_system import OfficialSystem, SystemTable
from app.domain.catalogue.table_cells import BadCell
from app.domain.catalogue.table_files import BadTable, Cell, FileSheet
from app.domain.catalogue.table_kinds import ROSTER, plain
from app.errors import BadInput
from app.languages import Text
from app.store.accounts import audit
from app.store.catalogue import catalogue, people, system_codes
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.people import EnrolledRow
from app.store.catalogue.system_codes import OF_THE_CLASS
from app.vault import Vault

_HEADER_WITHIN, MAX_CODE = 10, 64
_CODES = ("class_code", "class_id", "learner_code", "learner_id")
_NOBODY = Text("班里没有此人，或有两人相符", "nobody of the class, or two people, fit")
_NO_CODE = Text("没有学员编号，或超过64个字符", "no number, or one that is too long")
_TWICE = Text("同一人在文件里有两个不同的编号", "the file has two numbers for one person")
_SHARED = Text(
    "两名学员的编号相同，均未接收，请核对", "two learners have this number: neither is taken"
)


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A row of the file: `reason` says why it was left out."""

    number: int
    name: str
    code: str
    reason: Text | None


@dataclass(frozen=True, slots=True)
class _Read:
    """A row of the file by our fields, and why a field of it could not be read."""

    number: int
    said: dict[str, str]
    wrong: dict[str, Text]

    @property
    def reason(self) -> Text | None:
        """Why nobody's number is sure; an ID number does not matter beside an account."""
        needed = ["learner_code", "learner_id", "name"]
        if not self.said.get("learner_id"):
            needed += ["id_number", "id_last4"]
        return next((self.wrong[it] for it in needed if it in self.wrong), None)


@dataclass(frozen=True, slots=True)
class SystemReport:
    """`class_code`: the number the file has for the class, `of_form` whether it is of the system's
    form."""

    class_code: str
    of_form: bool
    rows: list[SystemRow]

    @property
    def taken(self) -> list[SystemRow]:
        return [it for it in self.rows if it.reason is None]

    @property
    def refused(self) -> list[SystemRow]:
        return [it for it in self.rows if it.reason]


def take(
    connection: Connection,
    vault: Vault,
    system: OfficialSystem,
    klass: ClassRow,
    data: bytes,
    *,
    actor: str,
    now_ms: int,
) -> SystemReport:
    """Keep the system's numbers of a class that the caller holds locked. Raises BadTable for a file
    without such a table, BadInput `other_class` where it is another class's."""
    sheets = table_files.sheets(data)
    table = _rows(sheets, system.learners)
    own = _rows(sheets, system.classes)
    if not table and not own:
        code, *who = _titles(system.learners, ("learner_code", "learner_id", "name"))
        raise BadTable(
            "no_table",
            f"没有找到这些列：{code}，以及{'、'.join(who)}、证件号码中的一列",
            f"no such columns: {code}, and one of {', '.join(who)} and the ID number",
        )
    class_code = _class_code(klass, own or table)
    members = _Members(vault, people.enrolled(connection, klass.id))
    rows, codes = _matched(members, table)
    if class_code:
        codes[OF_THE_CLASS] = class_code
    system_codes.put(connection, system.id, klass.id, codes, now_ms)
    if class_code and system.official and class_code != klass.terms["official_class_no"]:
        _renumber(connection, klass, class_code)
    report = SystemReport(class_code, system.of_form(class_code), rows)
    detail = {
        "system": system.id,
        "official_class_no": class_code,
        "taken": len(report.taken),
        "refused": len(report.refused),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    subject = f"class:{klass.platform_id}:{klass.external_id}"[:128]
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="system.taken",
        subject=subject,
        detail=detail,
    )
    return report


def _rows(sheets: list[FileSheet], table: SystemTable) -> list[_Read]:
    """The rows of the sheet whose header has most of the table's titles, by our fields."""
    who = [it for it in ROSTER.columns if it.field in ("name", "id_number")]
    known = {name: it.field for it in who for name in it.known_as()}
    known |= {plain(it.title): it.field for it in table.columns}
    best: tuple[int, FileSheet, int, dict[int, str]] | None = None
    for sheet in sheets:
        for at, (_, row) in enumerate(sheet.rows[:_HEADER_WITHIN]):
            used = {n: known[plain(it)] for n, it in enumerate(row) if it and plain(it) in known}
            if _is_header(set(used.values()), table) and len(used) > (best[0] if best else 0):
                best = len(used), sheet, at, used
    if best is None:
        return []
    _, sheet, at, used = best
    return [_read(number, row, used) for number, row in sheet.rows[at + 1 :]]


def _titles(table: SystemTable, fields: tuple[str, ...]) -> list[str]:
    titles = {it.field: it.title for it in table.columns}
    return [titles.get(it, it) for it in fields]


def _is_header(fields: set[str], table: SystemTable) -> bool:
    """Whether these are a table's titles: numbers with whose they are, or a third of them all."""
    if any(it.field == "learner_code" for it in table.columns):
        return "learner_code" in fields and bool(fields & {"learner_id", "id_number", "name"})
    return len(fields) > len(table.columns) // 3


def _read(number: int, row: tuple[Cell, ...], used: dict[int, str]) -> _Read:
    read = _Read(number, {}, {})
    for place, field in used.items():
        if place >= len(row):
            continue
        try:
            read.said[field] = _word(field, row[place])
        except BadCell as bad:
            read.said[field], read.wrong[field] = cells.shown(row[place]).strip(), bad.reason
    return read


def _word(field: str, cell: Cell) -> str:
    if field in _CODES:
        return cells.code(cell) or ""
    if field == "name":
        return cells.name(cell) or ""
    if field in ("id_number", "id_last4"):
        text = id_numbers.cleaned(cells.words(cell) or "")
        return text.zfill(4) if text and field == "id_last4" else text  # 0010 becomes 10
    return cells.shown(cell).strip()


def _class_code(klass: ClassRow, rows: list[_Read]) -> str:
    """The number that the file has for this class. Raises BadInput where it is another class's,
    BadTable where it cannot be read."""
    mine = [it for it in rows if it.said.get("class_id") in (None, "", klass.external_id)]
    for it in mine:
        if wrong := it.wrong.get("class_code"):
            where = Text(f"第{it.number}行，班级编号：{wrong.zh}", f"row {it.number}: {wrong.en}")
            raise BadTable("bad_class_code", where.zh, where.en)
    found = sorted({it.said["class_code"] for it in mine if it.said.get("class_code")})
    if not mine or len(found) > 1:
        detail = "文件是另一个班级的，或有几个班级编号 / another class's file, or several classes'"
        raise BadInput("other_class", detail, field="file")
    if found and len(found[0]) > MAX_CODE:
        raise BadInput("too_long", f"class_code: at most {MAX_CODE} characters", field="file")
    return found[0] if found else ""


class _Members:
    """A class's learners by all that a row may name them by."""

    def __init__(self, vault: Vault, members: Any) -> None:
        self.vault = vault
        self.by_account: Mapping[str, EnrolledRow] = {it.external_id: it for it in members}
        self.by_hash = {it.id_hash: it for it in members if it.id_hash}
        self.by_ending: dict[str, list[EnrolledRow]] = defaultdict(list)
        for it in members:
            self.by_ending[it.id_last4 or ""].append(it)

    def of(self, row: dict[str, str]) -> EnrolledRow | None:
        """Whose row it is; None where nobody or two people fit, or what it says does not agree."""
        found = self._named(row)
        name = row.get("name", "")
        return found if found and (not name or person_names.same(found.name, name)) else None

    def _named(self, row: dict[str, str]) -> EnrolledRow | None:
        if row.get("learner_id"):
            return self.by_account.get(row["learner_id"])
        number, ending = row.get("id_number", ""), row.get("id_last4", "")
        if number and "*" not in number:
            try:
                number = id_numbers.read(number, confirmed=True)
            except id_numbers.BadNumber:
                return None
            return self.by_hash.get(self.vault.id_number_hash(number))
        ending, name = ending or number[-4:], row.get("name", "")
        fits = [it for it in self.by_ending[ending] if ending and person_names.same(it.name, name)]
        return fits[0] if len(fits) == 1 else None


def _matched(members: _Members, table: list[_Read]) -> tuple[list[SystemRow], dict[int, str]]:
    rows: list[tuple[SystemRow, int | None]] = []
    codes: dict[int, str] = {}
    for it in table:
        name, code = it.said.get("name", ""), it.said.get("learner_code", "")
        if not name and not code:
            continue
        member = members.of(it.said)
        reason = it.reason
        if reason is None and member is None:
            reason = _NOBODY
        elif reason is None and not 1 <= len(code) <= MAX_CODE:
            reason = _NO_CODE
        elif reason is None and member and codes.setdefault(member.id, code) != code:
            reason = _TWICE
        rows.append((SystemRow(it.number, name, code, reason), member.id if member else None))
    held = Counter(codes.values())
    shared = {member for member, code in codes.items() if held[code] > 1}
    told = [replace(row, reason=row.reason or _SHARED) if of in shared else row for row, of in rows]
    return told, {member: code for member, code in codes.items() if member not in shared}


def _renumber(connection: Connection, klass: ClassRow, number: str) -> None:
    terms = klass.terms | {"official_class_no": number}
    catalogue.update_class(connection, klass.id, official_class_no=number, terms=terms)
