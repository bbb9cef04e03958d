"""What a platform is told about its own reporting: sent, kept, and counted for nothing.

Nobody is accused by a note. It says what reached this service and no learner's record, since when,
and what to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.answer import Answer, EpochMs
from app.domain.exchange.xapi_fates import KEPT, LOST, OTHER_LEARNER
from app.domain.sittings.sitting_life import Fate
from app.languages import Text
from app.store.accounts import refused_requests
from app.store.bodies import EvidenceCounts
from app.store.exchange import statements
from app.store.exchange.statements import FateCount
from app.store.sittings import sittings

SINCE_MS = 30 * 86_400_000


@dataclass(slots=True)
class _Lost:
    """A `FateCount` of statements and events together."""

    fate: str
    statements: int
    sessions: int
    last_ms: int


_UNSEEN = Text(
    "有{s}次学习在页面隐藏时播放，共{n}秒没有计入学时。学员一直开着页面的，"
    "多为应用内嵌页面（WebView）误报隐藏：请检查，或引导学员改用系统浏览器。",
    "{s} sittings played while their page was hidden; {n} s were not counted. Where learners "
    "had it open, the app's web view wrongly says hidden: check it, or send them to the "
    "system's browser.",
)


_NO_PLAY = Text(
    "近30天收到{n}条xAPI语句，没有一条说到播放：都已保存，没有计入任何人的学时。课件自带的语句（浏览、作答、完成）"
    "不说明看了多久：请改用发送played、paused的播放器，或在学习页面接入SDK。",
    "None of the {n} xAPI statements of the last 30 days tells of play: they are kept and count "
    "for nobody. What courseware says by itself (experienced, answered, completed) does not tell "
    "how long somebody watched: use a player that sends `played` and `paused`, or put the SDK on "
    "the page.",
)


class PlatformNote(Answer, frozen=True, kw_only=True):
    """What was found how often, in how many sittings and when last, and what to do about it."""

    code: str
    count: int
    sessions: int
    last_ms: EpochMs
    sentence: Text


def of_platform(connection: Connection, platform_id: int, now_ms: int) -> list[PlatformNote]:
    """What was lost of late, by what became of it; or that nothing tells of play at all, where the
    platform never had a sitting by any other door."""
    since_ms = now_ms - SINCE_MS
    rows = statements.fates(connection, platform_id, list(LOST), since_ms)
    if not rows and not sittings.any_on_platform(connection, platform_id):
        return _no_play(connection, platform_id, since_ms)
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


def lost_of_learner(
    connection: Connection, platform_id: int, learner_id: int, now_ms: int
) -> Sequence[FateCount]:
    """What a platform sent of late of this learner's play, statements and events, and nobody could
    count, by its fate."""
    rows = statements.fates_of_learner(
        connection,
        platform_id,
        learner_id,
        list(LOST),
        now_ms - SINCE_MS,
        elsewhere=OTHER_LEARNER,
    )
    late = refused_requests.over_of_learner(connection, learner_id, now_ms - SINCE_MS)
    if late.last_ms is None:
        return rows
    over = _Lost(Fate.CLOSED.value, int(late.events or 0), late.sessions, late.last_ms)
    same = [it for it in rows if it.fate == over.fate]
    for it in same:
        over.statements += it.statements
        over.last_ms = max(over.last_ms, it.last_ms)
    return [*(it for it in rows if it.fate != over.fate), over]


def _no_play(connection: Connection, platform_id: int, since_ms: int) -> list[PlatformNote]:
    return [
        PlatformNote(
            code="no_play",
            count=row.statements,
            sessions=row.sessions,
            last_ms=row.last_ms,
            sentence=Text(*(it.format(n=row.statements) for it in (_NO_PLAY.zh, _NO_PLAY.en))),
        )
        for row in statements.fates(connection, platform_id, [KEPT], since_ms)
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
