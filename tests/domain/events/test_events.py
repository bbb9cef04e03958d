"""Events: what is sent comes back from the packed form, and every fault names index and field."""

from __future__ import annotations

import json
import math
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.events.events import (
    EARLIEST_MS,
    LATEST_MS,
    AnyEvent,
    Event,
    PlayEvent,
    beyond_the_film,
    pack,
    read_one,
)
from app.domain.wire import ItemError
from app.store.events.packed import note_bytes, notes_of, records_of
from detectors.trace import EVENT, NONE, Flag, Integrity, Kind

NOW = 1_791_766_800_000
SAMPLES: dict[str, dict[str, Any]] = {
    "play": {"position": 1.5},
    "pause": {"position": 1.5},
    "waiting": {"position": 1.5},
    "playing": {"position": 1.5},
    "ended": {"position": 2700.0},
    "progress": {
        "position": 12.345,
        "rate": 1.25,
        "visible": True,
        "focused": False,
        "monotonic_ms": 12_000.4,
    },
    "seek": {"from": 10.0, "to": 20.25, "blocked": True},
    "rate": {"rate": 2.0, "position": 3.0},
    "visibility": {"visible": False},
    "focus": {"focused": True},
    "popup_shown": {"challenge_id": "c-1", "nonce": "n"},
    "popup_answered": {
        "challenge_id": "c-1",
        "nonce": "n",
        "input": "keyboard",
        "trusted": True,
        "latency_ms": 1200,
        "answer": "知道了",
    },
    "popup_expired": {"challenge_id": "c-1"},
    "integrity": {"code": "frames_presented", "value": 0},
    "error": {"code": "media", "detail": "decode"},
}


def event(kind: str = "progress", **changes: Any) -> dict[str, Any]:
    body = {"seq": 7, "type": kind, "at_ms": NOW, **SAMPLES.get(kind, {}), **changes}
    return {name: value for name, value in body.items() if value is not ...}


def read(body: Any) -> Event:
    found = read_one(json.dumps(body).encode(), 0)
    assert isinstance(found, Event), found
    return found


def test_there_is_a_sample_of_every_type_and_every_kind_is_a_type():
    tags = {kind.__struct_config__.tag for kind in typing.get_args(AnyEvent)}
    assert tags == set(SAMPLES)
    assert {kind.kind for kind in typing.get_args(AnyEvent)} == set(Kind)
    assert tags == {kind.name.lower() for kind in Kind}


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_type_survives_packing(kind):
    packed = pack([read(event(kind))], 4_567)
    (record,) = records_of(packed.records)
    assert record["kind"] == Kind[kind.upper()]
    assert (record["seq"], record["at_ms"], record["recv_ms"]) == (7, NOW, 4_567)
    sample = SAMPLES[kind]
    place = sample.get("position", sample.get("from"))
    assert record["pos_ms"] == (NONE if place is None else round(place * 1000))
    assert len(packed.records) == EVENT.itemsize == 30
    assert (packed.count, packed.first_seq, packed.last_seq) == (1, 7, 7)


def test_a_heartbeat_keeps_rate_visibility_focus_and_counter():
    (record,) = records_of(pack([read(event())], 0).records)
    assert (record["x"], record["mono_ms"]) == (1250, 12_000)
    assert record["flags"] == Flag.VISIBLE | Flag.BLURRED
    bare = read({"seq": 0, "type": "progress", "at_ms": NOW, "position": 1})
    (record,) = records_of(pack([bare], 0).records)
    assert (record["flags"], record["mono_ms"], record["x"]) == (0, NONE, 1000)


def test_a_seek_keeps_where_from_where_to_and_whether_it_was_blocked():
    (record,) = records_of(pack([read(event("seek"))], 0).records)
    assert (record["pos_ms"], record["x"], record["flags"]) == (10_000, 20_250, Flag.BLOCKED)


@pytest.mark.parametrize("kind", ["popup_shown", "popup_answered", "popup_expired", "error"])
def test_words_are_kept_beside_the_record(kind):
    packed = pack([read(event(kind))], 0)
    (note,) = notes_of(note_bytes(packed.notes))
    assert note == {"seq": 7, "type": kind, **SAMPLES[kind]}


