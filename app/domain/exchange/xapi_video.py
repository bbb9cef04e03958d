"""Video Profile statements as events of a sitting, in the dialects that players speak.

A statement without what an event needs is no event; it stays a statement, and where it tells of
watching all the same, its platform is told (`tells_of_watching`). What players compute themselves
(`progress`, `played-segments`) is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from app.domain.events.events import FARTHEST_S, AnyEvent, Event

VIDEO = "https://w3id.org/xapi/video/extensions/"
CMI5_SESSION = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"
_EXTENSION = re.compile(
    r"https?://(?:w3id\.org/xapi/([^/]+)/extensions?|id\.tincanapi\.com/extension)/([a-z-]+)"
)
_SPEED = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*[xX×]?\s*", re.ASCII)
_DURATION = re.compile(r"PT(?=\d)(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6}(?:\.\d+)?)S)?", re.A)
_SECONDS = re.compile(r"\d{1,7}(?:\.\d+)?", re.ASCII)
_SESSION = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,128}")
LONGEST_S = 86_400  # a film that is said to be longer is a mistake
_MEDIA = ("video", "audio", "media")
_PLAYING = ("played", "play", "paused", "watched", "watch")
_SOME = ("progressed", "consumed")  # in a sitting, this much of its film
_GETTING_ON = ("consumed", "experienced", "progressed", "viewed", "completed", "complete")

Words = dict[str, Any]  # extensions by the last part of their IRI


def session_of(statement: dict[str, Any]) -> str | None:
    """The session that a statement names: in its context, else as a cmi5 course does, else in its
    result. None when it names none."""
    context, result = statement.get("context", {}), statement.get("result", {})
    for session_id in (
        _words(context).get("session-id"),
        context.get("extensions", {}).get(CMI5_SESSION),
        _words(result).get("session-id"),
    ):
        if isinstance(session_id, str) and _SESSION.fullmatch(session_id):
            return session_id
    return None


def event_of(statement: dict[str, Any], at_ms: int) -> Event | None:
    """What a statement reports of the player, still without a place in the session's order. A jump
    that tells where it led alone has no origin."""
    verb = _verb(statement)
    read = _EVENTS.get(verb)
    if read is None or (verb in _GENERAL and not _about_media(statement["object"])):
        return None
    words = _words(statement.get("context", {})) | _words(statement.get("result", {}))
    if verb in _GENERAL and _time(words) is None and _of_a_part(statement):
        return None
    found = read(words)
    if found is None:
        return None
    try:
        event: Event = msgspec.convert({**found, "seq": 0, "at_ms": at_ms}, AnyEvent)
    except msgspec.ValidationError:
        return None
    return event


def tells_of_watching(statement: dict[str, Any]) -> bool:
    """Whether somebody watched a film by it. Where such a statement is no event, it says neither
    where in the film nor when, and what was watched is lost."""
    verb = _verb(statement).rpartition("/")[2]
    thing = statement["object"]
    if verb in _PLAYING or (verb in _SOME and "session-id" in _words(statement.get("context", {}))):
        return _about_media(thing)
    return verb in _GETTING_ON and bool(_kind(thing)) and _about_media(thing)


def _verb(statement: dict[str, Any]) -> str:
    """Without what emitters write differently: http or https, capitals, a slash at the end."""
    told: str = statement["verb"]["id"]
    return (told.partition("://")[2] or told).lower().rstrip("/")


def _of_a_part(statement: dict[str, Any]) -> bool:
    """Whether a course tells of a part of it, which is completed by its own measure: a unit of
    cmi5, or what Adapt calls media, be it a text. That is no claim that a film was seen to its
    end."""
    unit = CMI5_SESSION in statement.get("context", {}).get("extensions", {})
    return unit or _kind(statement["object"]).endswith("/media")


def _words(part: dict[str, Any]) -> Words:
    """Where several vocabularies say the same word, the profile's own counts."""
    words: Words = {}
    for key, value in part.get("extensions", {}).items():
        known = _EXTENSION.fullmatch(key)
        if known and (known[2] not in words or known[1] == "video"):
            words[known[2]] = value
    return words


def _about_media(thing: dict[str, Any]) -> bool:
    """Courses are completed too; a type that is not told may be a video's."""
    kind = _kind(thing)
    return not kind or kind.rpartition("/")[2].lower() in _MEDIA


