"""What a platform is told about its own reporting: sent, kept, and counted for nothing.

Nobody is accused by a note. It says what reached this service and no learner's record, since when,
and what to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain.answer import Answer, EpochMs
from app.domain.exchange.xapi_fates import KEPT, LOST, OTHER_LEARNER
from app.domain.sittings.sitting_life import Fate
from app.languages import Text
from app.store.accounts import refused_requests
from app.store.bodies import EvidenceCounts
from app.store.exchange import statements
from app.store.exchange.statements import FateCount
from app.store.sittings import sittings

SINCE_MS = 30 * DAY_MS


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


_NOT_SECONDS = Text(
    "有{s}次学习报来的播放位置像是比例、百分比、分钟或毫秒，无法计入学时，也没有人因此受指责。"
    "位置（position、time）应为从影片开头算起的秒数：请改正后重新学习，已有的记录可换算后导入。",
    "The positions of {s} sittings look like a share, percent, minutes or milliseconds: nothing of "
    "them counts, and nobody is accused. `position` (`time` in statements) is to be seconds from "
    "the beginning of the film: mend it; what is over may be converted and imported.",
)


_OPENED_LATE = Text(
    "有{s}次学习送来了开通以前的播放记录：开通以前的学习没有计入学时，也没有人因此受指责。"
    "请在打开页面时开通学习（POST /v1/sessions），已经过去的用导入。",
    "{s} sittings were told of play that was over when they were opened: it does not count, and "
    "nobody is accused. Open a sitting when its page opens (POST /v1/sessions), and import what "
    "is over.",
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


_Judged = tuple[EvidenceCounts, int | None]


def of_classes(classes: Iterable[_Judged]) -> list[PlatformNote]:
    """What classes as the conformity record shows them have in common: pages that say `hidden`,
    positions that are no seconds, sittings that were opened too late."""
    known = list(classes)
    unseen = [it for it in known if it[0].unseen_sittings]
    seconds = round(sum(it.unseen_s or 0 for it, _ in unseen))
    sittings = sum(it.unseen_sittings or 0 for it, _ in unseen)
    other = [it for it in known if it[0].not_seconds]
    in_other = sum(it.not_seconds or 0 for it, _ in other)
    late = [it for it in known if it[0].opened_late]
    too_late = sum(it.opened_late or 0 for it, _ in late)
    told = (
        ("unseen_play", _UNSEEN, seconds, sittings, unseen),
        ("not_seconds", _NOT_SECONDS, in_other, in_other, other),
        ("before_opening", _OPENED_LATE, too_late, too_late, late),
    )
    return [_of_sittings(*it) for it in told if it[-1]]


def _of_sittings(
    code: str, words: Text, count: int, sittings: int, classes: Sequence[_Judged]
) -> PlatformNote:
    last_ms = max(judged_ms or 0 for _, judged_ms in classes)
    said = Text(*(it.format(n=count, s=sittings) for it in (words.zh, words.en)))
    return PlatformNote(code=code, count=count, sessions=sittings, last_ms=last_ms, sentence=said)
