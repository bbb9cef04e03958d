"""JSON that says a thing twice is told apart from JSON that does not, however it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import plain_json
from app.errors import MalformedBody


class Pairs(list[Any]):
    """An object as its pairs, which may repeat a name."""


NAMES = st.sampled_from(["a", "b", 'q"', "é", "\\", ":", "a :", '":'])


def objects(values: Any, most: int) -> Any:
    return st.lists(st.tuples(NAMES, values), max_size=most).map(Pairs)


VALUES: Any = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | objects(inner, 4),
    max_leaves=12,
)


def written(value: Any, colon: str) -> str:
    if isinstance(value, Pairs):
        return "{" + ",".join(json.dumps(k) + colon + written(v, colon) for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(it, colon) for it in value) + "]"
    return json.dumps(value)


def repeats(value: Any) -> bool:
    if isinstance(value, Pairs):
        names = [name for name, _ in value]
        return len(set(names)) < len(names) or any(repeats(it) for _, it in value)
    return isinstance(value, list) and any(repeats(it) for it in value)


@given(
    st.lists(objects(VALUES, 4), max_size=4),
    objects(VALUES, 2),
    st.sampled_from([":", ": ", " :", "\n:\t"]),
)
def test_a_repeated_name_is_found_by_the_quick_look_as_by_the_slow(events, beside, colon):
    document = Pairs([("events", events), *beside])
    body = written(document, colon).encode()
    for quick in ("events", ""):
        if repeats(document):
            with pytest.raises(MalformedBody) as refused:
                plain_json.require_single_names(body, quick)
            assert refused.value.code == "duplicate_name"
        else:
            plain_json.require_single_names(body, quick)


def test_a_number_too_long_for_python_is_no_matter():
    plain_json.require_single_names(b'{"a":' + b"9" * 5000 + b"}")


def test_loads_refuses_what_is_no_utf8():
    with pytest.raises(MalformedBody, match="byte 6"):
        plain_json.loads(b'{"a":"\xff"}')
