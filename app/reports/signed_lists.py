"""The lists that are signed: as they stand (drafts), and as two persons signed them.

准予, 不接受 and 未审结 split the roster; 公示名单 follows the first. Once signed they are printed
as they were then, whatever has changed since, until a correction is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.canonical import canonical
from app.domain.review import sign_off
from app.domain.review.sign_off import Submission
from app.reports.dossier import Dossier, office_of
from app.reports.lists import LISTS
from app.reports.sheet import Column, Heading, Sheet, when
from app.store.accounts import audit
from app.store.accounts.audit import AuditFilter
from app.store.review import sign_offs
from app.store.review.sign_offs import SignOffRow
from app.vault import Vault

SIGNED = ("admitted", "refused", "pending", "public-list")
POSTED = "public-list"
OUTCOMES = {"eligible": "admitted", "ineligible": "refused", "pending": "pending"}
_OF_THE_DAY = {"补正截止", "下一考核窗口"}
_TITLES = {"admitted": "准予", "refused": "不接受", "pending": "未审结"}


@dataclass(frozen=True, slots=True)
class Moved:
    """A learner who stands on another list than the one that was signed; `before` is empty for one
    who was not on the roster, `now` for one who is no longer."""

    learner_id: str
    name: str
    before: str
    now: str


class _Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet as it is kept."""

    name: str
    title: str
    heading: dict[str, Any]
    columns: list[tuple[str, int, str]]
    rows: list[list[str | int | float | None]]
    counts: list[tuple[str, str | int | float | None]]
    notes: list[str]
    personal: bool


Lists = Mapping[str, Sheet]


def drafts(dossier: Dossier) -> Lists:
    """The lists as they stand now."""
    return {name: LISTS[name].build(dossier) for name in SIGNED}


def submission(dossier: Dossier) -> Submission:
    """What is submitted for signature."""
    lists = drafts(dossier)
    return Submission(
        digest=digest_of(lists),
        counts={outcome: len(lists[name].rows) for outcome, name in OUTCOMES.items()},
        lists=msgspec.json.encode([_frozen(it) for it in lists.values()]),
    )


def digest_of(lists: Lists) -> str:
    """sha256 of what all of them say."""
    return hashlib.sha256(canonical({name: it.digest for name, it in lists.items()})).hexdigest()


def signed(dossier: Dossier, vault: Vault, row: SignOffRow) -> Lists:
    """The lists of a submission, as they were then."""
    kept = sign_off.lists_of(dossier.connection, vault, row)
    found = msgspec.json.decode(kept, type=list[_Frozen])
    return {it.name: _thawed(it) for it in found}


def differ(before: Lists, now: Lists) -> bool:
    """Whether the lists say anything else than before, but for what only the calendar changes: that
    a day to mend has passed, and which window is next."""
    return any(_lasting(before[name]) != _lasting(now[name]) for name in SIGNED)


def _lasting(sheet: Sheet) -> Any:
    kept = [at for at, it in enumerate(sheet.columns) if it.title not in _OF_THE_DAY]
    rows = [[row[at] for at in kept] for row in sheet.rows]
    return canonical([replace(sheet, columns=(), rows=()).digest, rows])


def changes(before: Lists, now: Lists) -> list[Moved]:
    """Who stands elsewhere than on the lists before, by the platform's learner ids."""
    was, is_now = _places(before), _places(now)
    found = []
    for learner_id in sorted(was.keys() | is_now.keys()):
        name, old = was.get(learner_id, ("", ""))
        name, new = is_now.get(learner_id, (name, ""))
        if old != new:
            found.append(Moved(learner_id, name, old, new))
    return found


def printed(dossier: Dossier, vault: Vault, name: str) -> Sheet:
    """A list as it is handed out: signed as it was signed, else marked as a draft where it is one
    of those that are signed by hand."""
    listing, rows = LISTS[name], sign_offs.of_class(dossier.connection, dossier.id)
    last = sign_off.in_force(rows)
    if last is None:
        sheet = listing.build(dossier)
        return as_draft(sheet) if listing.signed or name in SIGNED else sheet
    if name not in SIGNED:
        return listing.build(dossier)
    lists, now = signed(dossier, vault, last), drafts(dossier)
    before = _before(dossier, vault, rows)
    return _as_signed(lists, name, dossier, rows, before, behind=differ(lists, now))


