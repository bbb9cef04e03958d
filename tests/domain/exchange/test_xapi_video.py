"""Players say the same things in different dialects; the sitting hears one language."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.domain.events.events import LATEST_MS, beyond_the_film, pack
from app.domain.exchange.xapi_video import (
    CMI5_SESSION,
    VIDEO,
    event_of,
    session_of,
    tells_of_watching,
)
from app.store.events.packed import records_of

ADL = "http://adlnet.gov/expapi/verbs/"
OWN = "https://w3id.org/xapi/video/verbs/"
OPENEDX = "https://w3id.org/xapi/openedx/extension/"
TINCAN = "http://id.tincanapi.com/extension/"
STREAMS = "http://activitystrea.ms/schema/1.0/"
AT = 1_772_413_200_000


def said(verb: str, context: dict[str, Any] | None = None, **result: Any) -> dict[str, Any]:
    """A statement; result extensions by name, `_` for `-`, full IRIs in `context`."""
    extensions = {VIDEO + name.replace("_", "-"): value for name, value in result.items()}
    return {
        "verb": {"id": verb},
        "object": {"id": "https://huang.example/lessons/l1"},
        "result": {"extensions": extensions},
        "context": {"extensions": context or {}},
    }


def heard(statement: dict[str, Any], at_ms: int = AT) -> dict[str, Any] | None:
    event = event_of(statement, at_ms)
    if event is None:
        return None
    told = msgspec.to_builtins(event)
    assert told.pop("seq") == 0
    del told["at_ms"]
    return {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize(
    ("statement", "event"),
    [
        (said(OWN + "played", time=1.5), {"type": "play", "position": 1.5}),
        (said(OWN + "paused", time=90), {"type": "pause", "position": 90.0}),
        (
            said(OWN + "seeked", time_from=10, time_to=700.25),
            {"type": "seek", "from": 10.0, "to": 700.25, "blocked": False},
        ),
        (said(ADL + "terminated", time=2700), {"type": "pause", "position": 2700.0}),
        (
            said(ADL + "completed", time=2700),
            {"type": "ended", "position": 2700.0, "completed": True},
        ),
        (said(ADL + "completed", progress=1.0), {"type": "ended", "completed": True}),
        (said(ADL + "interacted", time=30), {"type": "progress", "position": 30.0, "rate": 1.0}),
        (said(ADL + "initialized", {VIDEO + "speed": "1x"}), {"type": "rate", "rate": 1.0}),
        (said(ADL.replace("http", "https") + "completed"), {"type": "ended", "completed": True}),
        (said(OWN + "played", time="12.345"), {"type": "play", "position": 12.345}),
        (said(OWN + "paused", time="PT3M14.5S"), {"type": "pause", "position": 194.5}),
        (
            said(OWN + "seeked", time_from="PT1M", time_to="700.25"),
            {"type": "seek", "from": 60.0, "to": 700.25, "blocked": False},
        ),
        (
            said(STREAMS + "play", {TINCAN + "starting-point": "PT1.50S"}),
            {"type": "play", "position": 1.5},
        ),
        (
            said("http://id.tincanapi.com/verb/paused", {TINCAN + "ending-point": "90"}),
            {"type": "pause", "position": 90.0},
        ),
        (
            said(
                "http://id.tincanapi.com/verb/skipped",
                {TINCAN + "starting-point": 10, TINCAN + "ending-point": 700.25},
            ),
            {"type": "seek", "from": 10.0, "to": 700.25, "blocked": False},
        ),
        (
            said(STREAMS + "complete", {TINCAN + "ending-point": "PT45M"}),
            {"type": "ended", "position": 2700.0, "completed": True},
        ),
    ],
)
def test_each_verb_is_heard(statement: dict[str, Any], event: dict[str, Any]) -> None:
    assert heard(statement) == event


@pytest.mark.parametrize(
    ("context", "result"),
    [
        ({VIDEO + "speed": "1.5x"}, {}),
        ({VIDEO + "speed": 1.5}, {}),
        ({}, {"speed": "1.5X"}),
        ({}, {"playback_rate": 1.5}),
        ({VIDEO + "playback-rate": "1.5"}, {}),
        ({OPENEDX + "speed-from": "1.0", OPENEDX + "speed-to": "1.5"}, {}),
        ({OPENEDX.replace("sion/", "sions/") + "speed-to": "1.5x", VIDEO + "speed": "1x"}, {}),
    ],
)
def test_speed_is_understood_however_it_is_said(
    context: dict[str, Any], result: dict[str, Any]
) -> None:
    event = heard(said(ADL + "interacted", context, time=60, **result))
    assert event == {"type": "rate", "rate": 1.5, "position": 60.0}


@pytest.mark.parametrize(
    "statement",
    [
        said(OWN + "played"),
        said(OWN + "played", time="soon"),
        said(OWN + "played", time="-1"),
        said(OWN + "played", time=True),
        said(OWN + "played", time=-1),
        said(OWN + "played", time=10**250),
        said(OWN + "paused", time=None),
        said(OWN + "seeked", time_from=700),
        said(ADL + "initialized", time=0),
        said(ADL + "interacted", {VIDEO + "volume": 0.3}),
        said(ADL + "terminated"),
        said(ADL + "attempted", time=1),
        said("https://huang.example/verbs/played", time=1),
    ],
)
def test_what_tells_nothing_of_the_player_is_no_event(statement: dict[str, Any]) -> None:
    assert heard(statement) is None


@pytest.mark.parametrize("told", [1_200_000, "2700000", 86_400_000])
def test_milliseconds_of_a_long_play_are_a_position_beyond_the_film(told: Any) -> None:
    event = event_of(said(OWN + "paused", time=told), AT)
    assert event is not None
    assert beyond_the_film([event], 86_400_000) == [0]


COURSE = "http://adlnet.gov/expapi/activities/course"
FILM = "https://w3id.org/xapi/acrossx/activities/video"


@pytest.mark.parametrize(
    ("verb", "kind", "watched"),
    [
        (OWN + "played", None, True),
        ("https://w3id.org/xapi/acrossx/verbs/watched", FILM, True),
        (STREAMS + "watch", None, True),
        (ADL + "experienced", FILM, True),
        (ADL + "progressed", FILM, True),
        (ADL + "experienced", None, False),
        (ADL + "progressed", COURSE, False),
        (STREAMS + "play", "http://activitystrea.ms/schema/1.0/game", False),
        (ADL + "answered", FILM, False),
        (ADL + "interacted", FILM, False),
    ],
)
def test_a_statement_of_watching_is_known_though_it_tells_no_position(
    verb: str, kind: str | None, watched: bool
) -> None:
    statement = said(verb)
    statement["object"]["definition"] = {"type": kind} if kind else {}
    assert heard(statement) is None
    assert tells_of_watching(statement) is watched


def test_what_players_compute_themselves_is_never_read() -> None:
    plain = heard(said(OWN + "paused", time=10))
    boasting = said(OWN + "paused", time=10, progress=1.0, played_segments="0[.]2700")
    assert heard(boasting) == plain


def test_a_platform_content_with_nine_tenths_does_not_claim_the_whole() -> None:
    context = {VIDEO + "completion-threshold": "0.9", VIDEO + "length": 2700}
    event = heard(said(ADL + "completed", context, time=2430))
    assert event == {"type": "progress", "position": 2430.0, "rate": 1.0}


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        (OWN + "played", "play"),
        (OWN + "paused", "pause"),
        (ADL + "terminated", "pause"),
        (ADL + "completed", "ended"),
    ],
)
@pytest.mark.parametrize("length", [2640, 2640.0, "2640", "2640.000", "PT44M"])
def test_the_film_s_length_is_told_as_the_player_has_it(verb: str, kind: str, length: Any) -> None:
    event = heard(said(verb, {VIDEO + "length": length}, time=90))
    assert event is not None
    assert (event["type"], event["position"], event["duration"]) == (kind, 90.0, 2640.0)


@pytest.mark.parametrize("length", [0, -1, 1e12, None, True, "PT", "45:00", float("nan"), [2640]])
def test_a_length_that_is_none_spoils_no_event(length: Any) -> None:
    event = heard(said(OWN + "played", {VIDEO + "length": length}, time=90))
    assert event == {"type": "play", "position": 90.0}


def test_completing_a_course_ends_no_video() -> None:
    statement = said(ADL + "completed")
    kinds = {
        "http://adlnet.gov/expapi/activities/course": None,
        "https://w3id.org/xapi/video/activity-type/video": {"type": "ended", "completed": True},
    }
    for kind, event in kinds.items():
        statement["object"]["definition"] = {"type": kind}
        assert heard(statement) == event


@pytest.mark.parametrize("at_ms", [-62_135_596_800_000, 253_402_300_799_999])
def test_a_player_with_a_mad_clock_is_heard_all_the_same(at_ms: int) -> None:
    event = event_of(said(OWN + "played", time=0), at_ms)
    assert event is not None
    assert 0 <= records_of(pack([event], 0).records)["at_ms"][0] < LATEST_MS


@pytest.mark.parametrize(
    ("context", "session"),
    [
        ({VIDEO + "session-id": "s1"}, "s1"),
        ({"https://w3id.org/xapi/openedx/extensions/session-id": "f" * 32}, "f" * 32),
        ({OPENEDX + "session-id": "f" * 32}, "f" * 32),
        ({VIDEO + "session-id": "s1", OPENEDX + "session-id": "f" * 32}, "s1"),
        ({OPENEDX + "session-id": "f" * 32, VIDEO + "session-id": "s1"}, "s1"),
        ({VIDEO + "session-id": 7}, None),
        ({VIDEO + "session-id": "s" * 129}, None),
        ({VIDEO + "session-id": "s\x00"}, None),
        ({}, None),
    ],
)
def test_the_session_is_found(context: dict[str, Any], session: str | None) -> None:
    assert session_of(said(OWN + "played", context)) == session


def test_a_sitting_is_named_by_context_then_as_cmi5_does_then_by_result() -> None:
    own, unit = {VIDEO + "session-id": "s1"}, {CMI5_SESSION: "s2"}
    assert session_of(said(OWN + "played", own | unit, session_id="s3")) == "s1"
    assert session_of(said(OWN + "played", unit, session_id="s3")) == "s2"
    assert session_of(said(OWN + "played", session_id="s3")) == "s3"
    assert session_of(said(OWN + "played", {CMI5_SESSION: 7})) is None


def test_a_unit_of_cmi5_that_is_completed_claims_no_film() -> None:
    unit = {CMI5_SESSION: "s2"}
    for verb in ("initialized", "completed", "terminated"):
        assert heard(said(ADL + verb, unit)) is None
    assert heard(said(OWN + "played", unit, time=3)) == {"type": "play", "position": 3.0}
    assert heard(said(ADL + "completed", unit, time=9)) == {
        "type": "ended",
        "position": 9.0,
        "completed": True,
    }