def _kind(thing: Any) -> str:
    kind: str = thing.get("definition", {}).get("type", "")
    return kind


def _time(words: Words, *names: str) -> float | None:
    """The position, under the first of these names that tells one; players say -1 where they know
    none."""
    for name in names or ("time",):
        position = _seconds(words.get(name))
        if position is not None and position > -1:
            in_ms = FARTHEST_S < position <= LONGEST_S * 1000  # beyond any film, and told as that
            return FARTHEST_S if in_ms else position
    return None


def _seconds(told: Any) -> float | None:
    """`12.5`, `"12.5"`, or a duration (`PT3M14S`)."""
    if not isinstance(told, str):
        return told if isinstance(told, int | float) and not isinstance(told, bool) else None
    if _SECONDS.fullmatch(told):
        return float(told)
    shape = _DURATION.fullmatch(told)
    if shape is None:
        return None
    hours, minutes, seconds = (float(it or 0) for it in shape.groups())
    return (hours * 60 + minutes) * 60 + seconds


def _number(told: Any) -> float | None:
    """`1.5`, `"1.5"` and `"1.5x"`."""
    if isinstance(told, str):
        shape = _SPEED.fullmatch(told)
        return float(shape[1]) if shape else None
    return told if isinstance(told, int | float) and not isinstance(told, bool) else None


def _film(words: Words) -> Words:
    """The film's length, as the player has it; one that has not loaded it says 0 or nothing."""
    length = _seconds(words.get("length"))
    return {"duration": length} if length is not None and 0 < length <= LONGEST_S else {}


def _rate(words: Words) -> float | None:
    for name in ("speed-to", "speed", "playback-rate"):
        rate = _number(words.get(name))
        if rate is not None:
            return rate
    return None


# ------------------------------------------------------------------------------- verb by verb


def _initialized(words: Words) -> Words | None:
    """Nothing is played yet, and a first position may still be moved: only the speed counts."""
    rate = _rate(words)
    return None if rate is None else {"type": "rate", "rate": rate}


def _played(words: Words) -> Words | None:
    position = _time(words, "time", "starting-point")
    return None if position is None else {"type": "play", "position": position, **_film(words)}


def _paused(words: Words) -> Words | None:
    position = _time(words, "time", "ending-point")
    return None if position is None else {"type": "pause", "position": position, **_film(words)}


def _seeked(words: Words) -> Words | None:
    target = _time(words, "time-to", "ending-point")
    if target is None:
        return None
    return {"type": "seek", "from": _time(words, "time-from", "starting-point"), "to": target}


def _interacted(words: Words) -> Words | None:
    """A new speed; anything else done to the player tells at least where it stands."""
    rate = _rate(words)
    if rate is not None:
        return {"type": "rate", "rate": rate, "position": _time(words)}
    return _stands(words)


def _completed(words: Words) -> Words | None:
    """A claim to have seen all of it; where the platform is content with less, no such claim."""
    threshold = _number(words.get("completion-threshold"))
    if threshold is not None and threshold < 1:
        return _stands(words)
    position = _time(words, "time", "ending-point")
    return {"type": "ended", "position": position, "completed": True, **_film(words)}


def _terminated(words: Words) -> Words | None:
    """The player is gone, the sitting is not: its lease decides."""
    return _paused(words)


def _stands(words: Words) -> Words | None:
    return None if _time(words) is None else {"type": "progress", "position": _time(words)}


_GENERAL: dict[str, Callable[[Words], Words | None]] = {
    "adlnet.gov/expapi/verbs/initialized": _initialized,
    "adlnet.gov/expapi/verbs/interacted": _interacted,
    "adlnet.gov/expapi/verbs/completed": _completed,
    "adlnet.gov/expapi/verbs/terminated": _terminated,
    "activitystrea.ms/schema/1.0/complete": _completed,
}
_EVENTS: dict[str, Callable[[Words], Words | None]] = {
    "w3id.org/xapi/video/verbs/played": _played,
    "w3id.org/xapi/video/verbs/paused": _paused,
    "w3id.org/xapi/video/verbs/seeked": _seeked,
    "activitystrea.ms/schema/1.0/play": _played,  # the recipe for videos before the profile
    "id.tincanapi.com/verb/paused": _paused,
    "id.tincanapi.com/verb/skipped": _seeked,
    **_GENERAL,
}
