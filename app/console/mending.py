"""Where somebody mends what a verdict says is missing, by the check or reason that says so."""

from __future__ import annotations

from collections.abc import Mapping

from app.console.language import N_
from app.domain.accounts.users import User
from app.store.bodies import ReasonBody
from detectors.eligibility import Cure

_TERMS, _ROSTER, _ATTENDANCE, _SURVEY, _HISTORY, _LEAVE = (
    "terms",
    "tables?kind=roster",
    "tables?kind=offline-attendance",
    "tables?kind=satisfaction",
    "tables?kind=history",
    "tables?kind=leave",
)
_OF_CHECK: Mapping[str, str] = {
    **dict.fromkeys(("B1", "B10", "B14", "C1", "C2", "C3", "C7"), _TERMS),
    **dict.fromkeys(("D17", "B2", "B3", "B4", "B8"), _ROSTER),
    **dict.fromkeys(("B13", "B18", "B19"), _ATTENDANCE),
    **dict.fromkeys(("B20", "D1"), _HISTORY),
    **dict.fromkeys(("B6", "B7"), "recordings"),
    "B24": _LEAVE,
    "C11": _SURVEY,
}
_WORDS: Mapping[str, str] = {
    _TERMS: N_("去填写：更改班级"),
    _ROSTER: N_("去补齐：在花名册里补上这一列，再上传一次"),
    _ATTENDANCE: N_("去上传：线下考勤"),
    _SURVEY: N_("去上传：满意度"),
    _HISTORY: N_("去上传：以往培训"),
    _LEAVE: N_("去上传：请假与补课"),
    "recordings": N_("去登记：教学录像"),
}
_BY_AUTHORITY = N_("去登记：由主管部门决定")
_ACTS: Mapping[str, str] = {
    **dict.fromkeys(
        ("attested_not_accepted", "attested_alone", "hours_attested"), "attested_accepted"
    ),
    **dict.fromkeys(
        ("platform_controls_not_accepted", "hours_platform_controls"), "platform_controls_accepted"
    ),
}


def act(code: str, class_id: int, check: str = "") -> str:
    """Where the authority records what it decides on a reason of that code, or a class's check."""
    kind = _ACTS.get(code)
    if kind is None and check in _OF_CHECK:
        kind = f"class_check_decided&check={check}"
    return f"/console/classes/{class_id}/acts" + (f"?kind={kind}#record" if kind else "")


def way(reason: ReasonBody, class_id: int, user: User) -> tuple[str, str] | None:
    """Address and words; None where there is nothing to fill in, or others do it."""
    place = _OF_CHECK.get(reason.source)
    if reason.cure.how == Cure.AUTHORITY:
        if not user.decides:
            return None
        return (act(reason.code, class_id, reason.source), _BY_AUTHORITY)
    elif (place == _TERMS and not user.sets_up) or (place is not None and not user.hands_in):
        return None
    return (f"/console/classes/{class_id}/{place}", _WORDS[place]) if place else None
