"""What a learner is told while content runs that does not count, because the page is not seen."""

from __future__ import annotations

from app.domain.controls.controls_due import ControlNote
from app.domain.policy.sitting_terms import SittingTerms
from app.languages import Text
from detectors.trace import Flag

_HIDDEN, _BLURRED = int(Flag.HIDDEN), int(Flag.BLURRED)  # a tenth of the time of members
NOTES = {
    "hidden": Text(
        "学习页面未显示（被切到后台、最小化或被遮住），这段时间不计入学时。请把页面显示在屏幕上；"
        "如果页面一直开着仍有此提示，请换用系统浏览器打开，并告知培训机构。",
        "This page is hidden, so the time does not count. Bring it to the screen; if you see it "
        "all the time, open it in the system's browser and tell your training institution.",
    ),
    "unfocused": Text(
        "学习页面没有获得焦点，这段时间不计入学时。请点击一下页面再继续学习。",
        "Click on this page: without the focus the time does not count.",
    ),
}


def of(watched: int, terms: SittingTerms) -> ControlNote | None:
    """For the flags of a batch's last heartbeat; None where it counts."""
    if watched & _HIDDEN and terms.hidden_stops:
        code = "hidden"
    elif watched & _BLURRED and terms.unfocused_stops:
        code = "unfocused"
    else:
        return None
    said = NOTES[code]
    return ControlNote(code=code, text=said.zh, zh=said.zh, en=said.en)
