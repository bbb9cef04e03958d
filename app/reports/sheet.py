"""One list, whatever it is written as: heading, columns, rows, and the counts it ends with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import east_asian_width

from app.canonical import canonical
from app.clock import at

Value = str | int | float | None
Row = tuple[Value, ...]
Align = Literal["left", "center", "right"]

NO_DATA = "无数据"  # what nobody reported is printed so, and is nobody's fault
SIGNATURES = ("初审人", "复核人")
_ORIGIN = ("处理尺度", "签发状态", "依据", "生成时间")
_TO_BE_POSTED = "　　年　　月　　日至　　年　　月　　日"


@dataclass(frozen=True, slots=True)
class Column:
    """`width` counts characters of half a square; a Chinese one takes two."""

    title: str
    width: int = 12
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above every list (docs/rules.md section 7)."""

    institution: str
    class_no: str
    class_id: str
    occupation: str
    pack: str
    pack_digest: str
    period: str
    generated_ms: int
    remark: str = ""  # stands under every list of the class
    standing: str = ""  # draft, or signed by whom and when; empty for lists nobody signs
    signed_digest: str = ""  # of all the lists that were signed together
    audit_head: str = ""  # the audit log's entry of the signature, and its link
    instrument: str = ""  # number and title of the rules, for those who know no pack
    level: str = ""
    scale: str = ""  # that applies, where the list hangs on it
    office: str = ""  # whose seal stands under what people sign
    published: str = ""  # from when to when and where a notice is posted
    county: str = ""  # of a list of a whole county, which has no class and no pack

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What a person reads above a list; no codes and no digests."""
        made = ("生成时间", f"{at(self.generated_ms):%Y-%m-%d %H:%M:%S}（北京时间）")
        if self.county:
            return (("县（市、区）", self.county), ("期间", self.period), made)
        return (
            ("培训机构", self.institution),
            self.number,
            ("职业（工种）及等级", self.subject),
            ("培训期间", self.period),
            *((("处理尺度", self.scale),) if self.scale else ()),
            *((("签发状态", self.standing),) if self.standing else ()),
            *((("依据", self.instrument),) if self.instrument else ()),
            made,
        )

    def proof(self, digest: str) -> tuple[tuple[str, str], ...]:
        """What a list is checked with, in small print at its foot: the exact rules, and digests."""
        told = (
            ("规则包", f"{self.pack}（sha256 {self.pack_digest[:16]}…）" if self.pack else ""),
            ("内容摘要", digest),
            ("签发摘要", self.signed_digest),
            ("审计日志", self.audit_head),
        )
        return tuple((label, value) for label, value in told if value)

    @property
    def number(self) -> tuple[str, str]:
        """The official class number; the class's own is one only under its own name."""
        if self.class_no in ("", NO_DATA):
            return ("班级自编号", self.class_id)
        return ("班级编号（批次）", self.class_no)

    @property
    def unnumbered(self) -> tuple[str, ...]:
        """What a clerk has to do about a class without an official number."""
        if self.county or not self.class_id or self.class_no != NO_DATA:
            return ()
        return ("本班未登记官方系统的班级编号：请在班级页“更改班级”中填写“官方班号”，再重新导出。",)

    @property
    def notice(self) -> tuple[tuple[str, str], ...]:
        """What a notice to the public says: whose class, and by which rules; no digests."""
        return (
            ("培训机构", self.institution),
            self.number,
            ("职业（工种）及等级", self.subject),
            ("培训期间", self.period),
            ("公示单位", self.office),
            ("公示期", self.published or _TO_BE_POSTED),
            *((("处理尺度", self.scale),) if self.scale else ()),
            ("依据", self.instrument),
            *((("签发状态", self.standing),) if self.standing else ()),
        )

    @property
    def subject(self) -> str:
        return f"{self.occupation}　{self.level}".strip()