@pytest.mark.parametrize(
    ("code", "value", "family"),
    [
        ("frames_presented", 0, Integrity.NO_FRAMES),
        ("frames_presented", 12, Integrity.OTHER),
        ("hidden_by_prototype", True, Integrity.HIDDEN_BUT_VISIBLE),
        ("hidden_by_prototype", False, Integrity.OTHER),
        ("clock_ratio", 4.0, Integrity.CLOCK_SKEW),
        ("untrusted_click", 3, Integrity.SCRIPTED_INPUT),
        ("battery", 0.4, Integrity.OTHER),
    ],
)
def test_sdks_name_the_same_fact_differently(code, value, family):
    (record,) = records_of(pack([read(event("integrity", code=code, value=value))], 0).records)
    assert record["x"] == family


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(st.integers(0, 2**31 - 2), st.floats(0, 1_000_000), st.integers(0, 10**6)),
        min_size=1,
        max_size=20,
    )
)
def test_any_heartbeats_come_back_to_the_millisecond(beats):
    events = [
        read(event(seq=seq, position=position, at_ms=NOW + at)) for seq, position, at in beats
    ]
    packed = pack(events, 99)
    records = records_of(packed.records)
    assert records["seq"].tolist() == [seq for seq, _, _ in beats]
    assert records["at_ms"].tolist() == [NOW + at for _, _, at in beats]
    for record, (_, position, _) in zip(records, beats, strict=True):
        assert abs(int(record["pos_ms"]) - position * 1000) <= 0.5001
    seqs = [seq for seq, _, _ in beats]
    assert packed.rising == (seqs == sorted(set(seqs)))
    assert (packed.first_seq, packed.last_seq) == (min(seqs), max(seqs))


BAD: list[tuple[str, Any, str, str]] = [
    ("a negative seq", event(seq=-1), "invalid_field", "seq"),
    ("a huge seq", event(seq=2**31 - 1), "invalid_field", "seq"),
    ("an endless seq", event(seq=10**400), "invalid_field", "seq"),
    ("a fraction as seq", event(seq=1.5), "invalid_field", "seq"),
    ("a seq in quotes", event(seq="7"), "invalid_field", "seq"),
    ("no seq", event(seq=...), "missing_field", "seq"),
    ("no time", event(at_ms=...), "missing_field", "at_ms"),
    ("a time in words", event(at_ms="2026-10-12T09:00:00Z"), "invalid_field", "at_ms"),
    ("a position of a year", event(position=1_000_000.5), "invalid_field", "position"),
    ("a position in quotes", event(position="12"), "invalid_field", "position"),
    ("a position that is true", event(position=True), "invalid_field", "position"),
    ("a list as position", event(position=[1]), "invalid_field", "position"),
    ("no position", event(position=...), "missing_field", "position"),
    ("no position at play", event("play", position=...), "missing_field", "position"),
    ("a rate of a thousand", event(rate=1000), "invalid_field", "rate"),
    ("visible as a number", event(visible=1), "invalid_field", "visible"),
    ("a seek from nowhere", event("seek", **{"from": ...}), "missing_field", "from"),
    ("a seek to nowhere", event("seek", to=...), "missing_field", "to"),
    ("a seek before the start", event("seek", to=-1), "invalid_field", "to"),
    ("no challenge", event("popup_answered", challenge_id=...), "missing_field", "challenge_id"),
    ("a long challenge", event("popup_shown", challenge_id="x" * 129), "invalid_field", "challen"),
    ("a long answer", event("popup_answered", answer="x" * 2001), "invalid_field", "answer"),
    ("an unknown type", event("teleport"), "unknown_type", "type"),
    ("a number as type", event(type=6), "invalid_field", "type"),
    ("no type", event(type=...), "missing_field", "type"),
    ("a list", [1, 2], "invalid_field", "event"),
    ("a word", "progress", "invalid_field", "event"),
    ("nothing", None, "invalid_field", "event"),
]


@pytest.mark.parametrize(
    ("body", "code", "field"), [row[1:] for row in BAD], ids=[r[0] for r in BAD]
)
def test_a_bad_event_is_named_by_index_and_field(body, code, field):
    found = read_one(json.dumps(body).encode(), 3)
    assert isinstance(found, ItemError)
    assert (found.index, found.code) == (3, code)
    assert found.detail.startswith(field)
    assert msgspec.to_builtins(found) == {"index": 3, "code": code, "detail": found.detail}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_no_number_that_is_none(number):
    raw = b'{"seq":1,"type":"progress","at_ms":1791766800000,"position":%s}' % number.encode()
    found = read_one(raw, 0)
    assert isinstance(found, ItemError), found
    assert found.code in ("malformed", "invalid_field")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"{}}", b'{"seq":1', b"\xff\xfe", b"[" * 5_000, b'{"seq":1}garbage']
)
def test_what_is_not_json_is_a_problem_and_no_exception(raw):
    found = read_one(raw, 2)
    assert isinstance(found, ItemError)
    assert found.index == 2


