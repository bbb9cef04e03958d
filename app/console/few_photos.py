"""The word that few photos are enrolled, beside whatever rests on a comparison with them."""

from __future__ import annotations

from collections.abc import Mapping

from app.console.language import N_, Language
from app.domain.faces.face_confidence import FACE_RULES, FaceEnrolment

Enrolled = Mapping[int, FaceEnrolment]  # by learner


def few_photos(enrolled: Enrolled, learner_id: int | None, lang: Language, rule: str = "") -> str:
    """Empty where enough are enrolled, none can be, or `rule` compares no faces."""
    it = enrolled.get(learner_id or 0)
    if it is None or not it.low or (rule and rule not in FACE_RULES):
        return ""
    return lang.say(
        N_("登记照片%(a)s/%(b)s张，比对把握较低"), a=str(it.photos), b=str(it.photos_wanted)
    )
