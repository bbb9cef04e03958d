"""Video Profile statements as events of a sitting, in the dialects that players speak.

A statement without what an event needs is no event; it stays a statement. What players compute
themselves (`progress`, `played-segments`) is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from app.domain.events.events import AnyEvent, Event

VIDEO = "https://w3id.org/xapi/video/extensions/"
CMI5_SESSION = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"
_EXTENSION = re.compile(r"https?://w3id\.org/xapi/([^/]+)/extensions?/([a-z-]+)")
_SPEED = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*[xX×]?\s*", re.ASCII)
_DURATION = re.compile(r"PT(?=\d)(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6}(?:\.\d+)?)S)?", re.A)
_SECONDS = re.compile(r"\d{1,5}(?:\.\d+)?", re.ASCII)
_SESSION = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,128}")
LONGEST_S = 86_400  # a film that is said to be longer is a mistake
_MEDIA = ("video", "audio", "media")

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
    """What a statement reports of the player, still without a place in the session's order."""
    _, _, verb = statement["verb"]["id"].partition("://")
    read = _EVENTS.get(verb)
    if read is None or (verb in _GENERAL and not _about_media(statement["object"])):
        return None
    words = _words(statement.get("context", {})) | _words(statement.get("result", {}))
    if verb in _GENERAL and _time(words) is None and _of_a_unit(statement):
        return None
    found = read(words)
    if found is None:
        return None
    try:
        event: Event = msgspec.convert({**found, "seq": 0, "at_ms": at_ms}, AnyEvent)
    except msgspec.ValidationError:
        return None
    return event


def _of_a_unit(statement: dict[str, Any]) -> bool:
    """Whether a cmi5 course tells of a whole unit: it is completed by its own measure, which
    is no claim that a film was seen to its end."""
    return CMI5_SESSION in statement.get("context", {}).get("extensions", {})


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
    kind = thing.get("definition", {}).get("type", "")
    return not kind or kind.rpartition("/")[2].lower() in _MEDIA


def _time(words: Words) -> float | None:
    """A position in seconds, or as a duration (`PT3M14S`); players say -1 where they know none."""
    position = words.get("time")
    if isinstance(position, str):
        position = _duration(position)
    if not isinstance(position, int | float) or isinstance(position, bool):
        return None
    return position if position > -1 else None


def _duration(told: str) -> float | None:
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
    told = words.get("length")
    if isinstance(told, str) and _SECONDS.fullmatch(told):
        told = float(told)
    length = _number(told)
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
    if _time(words) is None:
        return None
    return {"type": "play", "position": _time(words), **_film(words)}


def _paused(words: Words) -> Words | None:
    if _time(words) is None:
        return None
    return {"type": "pause", "position": _time(words), **_film(words)}


def _seeked(words: Words) -> Words:
    return {"type": "seek", "from": words.get("time-from"), "to": words.get("time-to")}


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
    return {"type": "ended", "position": _time(words), "completed": True, **_film(words)}


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
}
_EVENTS: dict[str, Callable[[Words], Words | None]] = {
    "w3id.org/xapi/video/verbs/played": _played,
    "w3id.org/xapi/video/verbs/paused": _paused,
    "w3id.org/xapi/video/verbs/seeked": _seeked,
    **_GENERAL,
}
