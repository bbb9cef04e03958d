"""`controls` in every answer to a live sitting: what its client must do now or next."""

from __future__ import annotations

from enum import StrEnum

from app.domain.answer import UNSET, Answer, UnsetType
from app.domain.controls.questions import PopupQuestion
from app.languages import Text


class FaceAction(StrEnum):
    BLINK = "blink"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    OPEN_MOUTH = "open_mouth"
    NOD = "nod"
    NEARER = "nearer"
    FARTHER = "farther"


class PopupDue(Answer, frozen=True, kw_only=True):
    """Show a pop-up in `due_in_s` of study, with its `question` if it asks one; it is answered
    within `answer_window_s`, of which `left_s` are left once it was shown: a page that was loaded
    anew shows that."""

    challenge_id: str
    nonce: str | None
    due_in_s: float
    answer_window_s: float
    question: PopupQuestion | UnsetType = UNSET
    left_s: float | UnsetType = UNSET


class SnapshotDue(Answer, frozen=True, kw_only=True):
    """Take so many photos in `due_in_s` of study, and send them under this challenge."""

    challenge_id: str
    nonce: str | None
    due_in_s: float
    frames: int


class FaceCheckDue(Answer, frozen=True, kw_only=True):
    """Ask for these actions in order, within `window_s`, and send so many photos meanwhile, spread
    over them. `reason` and `text` tell why it is asked again."""

    challenge_id: str
    nonce: str | None
    actions: list[FaceAction]
    frames: int
    window_s: float
    reason: str | UnsetType = UNSET
    text: Text | UnsetType = UNSET


class PlaybackStop(Answer, frozen=True, kw_only=True):
    """Nothing counts any more: stop the player and say so."""

    code: str
    text: str


class ControlNote(Answer, frozen=True, kw_only=True):
    """Why what plays now does not count; `text` is the Chinese one."""

    code: str
    text: str
    zh: str
    en: str


class ControlsDue(Answer, frozen=True, kw_only=True):
    """Empty when nothing is due."""

    popup: PopupDue | UnsetType = UNSET
    snapshot: SnapshotDue | UnsetType = UNSET
    face_check: FaceCheckDue | UnsetType = UNSET
    stop: PlaybackStop | UnsetType = UNSET
    note: ControlNote | UnsetType = UNSET


NOTHING_DUE = ControlsDue()
