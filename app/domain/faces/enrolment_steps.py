"""The five different photos that enrol a learner well, and what is asked of each.

Numbers are product defaults. A step is compared with the learner's own straight photo where there
is one, since no two faces or cameras measure alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

MIN_TURN = 0.15  # jaw ratio; about six degrees
MAX_TURN = 0.6  # as far as photos of a sitting may be turned
MIN_NEARER = 1.15  # times the distance between the eyes, as a share of the picture's width
MIN_BRIGHTNESS_CHANGE = 0.08  # small, as cameras even the light out
MIN_CONTRAST_CHANGE = 0.12
MIN_EYE_ASPECT = 0.14  # narrow eyes that are open have 0.18


class Step(StrEnum):
    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"
    NEARER = "nearer"
    OTHER_LIGHT = "other_light"


TURNS = {Step.LEFT: 1, Step.RIGHT: -1}  # sign of the jaw ratio, towards the person's own side

# What stands against a photo besides its quality: code -> (Chinese, English).
REASONS: dict[str, tuple[str, str]] = {
    "same_photograph": (
        "和已登记的一张照片几乎一样：请动一动，再拍一张新的。",
        "Almost the same as a photo that is enrolled: move a little and take a new one.",
    ),
    "unlike_enrolled": (
        "和已登记的照片不像同一个人：请本人来拍；确是本人的，请找培训机构当面核对。",
        "Unlike the photos enrolled before: the learner must take it; if that is you, ask your "
        "training institution to check in person.",
    ),
    "eyes_covered": (
        "看不清眼睛：请睁开眼睛，摘下墨镜，不要挡住脸。",
        "The eyes cannot be seen: open them, take dark glasses off, uncover the face.",
    ),
    "not_turned_left": (
        "转得不够：请把头再向自己的左边转一点。",
        "Not turned enough: turn your head a little more to your left.",
    ),
    "not_turned_right": (
        "转得不够：请把头再向自己的右边转一点。",
        "Not turned enough: turn your head a little more to your right.",
    ),
    "turned_other_way": (
        "转反了：请转向另一边。",
        "Turned the other way: turn to the other side.",
    ),
    "turned_too_far": (
        "转得太多：请转回来一点，让两只眼睛都看得见。",
        "Turned too far: turn back a little, so that both eyes are seen.",
    ),
    "not_nearer": (
        "还不够近：请把手机拿近一点，或把脸靠近摄像头。",
        "Not near enough: bring the phone nearer, or your face.",
    ),
    "same_light": (
        "光线和前面差不多：请换个方向，或开灯、关灯后再拍。",
        "The light is as before: turn another way, or switch a light on or off.",
    ),
}


def against(
    step: Step, fields: Mapping[str, Any], enrolled: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Codes of what stands against a photo of that step; empty: it is what was asked for.

    `fields`: `FaceReading.as_json()` of the photo. `enrolled`: stored quality reports of the
    learner's photos, each with its `step` if it had one.
    """
    found = list(fields["reasons"])
    quality, ratios = fields["quality"], fields["ratios"]
    if quality is None or ratios is None:
        return found
    if ratios["eye_aspect"] < MIN_EYE_ASPECT:
        found.append("eyes_covered")
    straight = _straight(enrolled)
    if step in TURNS:
        found = [it for it in found if it != "turned_away"]
        turned = (quality["jaw_ratio"] - _jaw_ratio(straight)) * TURNS[step]
        if turned < -MIN_TURN:
            found.append("turned_other_way")
        elif turned < MIN_TURN:
            found.append(f"not_turned_{step}")
        elif abs(quality["jaw_ratio"]) > MAX_TURN:
            found.append("turned_too_far")
    elif straight is None:
        return found
    elif step is Step.NEARER and _share(fields) < MIN_NEARER * _share(straight):
        found.append("not_nearer")
    elif step is Step.OTHER_LIGHT and not _lit_otherwise(quality, straight["quality"]):
        found.append("same_light")
    return found


def _straight(enrolled: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest straight photo, which the others are told from."""
    return next((it for it in reversed(enrolled) if it.get("step") == Step.STRAIGHT), None)


def _jaw_ratio(report: Mapping[str, Any] | None) -> float:
    return 0.0 if report is None else float(report["quality"]["jaw_ratio"])


def _share(report: Mapping[str, Any]) -> float:
    return float(report["quality"]["interocular"] / report["width"])


def _lit_otherwise(now: Mapping[str, float], before: Mapping[str, float]) -> bool:
    def change(name: str) -> float:
        return abs(now[name] - before[name]) / max(1.0, before[name])

    brightness, contrast = change("brightness"), change("contrast")
    return brightness >= MIN_BRIGHTNESS_CHANGE or contrast >= MIN_CONTRAST_CHANGE
