"""What a platform is told about its own reporting: sent, kept, and counted for nothing.

Nobody is accused by a note. It says what reached this service and no learner's record, since when,
and what to change.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.domain.answer import Answer, EpochMs
from app.domain.exchange.xapi import LOST
from app.domain.sittings.sitting_life import Fate
from app.languages import Text
from app.store.bodies import EvidenceCounts
from app.store.exchange import statements

SINCE_MS = 30 * 86_400_000

# code → what was found, and what to do. {n} how many, {s} in how many sittings.
SENTENCES: dict[str, tuple[str, str]] = {
    "unknown_session": (
        "近30天有{n}条xAPI语句（{s}个会话编号）找不到对应的学习会话：已保存，没有计入任何人的学时。"
        "请先以POST /v1/sessions开始会话，并在语句中使用同一编号。",
        "{n} xAPI statements of the last 30 days ({s} session ids) name no session: they are kept "
        "and count for nobody. Open the session first (POST /v1/sessions), under the same id.",
    ),
    Fate.CLOSED.value: (
        "近30天有{n}条xAPI语句（{s}个会话）在会话结束后才到达：已保存，没有计入学时。"
        "请在学员继续学习时重新开始会话，并及时转发。",
        "{n} xAPI statements of the last 30 days ({s} sessions) came after the session was over: "
        "they are kept and not counted. Open a new session when a learner goes on, and forward at "
        "once.",
    ),
    Fate.IMPORTED.value: (
        "近30天有{n}条xAPI语句（{s}个会话）属于导入的会话：已保存，没有计入学时。请通过导入补充。",
        "{n} xAPI statements of the last 30 days ({s} sessions) belong to imported sessions: they "
        "are kept and not counted. Bring what is missing as an import.",
    ),
    Fate.FULL.value: (
        "近30天有{n}条xAPI语句（{s}个会话）超出一次学习可容纳的数量：已保存，没有计入学时。"
        "请检查是否重复发送。",
        "{n} xAPI statements of the last 30 days ({s} sessions) were more than a session holds: "
        "they are kept and not counted. See whether they are sent again and again.",
    ),
    "unseen_play": (
        "有{s}次学习在页面隐藏时播放，共{n}秒没有计入学时。学员一直开着页面的，"
        "多为应用内嵌页面（WebView）误报隐藏：请检查，或引导学员改用系统浏览器。",
        "{s} sittings played while their page was hidden; {n} s were not counted. Where learners "
        "had it open, the app's web view wrongly says hidden: check it, or send them to the "
        "system's browser.",
    ),
}


class PlatformNote(Answer, frozen=True, kw_only=True):
    """What was found how often, in how many sittings and when last, and what to do about it."""

    code: str
    count: int
    sessions: int
    last_ms: EpochMs
    sentence: Text


def of_platform(connection: Connection, platform_id: int, now_ms: int) -> list[PlatformNote]:
    """What was lost of late, by what became of it."""
    rows = statements.fates(connection, platform_id, LOST, now_ms - SINCE_MS)
    return [_note(row.fate, row.statements, row.sessions, row.last_ms) for row in rows]


def of_classes(classes: Iterable[tuple[EvidenceCounts, int | None]]) -> list[PlatformNote]:
    """What classes as the conformity record shows them have in common: pages that say `hidden`."""
    unseen = [(it, judged_ms) for it, judged_ms in classes if it.unseen_sittings]
    count = sum(it.unseen_sittings or 0 for it, _ in unseen)
    seconds = round(sum(it.unseen_s or 0 for it, _ in unseen))
    last_ms = max((judged_ms or 0 for _, judged_ms in unseen), default=0)
    return [_note("unseen_play", seconds, count, last_ms)] if unseen else []


def _note(code: str, count: int, sessions: int, last_ms: int) -> PlatformNote:
    zh, en = SENTENCES[code]
    said = Text(zh.format(n=count, s=sessions), en.format(n=count, s=sessions))
    return PlatformNote(code=code, count=count, sessions=sessions, last_ms=last_ms, sentence=said)
