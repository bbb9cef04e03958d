"""A page goes on after the row that the page before ended with."""

from __future__ import annotations

import pytest

from app.domain.cursor import after
from app.errors import BadInput


@pytest.mark.parametrize(
    ("cursor", "row"), [(None, 0), ("0", 0), ("17", 17), ("9" * 18, 10**18 - 1)]
)
def test_a_cursor_names_the_row_to_go_on_after(cursor: str | None, row: int) -> None:
    assert after(cursor) == row


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "seven", "１７", "٧", "9" * 19, "1 "])
def test_what_this_service_never_gave_is_refused_by_field(cursor: str) -> None:
    with pytest.raises(BadInput) as refusal:
        after(cursor)
    assert (refusal.value.code, refusal.value.extra) == ("bad_cursor", {"field": "cursor"})
