"""Bodies: good events are kept, bad ones are named, and what is no batch at all is refused."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.domain.events.events import MOST_EVENTS, pack
from app.domain.events.ingest import addressed, arrived, decompressed, media_type_of
from app.domain.events.intake import for_scheduler
from app.errors import BadInput, BodyTooLarge, MalformedBody, WrongMediaType
from app.store.events.appending import Append, Receipt
from tests.domain.events.test_events import BAD, event

LIMIT = 1 << 20
JSON, NDJSON = "application/json", "application/x-ndjson"


def batch(*events) -> bytes:
    return json.dumps({"events": events}).encode()


def test_a_good_batch_is_taken_whole():
    found = arrived(batch(event(seq=1), event("play", seq=2)), JSON)
    assert [e.seq for e in found.events] == [1, 2]
    assert (list(found.indices), found.problems) == ([0, 1], [])


def test_the_same_events_as_lines():
    lines = b"\n\n".join(json.dumps(event(seq=n)).encode() for n in range(3)) + b"\n"
    assert [e.seq for e in arrived(lines, NDJSON).events] == [0, 1, 2]


@pytest.mark.parametrize(("body", "code", "field"), [r[1:] for r in BAD], ids=[r[0] for r in BAD])
def test_a_bad_event_does_not_take_its_neighbours_with_it(body, code, field):
    found = arrived(batch(event(seq=1), body, event(seq=3)), JSON)
    assert [e.seq for e in found.events] == [1, 3]
    assert list(found.indices) == [0, 2]
    assert [(p.index, p.code) for p in found.problems] == [(1, code)]
    assert found.problems[0].detail.startswith(field)


def test_a_thousand_events_are_a_batch_and_one_more_is_not():
    assert len(arrived(batch(*[event(seq=n) for n in range(MOST_EVENTS)]), JSON).events) == 1000
    many = batch(*[event(seq=n) for n in range(MOST_EVENTS + 1)])
    for body, media in ((many, JSON), (b"{}\n" * 1001, NDJSON)):
        with pytest.raises(BadInput) as refused:
            arrived(body, media)
        assert refused.value.code == "too_many_events"
        assert "1001" in refused.value.detail


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        (batch(), BadInput, "no_events"),
        (b"{}", BadInput, "invalid_batch"),
        (b'{"events":{}}', BadInput, "invalid_batch"),
        (b'{"events":null}', BadInput, "invalid_batch"),
        (b"[]", BadInput, "invalid_batch"),
        (b"7", BadInput, "invalid_batch"),
        (b"", MalformedBody, "malformed_json"),
        (b'{"events":[', MalformedBody, "malformed_json"),
        (batch(event())[:-3], MalformedBody, "malformed_json"),
        (b"\xff\xff\xff", MalformedBody, "malformed_json"),
    ],
)
def test_what_is_no_batch_is_refused(body, error, code):
    with pytest.raises(error) as refused:
        arrived(body, JSON)
    assert refused.value.code == code
    assert 400 <= refused.value.status < 500


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_json_does_not_know_are_refused(number):
    body = batch(event(position=777)).replace(b"777", number)
    with pytest.raises(MalformedBody):
        arrived(body, JSON)
    lines = arrived(b"\n".join([json.dumps(event()).encode(), body]), NDJSON)
    assert [p.index for p in lines.problems] == [1]


def test_another_media_type_is_refused():
    with pytest.raises(WrongMediaType):
        arrived(batch(event()), "application/xml")


# -- content encodings ----------------------------------------------------------------------------


def test_gzip_and_zstd_are_unpacked():
    plain = batch(event())
    assert decompressed(gzip.compress(plain), "gzip", LIMIT) == plain
    assert decompressed(zstandard.compress(plain), "zstd", LIMIT) == plain
    assert decompressed(plain, "", LIMIT) == decompressed(plain, "identity", LIMIT) == plain


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_broken_or_shortened_encoding_is_refused(encoding):
    compress = gzip.compress if encoding == "gzip" else zstandard.compress
    whole = compress(batch(*[event(seq=n, position=n * 1.7) for n in range(200)]))
    for body in (b"", b"not packed at all", whole[:-9], whole[: len(whole) // 2]):
        with pytest.raises(MalformedBody) as refused:
            decompressed(body, encoding, LIMIT)
        assert refused.value.code == "malformed_encoding"
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 0xFF
    try:
        plain = decompressed(bytes(flipped), encoding, LIMIT)
    except MalformedBody:
        return
    assert plain is not None  # zstd without a checksum: the JSON then says what is wrong


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_noticed_before_it_fills_the_memory(encoding):
    zeros = bytes(300 << 20)
    bomb = zlib.compress(zeros, 1, wbits=31) if encoding == "gzip" else zstandard.compress(zeros)
    del zeros
    assert len(bomb) < 2 << 20
    with pytest.raises(BodyTooLarge):
        decompressed(bomb, encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_body_of_exactly_the_limit_is_taken(encoding):
    compress = gzip.compress if encoding == "gzip" else zstandard.compress
    assert len(decompressed(compress(b"x" * 5000), encoding, 5000)) == 5000
    with pytest.raises(BodyTooLarge):
        decompressed(compress(b"x" * 5001), encoding, 5000)


@given(
    st.lists(st.binary(max_size=3000), min_size=1, max_size=5),
    st.sampled_from(["gzip", "zstd"]),
    st.sampled_from([b"", b"\0", b"more", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"]),
)
def test_whatever_is_taken_is_taken_whole(parts, encoding, behind):
    """A body of several members or frames is all of them; what is none refuses the body."""
    compress = gzip.compress if encoding == "gzip" else zstandard.compress
    body = b"".join(compress(it) for it in parts)
    assert decompressed(body, encoding, 20_000) == b"".join(parts)
    if behind:
        with pytest.raises(MalformedBody):
            decompressed(body + behind, encoding, 20_000)


def test_a_bomb_in_the_second_member_is_noticed_as_well():
    body = gzip.compress(b"{}") + gzip.compress(bytes(LIMIT + 1))
    with pytest.raises(BodyTooLarge):
        decompressed(body, "gzip", LIMIT)


@pytest.mark.parametrize("charset", ["utf-16", "GBK", "gb18030", "iso-8859-1", '"utf-7"'])
def test_a_charset_that_would_be_misread_is_refused(charset):
    with pytest.raises(WrongMediaType) as refused:
        media_type_of(f"application/json; charset={charset}")
    assert refused.value.code == "charset"
    assert media_type_of('Application/JSON;charset="UTF-8"') == "application/json"


# -- said twice, or not in UTF-8 -------------------------------------------------------------------

JSON, LINES = "application/json", "application/x-ndjson"
ONE = b'{"type":"play","seq":1,"at_ms":1791766800000,"position":1%s}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"events":[' + ONE % b"" + b'],"events":[' + ONE % b"" + b"]}",
        b'{"events" : [' + ONE % b"" + b'],"events":[' + ONE % b"" + b"]}",
        b'{"events":[' + ONE % b',"position":2' + b"]}",
        b'{"events":[' + ONE % b',"\\u0073eq":2' + b"]}",
        b'{"events":[' + ONE % b',"more":{"a":1,"a":2}' + b"]}",
        b'{"events":[' + ONE % b',"seq":"one"' + b"]}",
    ],
)
def test_a_name_that_stands_twice_refuses_the_batch(body):
    with pytest.raises(MalformedBody) as refused:
        arrived(body, JSON)
    assert refused.value.code == "duplicate_name"


def test_of_lines_only_the_one_that_says_a_thing_twice_is_refused():
    found = arrived(ONE % b"" + b"\n" + ONE % b',"seq":2', LINES)
    assert len(found.events) == 1 and [it.code for it in found.problems] == ["duplicate_name"]


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\n\n"])
def test_the_last_line_counts_however_it_ends(tail):
    assert len(arrived(ONE % b"" + b"\n" + ONE % b"" + tail, LINES).events) == 2


@pytest.mark.parametrize("media_type", [JSON, LINES])
def test_bytes_that_are_no_utf8_refuse_the_body_even_where_nobody_reads_them(media_type):
    line = ONE % b',"more":"\xff\xfe"'
    with pytest.raises(MalformedBody) as refused:
        arrived(line if media_type == LINES else b'{"events":[' + line + b"]}", media_type)
    assert refused.value.code == "malformed_json"


def test_an_answer_that_would_be_cut_is_refused():
    shown = {"type": "popup_answered", "seq": 1, "at_ms": 1791766800000, "challenge_id": "c"}
    told = arrived(batch({**shown, "answer": ["x" * 3000]}, event()), JSON)
    assert [it.code for it in told.problems] == ["invalid_field"] and len(told.events) == 1


def test_an_unknown_encoding_is_refused():
    with pytest.raises(WrongMediaType):
        decompressed(b"", "br", LIMIT)


# -- mixed batches --------------------------------------------------------------------------------


def test_events_of_many_sessions_keep_their_place_in_the_body():
    body = batch(
        event(seq=1, session_id="a"),
        event(seq=1, session_id="b"),
        event(seq=-1, session_id="a"),
        event(seq=2),
        {"session_id": 7, "seq": 1},
        "nothing",
    )
    sessions, lost = addressed(body, JSON)
    assert set(sessions) == {"a", "b"}
    assert list(sessions["a"].indices) == [0]
    assert [(p.index, p.code) for p in sessions["a"].problems] == [(2, "invalid_field")]
    assert [problem.index for problem in lost] == [3, 4, 5]


def test_a_mixed_batch_has_the_same_limits():
    for body, code in ((batch(), "no_events"), (batch(*[event()] * 1001), "too_many_events")):
        with pytest.raises(BadInput) as refused:
            addressed(body, JSON)
        assert refused.value.code == code


def test_the_control_desk_hears_of_popups_only():
    found = arrived(batch(event(seq=1), event("popup_shown", seq=2), event("error", seq=3)), JSON)
    stored = Append(5, pack(found.events, 10), 77, 0)
    receipt = Receipt(3, 0, (), 4, bytes(32), "open", 0, 0, 0, "taken")
    (note,) = for_scheduler(stored, receipt, found.events).popup_notes
    assert (note["seq"], note["recv_ms"], note["at_ms"]) == (2, 77, event()["at_ms"])
