"""A list as PDF on A4, set by Typst in type that comes with the requirements.

Nothing of the machine's is used, neither a library nor a font: the same list is the same file
everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from app.errors import BadInput, NotReady
from app.reports import glyphs
from app.reports.sheet import Form, FormCell, Sheet, breadth, text

MEDIA_TYPE = "application/pdf"
MOST_ROWS = 10_000  # 1.5 GiB while they are set
ROWS_SET_HERE = 500  # Typst keeps what it set: the memory of longer lists goes with a process
AT_ONCE = 2  # longer lists, of whoever asks for them
WAIT_S = 10.0  # for a place among these
_TEMPLATE = Path(__file__).with_name("list.typ")
_PORTRAIT_WIDTH = 95
_PAGE_MM = {False: (188, 240), True: (275, 153)}  # the room for rows, by landscape
_PADDING_MM, _GUTTER_MM = 2.4, 6
_EM_MM = 25.4 / 72  # of one point
_LINE = 1.35
_TOKEN = re.compile(r"[^\s\u2e80-\U0010ffff]{4,}")  # lines break anywhere else
_MAY_BREAK = "\u200b"
_places = BoundedSemaphore(AT_ONCE)
_NARROW_EM, _BROAD_EM = 0.6, 1.0


def write(sheet: Sheet) -> bytes:
    """The list as PDF. Raises BadInput `too_long_for_pdf`, and NotReady where others have as many
    long lists set as the machine has memory for."""
    if len(sheet.rows) > MOST_ROWS:
        raise BadInput(
            "too_long_for_pdf",
            f"{sheet.title}: {len(sheet.rows):,} rows; PDF takes {MOST_ROWS:,}, XLSX and CSV all",
        )
    words = json.dumps(content(sheet), ensure_ascii=False)
    made_s = sheet.heading.generated_ms // 1000
    if len(sheet.rows) <= ROWS_SET_HERE:
        return _set(words, made_s)
    if not _places.acquire(timeout=WAIT_S):
        detail = "others are having long lists set: ask again in a moment"
        raise NotReady("lists_being_set", detail, retry_after_s=20)
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:
            return elsewhere.submit(_set, words, made_s).result()
    finally:
        _places.release()


def _set(words: str, made_s: int) -> bytes:
    import typst  # 80 MB of code: whoever prints loads it

    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(glyphs.folder())]
    )
    document = typst.Compiler(font_paths=fonts).compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"sheet": words},
        timestamp=made_s,
        pdf_tags=False,  # nine tenths of a long list's time and bytes
    )
    assert isinstance(document, bytes)
    return document


def content(sheet: Sheet) -> dict[str, Any]:
    """What `list.typ` prints, as JSON can say it."""
    wide = sum(column.width for column in sheet.columns)
    landscape = wide > _PORTRAIT_WIDTH
    size = 9 if wide <= 150 else 7
    across, down = _PAGE_MM[landscape]
    half = (across - _GUTTER_MM) / 2 / (9 * _EM_MM)
    rooms = [(across * it.width / wide - _PADDING_MM) / (size * _EM_MM) for it in sheet.columns]
    tall = 0.6 * down / (size * _EM_MM * _LINE)
    name = f"{sheet.form.name}　{sheet.title}" if sheet.form else sheet.title
    return {
        "title": glyphs.printable(sheet.title),
        "foot": glyphs.printable(name),
        "digest": "" if sheet.posted else sheet.digest[:16],
        "landscape": landscape,
        "size": size,
        "lines": [
            [label, _fitted(value, half - breadth(label) / 2)] for label, value in sheet.lines
        ],
        "columns": [
            {"title": it.title, "width": it.width, "align": it.align} for it in sheet.columns
        ],
        "rows": [_row([text(it) for it in row], rooms, tall) for row in sheet.rows],
        "counts": [[label, _fitted(text(value), half / 2)] for label, value in sheet.counts],
        "notes": [glyphs.printable(it) for it in sheet.closing],
        "signatures": sheet.signatures,
        "proof": _fitted(
            "　".join(f"{it}：{value}" for it, value in sheet.proof), across / (6.5 * _EM_MM)
        ),
        "seal": glyphs.printable(sheet.seal),
        "form": _form(sheet, sheet.form, across) if sheet.form else None,
    }


def _row(words: Iterable[str], rooms: list[float], tall: float) -> dict[str, Any]:
    """A row stays whole on a page, but for one that would fill it."""
    cells = [_fitted(it, room) for it, room in zip(words, rooms, strict=True)]
    lines = max(map(_lines, cells, rooms), default=1)
    return {"cells": cells, "long": lines > tall}


def _lines(words: str, room: float) -> int:
    if len(words) < room and "\n" not in words:
        return 1
    return sum(max(1, ceil(breadth(it) / 2 / room)) for it in words.split("\n"))


def _fitted(words: str, room: float) -> str:
    """The words, with places to break at in whatever is broader than its column in ems."""

    def fitted(token: re.Match[str]) -> str:
        it = token[0]
        broad = sum(_BROAD_EM if c.isupper() or c in "%@mw—…" else _NARROW_EM for c in it)
        return it if broad <= room else _MAY_BREAK.join(it)

    return _TOKEN.sub(fitted, glyphs.printable(words))


def _form(sheet: Sheet, form: Form, across: int) -> dict[str, Any]:
    """A table for each page, so that no box is torn."""
    em = across / sum(form.widths) / (9 * _EM_MM)

    def box(column: int, cell: FormCell) -> dict[str, Any]:
        room = sum(form.widths[column : column + cell.across]) * em - 1.5
        return {
            "words": _fitted(cell.words, room),
            "across": cell.across,
            "down": cell.down,
            "label": cell.label,
        }

    first = sum(map(len, form.blocks[: form.new_page_before]))
    placed = list(form.placed())
    return {
        "name": form.name,
        "origin": glyphs.printable("　".join(sheet.origin)),
        "widths": form.widths,
        "pages": [
            [box(column, cell) for line, column, cell in placed if (line >= first) == later]
            for later in (False, True)
        ],
    }
