"""What of a platform's evidence was refused, told to its webhooks beside the answer that said so.

An answer may be dropped by whatever program asked; a message reaches the platform's people.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.domain import notify
from app.domain.accounts.refused_requests import Told
from app.domain.exchange.xapi_fates import LOST
from app.languages import Text

_DOORS = (
    "/v1/events",
    "/v1/sessions/{session_id}/events",
    "/v1/sessions/{session_id}/controls",
    "/v1/sessions/{session_id}/snapshots/{snapshot_id}",
)
_STATEMENTS = "/xAPI/statements"
_OPENING = (  # study goes on uncounted, or counts for the sitting that bears the id
    "outside_class_dates",
    "enrolment_ended",
    "not_enrolled",
    "unknown_class",
    "unknown_learner",
    "unknown_lesson",
    "session_exists",
)
_REFUSED = (200, 400, 404, 409, 413, 415, 422)  # 200: some items; the rest is to be sent again
_EMPTY = ("no_events",)  # nothing was sent that could be lost
_WORDS: dict[str, Text] = {
    "statement_conflict": Text(
        "同一个id先前存过别的语句，整批没有保存：改过的语句请用新的id",
        "the id stands for another statement already, and nothing of the batch is kept: "
        "what was corrected is a new statement",
    ),
    "too_many_statements": Text(
        "一次报送的语句太多，整批没有保存：请分批发送",
        "too many statements at once, and none is kept: send them in batches",
    ),
    "session_exists": Text(
        "同一个session_id先前开通过另一次学习（学员、班级、课程或窗口不同），再报的事件仍算在先前那次："
        "每次学习请用新的session_id",
        "the session_id stands for a sitting of another learner, class, lesson or window, and "
        "events under it go on counting there: give each sitting its own",
    ),
    "numbered_by_client": Text(
        "这次学习的事件自带编号（seq）：请继续编号，同一次学习只由一方编号",
        "the events of this sitting carry numbers: go on with them",
    ),
    "numbered_by_server": Text(
        "这次学习的事件由本服务编号：请不要写seq",
        "the service numbers the events of this sitting: leave seq out",
    ),
    "batch_conflict": Text(
        "同一个batch_id先前报过别的内容：改过的内容请用新的batch_id",
        "the batch_id stands for other events already: use another",
    ),
    "seq_conflict": Text(
        "同一个seq先前报过别的内容：每条事件用自己的seq",
        "the seq stands for another event already: each event has its own",
    ),
}


def tell(connection: Connection, refused: Iterable[Told], now_ms: int) -> None:
    """Tell the platforms whose evidence was among what was refused."""
    lost: dict[int, dict[str, Text]] = {}
    for it in refused:
        if _brought(it):
            lost.setdefault(it.platform_id, {})[it.reason.code] = _said(it)
    for platform_id, told in sorted(lost.items()):
        notify.evidence_lost(connection, platform_id, told, now_ms)


def _brought(it: Told) -> bool:
    """Whether what was refused told of study."""
    reason = it.reason
    if reason.route == "/v1/sessions":
        return reason.code in _OPENING
    if reason.status not in _REFUSED:
        return False
    if reason.route == _STATEMENTS:
        return reason.method in ("POST", "PUT")
    return reason.route in _DOORS and reason.code not in _EMPTY


def said_of(code: str) -> Text | None:
    """Why something was refused and what to do about it, in words; None where only the answer's own
    sentence tells."""
    if code in LOST:
        loss = LOST[code]
        return Text(f"{loss.why_zh}：{loss.remedy_zh}", f"{loss.why_en}: {loss.remedy_en}")
    return _WORDS.get(code)


def _said(it: Told) -> Text:
    code = it.reason.code
    known = said_of(code)
    if known is not None:
        return known
    field = it.reason.field or it.reason.route
    whole = "，整批没有保存" if it.reason.route == _STATEMENTS else ""
    said = f"内容不合要求（{field}，{code}）{whole}：请按说明改正后重发"
    return Text(said, it.refused.detail or code)
