"""`zhenxue recordings`: measure the films of a folder and list them as a table to hand in."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.answer import Json, say
from app.domain.catalogue.table_kinds import RECORDINGS

app = typer.Typer(help="Measure recordings of teaching and list them.")

ENDINGS = frozenset((".mp4", ".mov", ".m4v", ".mkv", ".avi", ".flv", ".ts", ".webm", ".wmv"))
_DAY = re.compile(r"(20\d\d)[-_.年]?(\d\d)[-_.月]?(\d\d)")
_KINDS = {"实操": "实操", "实训": "实操", "理论": "理论"}


@app.command()
def recordings(
    folder: Annotated[
        Path, typer.Argument(help="Where the films lie.", exists=True, file_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="The table to write.")] = Path("recordings.xlsx"),
    stored_at: Annotated[str, typer.Option(help="Where they are kept, as others find it.")] = "",
    as_json: Json = False,
) -> None:
    """Read length, breaks and SHA-256 of every film in a folder into a table (XLSX). Fill in its
    empty cells and hand it in on the class's page. Exits with 1 when a film cannot be read."""
    from app.reports import table_books  # the help of all commands needs no workbooks

    films = sorted(it for it in folder.rglob("*") if it.suffix.lower() in ENDINGS)
    rows, unreadable = [], []
    for path in films:
        row = _row(path, stored_at or str(path.parent))
        if row is None:
            unreadable.append(str(path))
        else:
            rows.append(row)
    out.write_bytes(table_books.filled(RECORDINGS, rows))
    lines = [f"{it['file']}  {it['measured_minutes']} min" for it in rows]
    lines += [f"cannot be read: {it}" for it in unreadable]
    told = {"table": str(out), "recordings": rows, "unreadable": unreadable}
    say(told, as_json, "\n".join([*lines, f"{len(rows)} recordings in {out}"]))
    if unreadable:
        raise typer.Exit(1)


def _row(path: Path, stored_at: str) -> dict[str, Any] | None:
    """What is known of a film; day and kind by its name, for a person to look over."""
    from app.vision import film_length  # OpenCV: whoever measures loads it

    try:
        length = film_length.measured(path)
    except film_length.UnreadableFilm:
        return None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    day = _DAY.search(path.name)
    minutes = round(length.seconds / 60, 2)
    return {
        "file": path.name,
        "held_on": "-".join(day.groups()) if day else None,
        "practical": next((it for word, it in _KINDS.items() if word in path.name), None),
        "minutes": minutes,
        "stored_at": stored_at,
        "sha256": sha256,
        "measured_minutes": minutes,
        "longest_minutes": round(length.longest_s / 60, 2),
    }