@dataclass(frozen=True, slots=True)
class FormCell:
    """A box of a form: a printed label, or the place of an entry. `words` may have several lines;
    `filled`: the service wrote the entry, which the form leaves blank."""

    words: str
    across: int = 1
    down: int = 1
    label: bool = False
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A printed form: blocks of lines of boxes over columns of `widths`, and where page 2 begins.

    As in HTML, a box that reaches down is named in its first line only.
    """

    name: str
    widths: tuple[int, ...]
    blocks: tuple[tuple[tuple[FormCell, ...], ...], ...]
    new_page_before: int

    def placed(self) -> Iterator[tuple[int, int, FormCell]]:
        """(line, column, box), counted over all blocks."""
        taken: set[tuple[int, int]] = set()
        for number, line in enumerate(line for block in self.blocks for line in block):
            column = 0
            for cell in line:
                while (number, column) in taken:
                    column += 1
                yield number, column, cell
                taken |= {
                    (number + down, column + across)
                    for down in range(cell.down)
                    for across in range(cell.across)
                }


@dataclass(frozen=True, slots=True)
class Sheet:
    """`counts` close the list and tie it to the others; `notes` say what a reader must know."""

    name: str
    title: str
    heading: Heading
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    counts: tuple[tuple[str, Value], ...]
    notes: tuple[str, ...] = ()
    personal: bool = True
    posted: bool = False  # on a notice board, for people who know no pack and no digest
    signatures: tuple[str, ...] = SIGNATURES
    form: Form | None = None  # printed in the place of the table; `rows` say the same

    @property
    def digest(self) -> str:
        """sha256 of what the list says: the same content on another day has the same digest."""
        content = {
            "name": self.name,
            "class": [self.heading.class_id, self.heading.class_no, self.heading.institution],
            **({"county": self.heading.county} if self.heading.county else {}),
            "period": self.heading.period,
            "pack": [self.heading.pack, self.heading.pack_digest],
            "columns": [it.title for it in self.columns],
            "rows": self.rows,
            "counts": self.counts,
        }
        return hashlib.sha256(canonical(content)).hexdigest()

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        return self.heading.notice if self.posted else self.heading.lines

    @property
    def proof(self) -> tuple[tuple[str, str], ...]:
        """What stands in small print at the foot; nothing of it on a notice board."""
        return () if self.posted else self.heading.proof(self.digest)

    @property
    def seal(self) -> str:
        """The office whose seal has its place beside the signatures; empty where nobody signs."""
        return self.heading.office if self.signatures else ""

    @property
    def origin(self) -> tuple[str, ...]:
        """Where a form comes from, line by line at its foot."""
        told = [(label, value) for label, value in self.lines if label in _ORIGIN]
        notes = (*self.heading.unnumbered, *self.notes, *filter(None, [self.heading.remark]))
        return (*(f"{label}：{value}" for label, value in told), *notes)

    @property
    def closing(self) -> tuple[str, ...]:
        """Notes under the counts; a list without a line says that it has none."""
        to_do = () if self.posted else self.heading.unnumbered
        notes = (*self.notes, *to_do, *filter(None, [self.heading.remark]))
        return notes if self.rows else ("本清单无记录。", *notes)

    def count(self, label: str) -> Value:
        return dict(self.counts)[label]

    def values(self, title: str) -> Sequence[Value]:
        """One column's values."""
        at_column = [it.title for it in self.columns].index(title)
        return [row[at_column] for row in self.rows]


def breadth(words: str) -> int:
    """Characters of half a square that words take.

    >>> breadth("林a")
    3
    """
    if words.isascii():
        return len(words)
    return sum(2 if east_asian_width(it) in "FWA" else 1 for it in words)


def when(ms: int | None) -> str:
    """An instant as people in Shanghai write it."""
    return NO_DATA if ms is None else at(ms).isoformat(" ", "seconds")[:19]


def said(value: object) -> str:
    """A reported word, or that there is none."""
    return NO_DATA if value is None or value == "" else str(value)


def yes(value: bool | None) -> str:
    return NO_DATA if value is None else "是" if value else "否"


def text(value: Value) -> str:
    """A cell as it is printed."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)
