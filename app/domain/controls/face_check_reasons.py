"""Why a face check did not pass, as the learner is told with the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from app.domain.controls.controls_due import ControlNote
from app.languages import Text
from app.vision.reasons import QUALITY
from detectors.trace import Check

# Ids on the wire where they differ from those of the picture's quality.
_QUALITY = {"face_too_small": "too_far"}
_CHECKS = {
    Check.NO_FACE: "no_face",
    Check.SEVERAL_FACES: "several_faces",
    Check.MISMATCH: "not_matched",
    Check.SPOOF: "not_matched",
    Check.UNREADABLE: "unreadable",
    Check.LOST: "not_stored",
}

# Of a burst that did not pass, by what it is judged (app/vision/reasons.py), first of these.
_LIVENESS = {
    "too_few_frames": "too_few_photos",
    "too_fast": "too_few_photos",
    "too_few_faces": "no_face",
    "face_changed": "several_faces",
    "turned_the_other_way": "turned_the_other_way",
    "turn_too_slow": "turn_too_slow",
    "turn_too_early": "turn_too_early",
    "turn_not_seen": "turn_not_seen",
    "move_not_seen": "move_not_seen",
    "flat_turn": "not_live",
    "frozen_feed": "not_live",
    "looped_clip": "not_live",
    "known_picture": "not_live",
    "attack_model": "not_live",
}

_OWN_FACE = (Check.MATCH, Check.REVIEW)

# id → Chinese, English
WORDS: dict[str, tuple[str, str]] = {
    **{_QUALITY.get(name, name): words for name, words in QUALITY.items()},
    "no_photo": (
        "没有收到照片：请检查摄像头是否打开、浏览器是否允许使用摄像头。",
        "No photo came: check that the camera works and that the browser may use it.",
    ),
    "not_matched": (
        "没能确认是您本人：请摘下口罩、帽子，正对摄像头。",
        "You could not be recognised: take off mask and hat, and face the camera.",
    ),
    "too_few_photos": (
        "照片没有收全：请在网络稳定时重做，做完动作前不要离开本页。",
        "Not all photos came: try again on a steady connection and stay until it is over.",
    ),
    "turn_not_seen": (
        "没有看到转头：请按提示把头向左或向右转到看得见侧脸，再转回来。",
        "No turn was seen: turn the head as asked until one side of the face shows, and back.",
    ),
    "turned_the_other_way": (
        "转头方向相反：请按提示的方向转。",
        "The head turned the other way: turn as the prompt says.",
    ),
    "move_not_seen": (
        "没有看到靠近或远离：请按提示把脸移近（或移远）一拳以上，再回到原处；也可以移动手机。",
        "No move was seen: bring the face well nearer (or farther) as asked, and back again; "
        "moving the phone will do.",
    ),
    "turn_too_slow": (
        "动作太慢：请在提示出现后随即做，再回到原位。",
        "It took too long: begin when the prompt appears, and return.",
    ),
    "turn_too_early": (
        "动作早于提示：请等提示出现后再做。",
        "The head moved before the prompt: wait for it.",
    ),
    "not_live": (
        "没能确认是真人在镜头前：请本人正对摄像头，不要用照片或视频。",
        "It could not be made sure that somebody is there: face the camera yourself, no picture.",
    ),
    "unreadable": (
        "照片打不开：请重新拍摄。",
        "The photo could not be read: take it again.",
    ),
    "not_stored": (
        "照片没能保存，这不是您的原因：请重新拍摄。",
        "The photo could not be stored, which is not your doing: take it again.",
    ),
}


_SPENT = Text(
    "本人核验没有通过。{why}从上次核验通过到下次通过，这段学习不计学时，不算违规。过一会儿会再次核验；"
    "也可以请培训机构当面核对并登记。",
    "You could not be recognised. {why} What you study from the last check that passed to the next "
    "one that does will not count; it is no violation. You will be asked again in a while, or ask "
    "your training institution to check in person and record it.",
)


def note(why: str) -> ControlNote:
    """What a learner is told once all tries are spent; `why` is that of the last."""
    zh, en = WORDS.get(why, ("", ""))
    text = _SPENT.zh.format(why=zh)
    return ControlNote(
        code="face_not_passed", text=text, zh=text, en=" ".join(_SPENT.en.format(why=en).split())
    )


class ReadPhoto(Protocol):
    check: int
    reading: dict[str, Any] | None


def why(photos: Sequence[ReadPhoto]) -> str:
    """What stood against most photos of a check, or its burst; "" where nothing is known."""
    found: Counter[str] = Counter()
    for photo in photos:
        if photo.check == Check.LOW_QUALITY:
            found.update(_QUALITY.get(it, it) for it in (photo.reading or {}).get("reasons", ()))
        elif photo.check in _CHECKS:
            found[_CHECKS[Check(photo.check)]] += 1
    counted = [(count, name) for name, count in found.items() if name in WORDS]
    if any(photo.check in _OWN_FACE for photo in photos) and (said := _of_burst(photos)):
        return said
    return max(counted, key=lambda it: (it[0], it[1]))[1] if counted else ""


def outcome(photo: ReadPhoto) -> str | None:
    """What the photo's burst was judged to be: live, spoof, inconclusive; None: it was not."""
    judged = (photo.reading or {}).get("liveness")
    return None if judged is None else str(judged["outcome"])


def _of_burst(photos: Sequence[ReadPhoto]) -> str:
    """A burst whose face was the learner's: turned frames that were unclear are not to blame."""
    reasons = {
        reason
        for photo in photos
        if outcome(photo) not in (None, "live")
        for reason in (photo.reading or {})["liveness"]["reasons"]
    }
    return next((word for reason, word in _LIVENESS.items() if reason in reasons), "")
