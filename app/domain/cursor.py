"""Where a page of a list goes on: the row id that the page before ended with."""

from __future__ import annotations

from app.errors import BadInput


def after(cursor: str | None) -> int:
    """The row id that a page begins after. Raises BadInput."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
        raise BadInput("bad_cursor", "cursor: not one that this service gave", field="cursor")
    return int(cursor)
