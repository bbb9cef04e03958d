"""What a finding asks of the learner whom it concerns: to wait, to study again, or to see somebody.

Of missing evidence each kind is mended in its own way: studying again brings back neither a camera
nor a consent, and a platform's log is no better the second time.
"""

from __future__ import annotations

from typing import Any

from app.console.language import N_
from app.console.own_words import SENTENCES, WAIT, in_review
from app.domain.review.review import UNDECIDED

_ANEW = N_("不用申诉也可以：重新学这一课时就行。")
_IN_SIGHT = N_(
    "不用申诉也可以：在亮的地方打开摄像头，重新学这一课时。拍不了照的，请培训机构当面核对是您本人。"
)
_OR_IN_PERSON = N_("不用申诉也可以：重新学这一课时，或请培训机构当面核对是您本人。")
_TO_SCHOOL = N_("请先联系培训机构，不要急着重新学。")
_UNPROVEN = {
    ("face_liveness", "comparison_lost"): _IN_SIGHT,
    ("face_liveness", "comparison_unclear"): _IN_SIGHT,
    ("face_liveness", "check_not_met"): _IN_SIGHT,
    ("face_liveness", "never_compared"): _IN_SIGHT,
    ("face_liveness", "hour_not_checked"): _IN_SIGHT,
    ("face_liveness", "no_face_check"): _IN_SIGHT,
    ("face_liveness", "photos_late"): _IN_SIGHT,
    ("face_liveness", "photos_lost"): _OR_IN_PERSON,
    ("face_liveness", "hour_photos_lost"): _OR_IN_PERSON,
    ("face_liveness", "check_pending"): N_("暂不需要补课。"),
    ("face_liveness", "no_consent"): _TO_SCHOOL,
    ("face_liveness", "no_reference_photo"): _TO_SCHOOL,
    ("photo_retention", "photo_missing"): _IN_SIGHT,
    ("photo_retention", "photo_late"): _IN_SIGHT,
    ("photo_retention", "photo_not_taken"): _IN_SIGHT,
    ("photo_retention", "no_photo"): _IN_SIGHT,
    ("photo_retention", "photo_lost"): _OR_IN_PERSON,
    ("photo_retention", "no_consent"): _TO_SCHOOL,
    ("class_dates", "before_the_class"): N_("请在开班期间重新学这一课时。"),
    ("class_dates", "after_the_class"): _TO_SCHOOL,
    **{key: _TO_SCHOOL for key in SENTENCES if key[0] == "contradicting_times"},
}


def what_to_do(finding: Any) -> str:
    """What this one finding asks of the learner, as a source string; empty: nothing."""
    if in_review(finding):
        return WAIT
    if finding.status in UNDECIDED:
        return _UNPROVEN.get((finding.rule, finding.reason), _ANEW)
    return N_("怎么补救，请看上面“还差什么”。") if finding.status == "upheld" else ""
