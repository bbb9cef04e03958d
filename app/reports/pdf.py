"""A list as PDF on A4, by WeasyPrint. Where Pango or a Chinese font is missing, it says so."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from html import escape

from app.errors import NotReady
from app.reports.sheet import SIGNATURES, Cell, Form, Row, Sheet, text

MEDIA_TYPE = "application/pdf"
_PORTRAIT_WIDTH = 95

_STYLE = """
@page { size: A4 %(turn)s; margin: 14mm 11mm 16mm;
  @bottom-left { content: "%(title)s"; font: 8pt serif }
  @bottom-center { content: "第 " counter(page) " 页 / 共 " counter(pages) " 页"; font: 8pt serif }
  @bottom-right { content: "%(digest)s"; font: 7pt monospace } }
body { font: 9pt "Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif; line-height: 1.35 }
h1 { font: bold 16pt "Noto Sans CJK SC", SimHei, sans-serif; text-align: center; margin: 0 0 4mm }
dl { columns: 2; margin: 0 0 3mm } dl div { break-inside: avoid }
dt, dd { display: inline; margin: 0 }
dd { overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%%; table-layout: fixed; font-size: %(size)spt }
thead { display: table-header-group } tr { break-inside: avoid }
th, td { border: .5pt solid #333; padding: 1mm; overflow-wrap: anywhere; vertical-align: top;
  white-space: pre-line }
th { background: #e7e6e6; font-weight: bold; text-align: center; vertical-align: middle }
.form + .form { break-before: page }
.form th { background: none; font-weight: normal; padding: 1.4mm .6mm }
.box { white-space: pre-line; vertical-align: middle; height: 9.4mm }
.form td { padding: 1.2mm 1.6mm }
.right { text-align: right } .center { text-align: center }
ul { list-style: none; padding: 0; margin: 3mm 0; columns: 2; font-weight: bold }
p { margin: 1mm 0 } .sign { margin-top: 8mm; break-inside: avoid } .sign span { margin-right: 18mm }
"""


def write(sheet: Sheet) -> bytes:
    """The list as PDF. Raises NotReady `pdf_unavailable` naming what is missing."""
    require()
    from weasyprint import HTML

    document: bytes = HTML(string=page(sheet)).write_pdf()
    return document


@cache
def _missing() -> str | None:
    """What a PDF cannot be made without and is not here."""
    try:
        import weasyprint  # noqa: F401  it loads Pango when it is imported
    except (ImportError, OSError):
        return "PDF needs Pango (Debian: libpango-1.0-0 libpangoft2-1.0-0)"
    listing = shutil.which("fc-list")
    if listing is not None:
        found = subprocess.run([listing, ":lang=zh"], capture_output=True, check=False)  # noqa: S603
        if not found.stdout.strip():
            return "PDF needs a Chinese font (Debian: fonts-noto-cjk)"
    return None


def require() -> None:
    """Raises NotReady when no PDF can be made here."""
    missing = _missing()
    if missing is not None:
        raise NotReady(
            "pdf_unavailable", f"{missing}; XLSX and CSV work without", retry_after_s=3600
        )


def available() -> bool:
    """Whether a PDF can be made here."""
    return _missing() is None


def page(sheet: Sheet) -> str:
    """The list as an HTML page for print."""
    wide = sum(column.width for column in sheet.columns)
    style = _STYLE % {
        "turn": "landscape" if wide > _PORTRAIT_WIDTH else "portrait",
        "title": f"{sheet.form.name}　{sheet.title}" if sheet.form else sheet.title,
        "digest": sheet.digest[:16],
        "size": 9 if wide <= 150 else 7,
    }
    if sheet.form:
        return _document(sheet, style, _form(sheet, sheet.form))
    columns = "".join(
        f'<col style="width:{100 * column.width / wide:.2f}%">' for column in sheet.columns
    )
    head = "".join(f"<th>{escape(column.title)}</th>" for column in sheet.columns)
    rows = "".join(f"<tr>{_cells(sheet, row)}</tr>" for row in sheet.rows)
    lines = "".join(
        f"<div><dt>{escape(label)}：</dt><dd>{escape(value)}</dd></div>"
        for label, value in sheet.lines
    )
    counts = "".join(
        f"<li>{escape(label)}：{escape(text(value))}</li>" for label, value in sheet.counts
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in sheet.closing)
    signed = "".join(f"<span>{name}（签字）：＿＿＿＿＿＿</span>" for name in SIGNATURES)
    return _document(
        sheet,
        style,
        f"<dl>{lines}</dl><table><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table><ul>{counts}</ul>{notes}"
        f'<p class="sign">{signed}<span>　　年　　月　　日</span></p>',
    )


def _document(sheet: Sheet, style: str, body: str) -> str:
    title = escape(sheet.title)
    above = f"<p>{escape(sheet.form.name)}</p>" if sheet.form else ""
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style>{above}<h1>{title}</h1>{body}</html>"
    )


def _cells(sheet: Sheet, row: Row) -> str:
    return "".join(
        f'<td class="{column.align}">{escape(text(value))}</td>'
        for column, value in zip(sheet.columns, row, strict=True)
    )


def _form(sheet: Sheet, form: Form) -> str:
    """Boxes as they are printed; a table for each page, so that no box is torn."""
    wide = sum(form.widths)
    columns = "".join(f'<col style="width:{100 * it / wide:.2f}%">' for it in form.widths)
    pages = (form.blocks[: form.new_page_before], form.blocks[form.new_page_before :])
    tables = []
    for blocks in pages:
        lines = (f"<tr>{''.join(map(_box, line))}</tr>" for block in blocks for line in block)
        tables.append(f'<table class="form"><colgroup>{columns}</colgroup>{"".join(lines)}</table>')
    return f"{''.join(tables)}<p>{escape(sheet.origin)}</p>"


def _box(cell: Cell) -> str:
    kind = "th" if cell.label else "td"
    spans = f'colspan="{cell.across}" rowspan="{cell.down}"'
    return f'<{kind} {spans} class="box">{escape(cell.words)}</{kind}>'