HONEST: list[tuple[str, Any, dict[str, int]]] = [
    ("a clock in 1970", event(at_ms=0), {"at_ms": 0}),
    ("a clock before 1970", event(at_ms=-7_200_000), {"at_ms": 0}),
    ("a clock in seconds", event(at_ms=1_791_766_800), {"at_ms": 1_791_766_800}),
    ("a clock with fractions", event(at_ms=NOW + 0.75), {"at_ms": NOW}),
    ("a clock in 9999", event(at_ms=253_402_300_799_999), {"at_ms": LATEST_MS - 1}),
    ("a clock beyond all numbers", event(at_ms=1e300), {"at_ms": LATEST_MS - 1}),
    ("a clock that is no number", event(at_ms=None), {"at_ms": 0}),
    ("a hair before the start", event(position=-0.001), {"pos_ms": 0}),
    ("a position nobody knows", event(position=None), {"pos_ms": NONE}),
    ("a player's -1", event("pause", position=-1), {"pos_ms": NONE}),
    ("a counter that ran backwards", event(monotonic_ms=-5), {"mono_ms": NONE}),
    ("a counter of years", event(monotonic_ms=1e15), {"mono_ms": 2**31 - 1}),
    ("a rate that is null", event(rate=None), {"x": 1000}),
    ("a rate of 0", event(rate=0), {"x": 0}),
    ("a seek from a hair before the start", event("seek", **{"from": -0.01}), {"pos_ms": 0}),
    ("a seek from nobody knows where", event("seek", **{"from": None}), {"pos_ms": 20_250}),
    ("a seek from a player's -1", event("seek", **{"from": -1}), {"pos_ms": 20_250}),
    ("blocked unknown", event("seek", blocked=None), {"flags": 0}),
]


@pytest.mark.parametrize(
    ("body", "columns"), [it[1:] for it in HONEST], ids=[it[0] for it in HONEST]
)
def test_what_an_honest_device_may_say_is_taken(body, columns):
    (record,) = records_of(pack([read(body)], 0).records)
    assert {name: int(record[name]) for name in columns} == columns


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
)
def test_no_client_clock_loses_an_event(kind, at, elapsed):
    body = event(kind, at_ms=at)
    if kind == "progress":
        body["monotonic_ms"] = elapsed
    if kind.startswith("popup"):
        body["latency_ms"] = elapsed
    (record,) = records_of(pack([read(body)], 0).records)
    assert 0 <= int(record["at_ms"]) < LATEST_MS


def test_an_answer_may_be_a_list_and_its_latency_may_be_nonsense():
    body = event("popup_answered", answer=["A", "C"], latency_ms=-1)
    (note,) = pack([read(body)], 0).notes
    assert note["answer"] == '["A","C"]' and "latency_ms" not in note


def test_limits_themselves_are_allowed():
    for good in (
        event(seq=0),
        event(seq=2**31 - 2),
        event(at_ms=EARLIEST_MS),
        event(at_ms=LATEST_MS - 1),
        event(position=0),
        event(position=1_000_000),
        event("popup_shown", challenge_id="x" * 128),
    ):
        records = records_of(pack([read(good)], 0).records)
        assert math.isfinite(float(records["pos_ms"][0]))


def test_unknown_fields_are_ignored():
    assert read(event(extra={"anything": [1]})) == read(event())


def test_forward_movement_within_a_batch_is_counted_for_the_learning_clock():
    bodies = [
        event("play", seq=0, position=10),
        event(seq=1, position=20),
        event("seek", seq=2, **{"from": 20, "to": 100, "blocked": False}),
        event(seq=3, position=105),
        event(seq=4, position=50),
        event(seq=5, position=52),
    ]
    packed = pack([read(body) for body in bodies], 0)
    assert (packed.first_ms, packed.last_ms, packed.moved_ms) == (10_000, 52_000, 17_000)


def test_a_batch_without_positions_moves_nothing():
    packed = pack([read(event("visibility"))], 0)
    assert (packed.first_ms, packed.last_ms, packed.moved_ms) == (NONE, NONE, 0)


def test_decoding_is_strict_about_duplicated_keys_only_in_their_last_value():
    raw = b'{"seq":1,"type":"play","at_ms":1791766800000,"position":-1,"position":5}'
    assert isinstance(read_one(msgspec.Raw(raw), 0), (Event, ItemError))


def beats(seconds: int, unit: float) -> list[PlayEvent]:
    """A film played at its own pace, and told every ten seconds in that many a second."""
    return [PlayEvent(at_ms=NOW + n * 1000, position=n * unit) for n in range(0, seconds, 10)]


@pytest.mark.parametrize("unit", [1000.0, 1e6])
def test_of_positions_in_another_unit_none_is_within_the_film(unit: float) -> None:
    told = beats(600, unit)
    assert beyond_the_film(told, 2_700_000) == list(range(len(told)))


def test_of_a_film_that_is_longer_than_its_course_says_only_the_rest_lies_beyond() -> None:
    told = beats(2 * 2700 * 2, 1)
    first = next(n for n, it in enumerate(told) if it.position > 1.25 * 2700 + 60)
    assert 2 * first < len(told)
    assert beyond_the_film(told, 2_700_000) == list(range(first, len(told)))
