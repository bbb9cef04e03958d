"""Canonical JSON: the bytes that digests are taken of stay what the standard library writes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from app.canonical import canonical

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | WORDS
    | st.integers(-(10**9), 10**9).map(lambda it: it / 8)
)
CONTENT = st.recursive(
    LEAVES, lambda it: st.lists(it, max_size=4) | st.dictionaries(WORDS, it, max_size=4)
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(CONTENT)
def test_it_is_json_with_sorted_keys_and_nothing_between(content: object) -> None:
    usual = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical(content) == usual.encode()


def test_the_order_in_which_a_thing_was_made_does_not_show() -> None:
    assert canonical({"学": 1, "a": {"z": 2, "b": 3}}) == canonical(
        {"a": {"b": 3, "z": 2}, "学": 1}
    )
