"""Why a face check did not pass, as the learner is told with the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from app.store.row import AnyRow
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
    "unreadable": (
        "照片打不开：请重新拍摄。",
        "The photo could not be read: take it again.",
    ),
    "not_stored": (
        "照片没能保存，这不是您的原因：请重新拍摄。",
        "The photo could not be stored, which is not your doing: take it again.",
    ),
}


def why(photos: Sequence[AnyRow]) -> str:
    """What stood against most photos of a check; "" where nothing is known."""
    found: Counter[str] = Counter()
    for photo in photos:
        if photo.check == Check.LOW_QUALITY:
            found.update(_QUALITY.get(it, it) for it in (photo.reading or {}).get("reasons", ()))
        elif photo.check in _CHECKS:
            found[_CHECKS[Check(photo.check)]] += 1
    told = [(count, name) for name, count in found.items() if name in WORDS]
    return max(told, key=lambda it: (it[0], it[1]))[1] if told else ""
