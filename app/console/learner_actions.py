"""What a finding asks of the learner whom it concerns: to wait, to study again, or to see somebody.

Of missing evidence each kind is mended in its own way: studying again brings back neither a camera
nor a consent, and a platform's log is no better the second time. Which reason asks for what stands
in the rule's file as `ask`: a name of `ASKS`, or words of its own.
"""

from __future__ import annotations

from typing import Any

from app import rules
from app.console.language import N_, Language
from app.console.learner_messages import WAIT, in_review
from app.domain.review.review import UNDECIDED

ASKS = {
    "anew": N_("不用申诉也可以：重新学这一课时就行。"),
    "in_sight": N_(
        "不用申诉也可以：在亮的地方打开摄像头，重新学这一课时。拍不了照的，"
        "请培训机构当面核对是您本人。"
    ),
    "or_in_person": N_("不用申诉也可以：重新学这一课时，或请培训机构当面核对是您本人。"),
    "institution": N_("请先联系培训机构，不要急着重新学。"),
}


_TO_STUDY_AGAIN = ("anew", "in_sight", "or_in_person")


def what_to_do(finding: Any, lang: Language, *, over: bool = False) -> str:
    """What this one finding asks of the learner; empty: nothing. `over`: study counts no more."""
    if in_review(finding):
        return lang.say(WAIT)
    if finding.status in UNDECIDED:
        known = rules.reason(finding.rule, finding.reason)
        ask = (known.ask if known else None) or "anew"
        if over and ask in _TO_STUDY_AGAIN:
            ask = "institution"
        return lang.say(ASKS[ask]) if isinstance(ask, str) else ask.in_(lang.code)
    return lang.say(N_("怎么补救，请看上面“还差什么”。")) if finding.status == "upheld" else ""
