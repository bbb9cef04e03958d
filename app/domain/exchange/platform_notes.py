"""What a platform is told about its own reporting: sent, kept, and counted for nothing.

Nobody is accused by a note. It says what reached this service and no learner's record, since when,
and what to change.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.domain.answer import Answer, EpochMs
from app.domain.exchange.xapi_fates import LOST
from app.languages import Text
from app.store.bodies import EvidenceCounts
from app.store.exchange import statements

SINCE_MS = 30 * 86_400_000

_UNSEEN = Text(
    "有{s}次学习在页面隐藏时播放，共{n}秒没有计入学时。学员一直开着页面的，"
    "多为应用内嵌页面（WebView）误报隐藏：请检查，或引导学员改用系统浏览器。",
    "{s} sittings played while their page was hidden; {n} s were not counted. Where learners "
    "had it open, the app's web view wrongly says hidden: check it, or send them to the "
    "system's browser.",
)


class PlatformNote(Answer, frozen=True, kw_only=True):
    """What was found how often, in how many sittings and when last, and what to do about it."""

    code: str
    count: int
    sessions: int
    last_ms: EpochMs
    sentence: Text


def of_platform(connection: Connection, platform_id: int, now_ms: int) -> list[PlatformNote]:
    """What was lost of late, by what became of it."""
    rows = statements.fates(connection, platform_id, list(LOST), now_ms - SINCE_MS)
    return [
        PlatformNote(
            code=row.fate,
            count=row.statements,
            sessions=row.sessions,
            last_ms=row.last_ms,
            sentence=_lost(row.fate, row.statements, row.sessions),
        )
        for row in rows
    ]


def _lost(fate: str, count: int, sessions: int) -> Text:
    loss = LOST[fate]
    zh = f"（{sessions}个会话编号）" if sessions else ""
    en = f" ({sessions} session ids)" if sessions else ""
    return Text(
        f"近30天有{count}条xAPI语句{zh}{loss.why_zh}：已保存，没有计入任何人的学时。{loss.remedy_zh}。",
        f"{count} xAPI statements of the last 30 days{en} {loss.why_en}: they are kept and count "
        f"for nobody. What to do: {loss.remedy_en}.",
    )


def of_classes(classes: Iterable[tuple[EvidenceCounts, int | None]]) -> list[PlatformNote]:
    """What classes as the conformity record shows them have in common: pages that say `hidden`."""
    unseen = [(it, judged_ms) for it, judged_ms in classes if it.unseen_sittings]
    count = sum(it.unseen_sittings or 0 for it, _ in unseen)
    seconds = round(sum(it.unseen_s or 0 for it, _ in unseen))
    last_ms = max((judged_ms or 0 for _, judged_ms in unseen), default=0)
    if not unseen:
        return []
    said = Text(*(it.format(n=seconds, s=count) for it in (_UNSEEN.zh, _UNSEEN.en)))
    return [
        PlatformNote(
            code="unseen_play", count=seconds, sessions=count, last_ms=last_ms, sentence=said
        )
    ]
