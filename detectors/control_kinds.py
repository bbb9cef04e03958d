"""Kinds of controls, one entry each: who lists, labels, stores or awaits controls reads it here.

A new kind is an entry here with the number that packed ledgers keep (never used again), a field of
its name in `controls_due.ControlsDue` that says what its client is told, the time it falls due in
`control_plan`, and the handler in the SDK that its entry names. tests/domain/controls/
test_control_kinds.py tells what is still missing.
"""

from __future__ import annotations

from enum import StrEnum

from detectors.trace import Control


class AnsweredBy(StrEnum):
    """What of a client answers a control."""

    EVENTS = "events"
    PHOTOS = "photos"


class ControlKind(StrEnum):
    """The value is the kind's name on the wire, in the ledger and in imports.

    code         its number in packed ledgers
    zh, en       its label
    answered_by  what answers it
    random_time  its time is drawn, so that a photo in answer may be the class-hour's random one; a
                 platform's own is taken to be
    rule         what is decided by it
    handler      the module of the SDK that meets it
    """

    code: Control
    zh: str
    en: str
    answered_by: AnsweredBy
    random_time: bool
    rule: str
    handler: str

    def __new__(
        cls,
        name: str,
        code: Control,
        zh: str,
        en: str,
        answered_by: AnsweredBy,
        random_time: bool,
        rule: str,
        handler: str,
    ) -> ControlKind:
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.code, kind.zh, kind.en = code, zh, en
        kind.answered_by, kind.random_time = answered_by, random_time
        kind.rule, kind.handler = rule, handler
        return kind

    POPUP = (
        "popup",
        Control.POPUP,
        "弹窗",
        "Pop-up",
        AnsweredBy.EVENTS,
        True,
        "popup_gap",
        "popup.js",
    )
    SNAPSHOT = (
        "snapshot",
        Control.SNAPSHOT,
        "抓拍",
        "Photo",
        AnsweredBy.PHOTOS,
        True,
        "photo_retention",
        "camera.js",
    )
    FACE_CHECK = (
        "face_check",
        Control.FACE_CHECK,
        "人脸核验",
        "Face check",
        AnsweredBy.PHOTOS,
        False,
        "face_liveness",
        "camera.js",
    )


def kind_of(name: str) -> ControlKind:
    """The kind of that name. Raises KeyError."""
    return _BY_NAME[name]


_BY_NAME = {kind.value: kind for kind in ControlKind}