def as_draft(sheet: Sheet) -> Sheet:
    """The list, saying everywhere that nobody signed it."""
    heading = replace(sheet.heading, standing="草稿，未经签发，不作依据")
    return replace(sheet, title=f"{sheet.title}（草稿）", heading=heading)


def _before(dossier: Dossier, vault: Vault, rows: list[SignOffRow]) -> Lists | None:
    """The lists that the last signed ones corrected."""
    signed_ones = [it for it in rows if it.signed_ms is not None]
    return signed(dossier, vault, signed_ones[-2]) if len(signed_ones) > 1 else None


def _as_signed(
    lists: Lists,
    name: str,
    dossier: Dossier,
    rows: list[SignOffRow],
    before: Lists | None,
    *,
    behind: bool,
) -> Sheet:
    sheet, number = lists[name], sum(it.signed_ms is not None for it in rows) - 1
    last = sign_off.in_force(rows)
    assert last is not None
    which = f"更正第{number}号" if number else "首次签发"
    who = f"，送签 {last.preparer}，签发 {last.signer}" if dossier.named else ""
    standing = f"已签发（{which}，{when(last.signed_ms)}{who}）"
    notes = list(sheet.notes)
    if before is not None:
        masked = sheet.posted
        notes.append(f"更正第{number}号：{last.reason}" if not masked else f"更正第{number}号。")
        notes += [] if masked else [_told(it) for it in changes(before, lists)]
    if behind:
        notes.append("签发后情况有变化，更正尚未签发；本清单为签发时的内容。")
    return replace(
        sheet,
        title=f"{sheet.title}（更正第{number}号）" if number else sheet.title,
        heading=replace(
            sheet.heading,
            standing=standing,
            signed_digest=last.digest,
            audit_head=_audit_head(dossier, last),
            office=office_of(dossier.row.county),
            published="",
        ),
        notes=tuple(notes),
    )


def _audit_head(dossier: Dossier, row: SignOffRow) -> str:
    """Number and link of the signature's entry: on paper it tells later whether the log was cut or
    written anew (`zhenxue audit verify --printed`)."""
    signed_ms = row.signed_ms or 0
    wanted = AuditFilter(
        action="lists.signed",
        subject=f"class:{dossier.id}",
        since_ms=signed_ms,
        until_ms=signed_ms + 1,
    )
    entries = audit.page(dossier.connection, wanted, size=10)
    found = [it for it in entries if it.detail.get("digest") == row.digest]
    return f"{found[-1].id}:{found[-1].chain.hex()}" if found else ""


def _told(it: Moved) -> str:
    before, now = it.before or "不在花名册", it.now or "不在花名册"
    return f"{it.name}（{it.learner_id}）：由{before}改为{now}。"


def _places(lists: Lists) -> dict[str, tuple[str, str]]:
    """Name of each learner and of the list that they stand on, by the platform's id."""
    found: dict[str, tuple[str, str]] = {}
    for list_name, title in _TITLES.items():
        sheet = lists[list_name]
        for learner_id, name in zip(sheet.values("学员编号"), sheet.values("姓名"), strict=True):
            found[str(learner_id)] = (str(name), title)
    return found


def _frozen(sheet: Sheet) -> _Frozen:
    return _Frozen(
        name=sheet.name,
        title=sheet.title,
        heading={it: getattr(sheet.heading, it) for it in Heading.__slots__},
        columns=[(it.title, it.width, it.align) for it in sheet.columns],
        rows=[list(row) for row in sheet.rows],
        counts=list(sheet.counts),
        notes=list(sheet.notes),
        personal=sheet.personal,
    )


def _thawed(it: _Frozen) -> Sheet:
    return Sheet(
        it.name,
        it.title,
        Heading(**it.heading),
        tuple(Column(title, width, align) for title, width, align in it.columns),  # type: ignore[arg-type]
        tuple(tuple(row) for row in it.rows),
        tuple(it.counts),
        tuple(it.notes),
        it.personal,
        posted=it.name == POSTED,
    )
