"""Sittings: who may open one, who holds the playback lease, and how it ends.

One natural person has one lease, over all accounts, classes and platforms. A page that reloads, or
a device that takes over from one that fell silent, goes on at the saved mark; a second window that
comes while the first is alive is refused, or ends the first, as the pack says.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from sqlalchemy import Connection

from app.clock import DAY_MS, day
from app.domain.controls import draws
from app.domain.controls.scheduler import SEED_PURPOSE, ControlScheduler, Demands
from app.domain.policy import sitting_terms
from app.domain.policy.sitting_terms import SittingTerms
from app.domain.sittings import carry_over, sitting_life
from app.domain.sittings.carry_over import Ground
from app.domain.sittings.leases import new_lease
from app.domain.sittings.sitting_life import Door, Fate
from app.errors import BadInput, Conflict, NotAllowed, NotFound, TooManyRequests
from app.security import token_digest
from app.store import stays
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.people import AccountRow
from app.store.judging import study_days
from app.store.sittings import progress
from app.store.sittings import sittings as store
from app.store.sittings.sittings import LessonToPlay, RivalSitting, SittingRow
from app.store.stays import StayRow
from app.vault import Vault

log = structlog.get_logger("zhenxue.sittings")

AHEAD_MS = 120_000  # clocks of several services may differ by less
MOST_A_DAY = 1_000  # product default: a reload every minute and a half, day and night
_OTHER_ACCOUNT = ("另一个账号", "under another account")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a platform asks for."""

    learner: str
    klass: str
    lesson: str
    device: str
    window: str
    client: dict[str, Any]
    session: str | None = None
    started_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An open sitting. `ended` are sessions (row ids) that ended for it: tell who judges them."""

    id: int
    session: str
    token: str
    lease_expires_ms: int
    heartbeat_ms: int
    resume_ms: int
    commitment: bytes
    demands: Demands
    ended: tuple[int, ...]
    created: bool = True
    next_seq: int = 0
    resumed: bool = False
    idle_limit_ms: int | None = None


def open_sitting(
    connection: Connection,
    vault: Vault,
    scheduler: ControlScheduler,
    platform_id: int,
    opening: Opening,
    now_ms: int,
) -> Opened:
    """Open a sitting, or renew the same one. Raises NotFound, NotAllowed (not enrolled), BadInput
    (lesson not in the class), TooManyRequests, Conflict (outside_class_dates, concurrent_session,
    lesson_locked, session_exists, session_closed, session_imported). It is opened by the clock of
    its class."""
    learner = store.learner(connection, platform_id, opening.learner)
    klass = store.klass(connection, platform_id, opening.klass)
    if learner is None:
        raise NotFound("unknown_learner", f"there is no learner {opening.learner!r}")
    if klass is None:
        raise NotFound("unknown_class", f"there is no class {opening.klass!r}")
    stay = stays.of_learner(connection, klass.id, learner.id)
    if stay is None or stay.ended_by == stays.WITHDRAWN:
        raise NotAllowed("not_enrolled", f"{opening.learner!r} is not in class {opening.klass!r}")
    now_ms += klass.ahead_ms
    lesson = _lesson(connection, klass, opening.lesson)
    terms = sitting_terms.of_pack(klass.pack_id, klass.pack_version)

    _require_questions(klass, opening, terms)
    store.lock_person(connection, learner.person_id)
    if opening.session is not None:
        known = store.by_external_id(connection, platform_id, opening.session, lock=True)
        if known is not None:
            return _renew(connection, scheduler, known, learner, klass, lesson, opening, now_ms)
    _require_stay(stay, klass, now_ms)
    ground = Ground.read(connection, klass.id, stay)
    _require_days(connection, klass, learner, ground, now_ms)
    _require_few(connection, platform_id, learner, now_ms)
    rivals = store.open_of_person(connection, learner.person_id)
    _require_lease(rivals, opening, learner, terms, now_ms)
    _require_order(connection, ground, lesson, terms)
    ended = tuple(
        rival.id
        for rival in rivals
        if _end(connection, vault, scheduler, rival, *_how_it_ends(rival, opening, now_ms), now_ms)
    )
    return _open(
        connection, vault, scheduler, learner, klass, lesson, ground, opening, ended, now_ms
    )


def _require_questions(klass: ClassRow, opening: Opening, terms: SittingTerms) -> None:
    """Where pop-ups ask something, the client has to be able to show it: else whoever studies could
    only answer wrong."""
    asks = klass.controls == "service" and terms.question != "none"
    if asks and not opening.client.get("questions"):
        raise Conflict(
            "questions_unsupported",
            "client.questions: this class asks questions in its pop-ups, and the page cannot show "
            "them: update its SDK 本班弹窗须答题，学习页面不支持，请平台更新学习页面",
        )


def close_sitting(
    connection: Connection,
    vault: Vault,
    scheduler: ControlScheduler,
    platform_id: int,
    external_id: str,
    reason: str,
    now_ms: int,
) -> tuple[SittingRow, bool]:
    """End a sitting and reveal its seed: (row as it was, whether this call ended it).

    A sitting that has ended already stays as it is. Raises NotFound.
    """
    sitting = store.by_external_id(connection, platform_id, external_id, lock=True)
    if sitting is None:
        raise unknown_session(external_id)
    now_ms += sitting.ahead_ms
    return sitting, _end(connection, vault, scheduler, sitting, "closed", reason, now_ms)


def expire_leases(
    connection: Connection, vault: Vault, scheduler: ControlScheduler, now_ms: int, limit: int = 100
) -> list[int]:
    """End sittings whose lease has run out; their row ids, oldest lease first."""
    over = store.run_out(connection, now_ms, limit)
    ends = {it.id: now_ms + it.ahead_ms for it in over}
    scheduler.finish(connection, ends)
    columns = {it.id: _end_of(vault, it, "expired", "lease", ends[it.id]) for it in over}
    store.end_sessions(connection, columns)
    return list(ends)


def unknown_session(external_id: str) -> NotFound:
    return NotFound("unknown_session", f"there is no session {external_id!r}")


# ------------------------------------------------------------------------------ who may open


def _lesson(connection: Connection, klass: ClassRow, external_id: str) -> LessonToPlay:
    versions = klass.course_version_ids
    found = {row.course_version_id: row for row in store.lessons(connection, versions, external_id)}
    for version in versions:
        if version in found:
            return found[version]
    raise BadInput(
        "unknown_lesson", f"lesson_id: {external_id!r} is not in the courses of this class"
    )


def _require_lease(
    rivals: Sequence[RivalSitting],
    opening: Opening,
    learner: AccountRow,
    terms: SittingTerms,
    now_ms: int,
) -> None:
    """Ids of the rival sitting are told to the account that it belongs to, and to no other."""
    for rival in rivals:
        if terms.kick_old or _gives_way(rival, opening, learner.platform_id, terms, now_ms):
            continue
        log.info("second window refused", session=rival.external_id, learner=opening.learner)
        wait_s = -(-(rival.last_recv_ms + terms.silent_ms + 1 - now_ms) // 1000)
        if rival.learner_id != learner.id:
            elsewhere = rival.platform_id != learner.platform_id
            zh, en = ("其他平台", "on another platform") if elsewhere else _OTHER_ACCOUNT
            raise Conflict(
                "concurrent_session",
                f"同一身份证号的学员此刻正在{zh}学习 / this person is studying {en} at this moment",
                retry_after_s=wait_s,
            )
        raise Conflict(
            "concurrent_session",
            "您此刻正在另一个窗口学习 / this person is studying in another window at this moment",
            retry_after_s=wait_s,
            rival={
                "session_id": rival.external_id,
                "window_id": rival.window_id,
                "device_id": rival.device_id,
                "opened_at_ms": rival.opened_ms,
            },
        )


def _gives_way(
    rival: RivalSitting, opening: Opening, platform_id: int, terms: SittingTerms, now_ms: int
) -> bool:
    """The same window again is a reload. Another window of the device takes over once the first
    has been silent for the handover tolerance, another device once it has missed a heartbeat."""
    if _over(rival, now_ms):
        return True
    silent_ms: int = now_ms - rival.last_recv_ms
    if rival.platform_id == platform_id and rival.device_id == opening.device:
        return bool(rival.window_id == opening.window or silent_ms > terms.handover_ms)
    return silent_ms > terms.silent_ms


def _over(rival: RivalSitting, now_ms: int) -> bool:
    """Whether its lease ran out, or is of a time that has not come: a clock that was wrong when it
    was given must lock nobody out once it is right."""
    ahead: bool = rival.last_recv_ms > now_ms + AHEAD_MS
    return ahead or bool(rival.lease_expires_ms <= now_ms)


def _how_it_ends(rival: RivalSitting, opening: Opening, now_ms: int) -> tuple[str, str]:
    if _over(rival, now_ms):
        return "expired", "lease"
    same = (rival.device_id, rival.window_id) == (opening.device, opening.window)
    return "superseded", "reload" if same else "other_window"


def _require_stay(stay: StayRow, klass: ClassRow, now_ms: int) -> None:
    """Nobody begins a sitting in a class that they have left; what was studied there stays."""
    gone = stays.gone(stay, day(now_ms))
    if gone is None:
        return
    last_on, by = gone
    last, moved = _day(last_on), by == stays.MOVED
    zh = f"您已转班，在本班学到{last}为止，请在新的班级学习。" if moved else f"您已于{last}离班。"
    en = f"this learner {by} class {klass.external_id!r}, the last day was {last_on}"
    raise Conflict(
        "enrolment_ended",
        f"{zh} {en}",
        ended={"by": by, "last_day": last_on.isoformat()},
        reason={"zh": zh, "en": en},
    )


def _require_days(
    connection: Connection, klass: ClassRow, learner: AccountRow, ground: Ground, now_ms: int
) -> None:
    """A sitting begins on the days of the class; one that runs on past them is not cut short."""
    days = study_days.of_stay(connection, klass, ground.stay, ground.acts)
    if days.from_ms <= now_ms < days.stated_until_ms:
        return
    log.info("sitting refused by dates", klass=klass.external_id, learner=learner.external_id)
    before = now_ms < days.from_ms
    first, last = _day(days.first), _day(days.last)
    zh = f"本班尚未开班，学习时间为{first}至{last}。" if before else f"本班学习已于{last}截止。"
    if days.last < days.first:
        zh = "本班已经考核，不再计入学习。"
    raise Conflict(
        "outside_class_dates",
        f"{zh} study in class {klass.external_id!r} counts from {days.first} to {days.last}",
        counts={
            "first_day": days.first.isoformat(),
            "last_day": days.last.isoformat(),
            "from_ms": days.from_ms,
            "until_ms": days.until_ms,
        },
        reason={"zh": zh, "en": f"study counts from {days.first} to {days.last}"},
    )


def _require_few(
    connection: Connection, platform_id: int, learner: AccountRow, now_ms: int
) -> None:
    """Nobody opens a thousand sittings a day: what each may bring is bounded, and so is this. What
    another platform opens under the same ID number keeps nobody from studying here."""
    since_ms = now_ms - DAY_MS
    opened = store.opened_by_person(connection, platform_id, learner.person_id, since_ms)
    if opened >= MOST_A_DAY:
        log.warning("too many sittings", learner=learner.external_id, opened=opened)
        raise TooManyRequests(
            "too_many_sittings",
            f"该学员24小时内已打开{opened}次学习，请稍后再试 / "
            f"this learner opened {opened} sittings within 24 hours",
            retry_after_s=3600,
        )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _require_order(
    connection: Connection, ground: Ground, lesson: LessonToPlay, terms: SittingTerms
) -> None:
    """A course of unknown kind is a professional one."""
    if lesson.course_kind == "public" or not lesson.sequential_lock:
        return
    before = store.lesson_before(connection, lesson.course_version_id, lesson.position)
    if before is None:
        return
    played = ground.studied(connection, [before.id])[before.id]
    coverage = progress.coverage(ground.film(before), played)
    if coverage < terms.lesson_done_coverage:
        log.info("lesson refused by order", lesson=lesson.external_id, coverage=coverage)
        raise Conflict(
            "lesson_locked",
            f"请先学完上一节课（{before.title}），目前已完成 {coverage:.1%}，"
            f"需达到 {terms.lesson_done_coverage:.0%}",
            requires={
                "lesson_id": before.external_id,
                "coverage": round(coverage, 4),
                "needed": terms.lesson_done_coverage,
            },
        )


# ------------------------------------------------------------------------- opening and ending


def _open(
    connection: Connection,
    vault: Vault,
    scheduler: ControlScheduler,
    learner: AccountRow,
    klass: ClassRow,
    lesson: LessonToPlay,
    ground: Ground,
    opening: Opening,
    ended: tuple[int, ...],
    now_ms: int,
) -> Opened:
    terms = sitting_terms.of_pack(klass.pack_id, klass.pack_version)
    seed, token = draws.new_seed(), new_lease(learner.platform_id)
    session = opening.session or secrets.token_hex(16)
    hours = scheduler.hours_of(connection, klass.id)
    carried = carry_over.carry_over(connection, ground, lesson, hours, session, seed, terms)
    session_id = store.insert_session(
        connection,
        **_of_opening(opening, learner, klass, lesson),
        external_id=session,
        provenance="live",
        state="open",
        opened_ms=now_ms,
        last_recv_ms=now_ms,
        resume_ms=carried.resume_ms,
        lease_digest=token_digest(token),
        lease_expires_ms=now_ms + terms.lease_ms,
        play_pos_ms=carried.resume_ms,
        seed_encrypted=vault.seal(seed, SEED_PURPOSE),
        commitment=draws.commitment(seed),
        seed_revealed=None,
        popup_from_ms=carried.popup_from_ms,
        popup_due_ms=carried.popup_due_ms,
        popup_draws=carried.popup_draws,
        schedule=carried.schedule(),
    )
    demands = scheduler.begin_new(connection, session_id, now_ms, ground.answer_times)
    return Opened(
        id=session_id,
        session=session,
        token=token,
        lease_expires_ms=now_ms + terms.lease_ms,
        heartbeat_ms=terms.heartbeat_ms,
        resume_ms=carried.resume_ms,
        commitment=draws.commitment(seed),
        demands=demands,
        ended=ended,
        idle_limit_ms=terms.idle_limit_ms,
    )


def _of_opening(
    opening: Opening, learner: AccountRow, klass: ClassRow, lesson: LessonToPlay
) -> dict[str, Any]:
    """Who opens what, where, as columns of the sitting."""
    return {
        "platform_id": learner.platform_id,
        "class_id": klass.id,
        "learner_id": learner.id,
        "person_id": learner.person_id,
        "lesson_id": lesson.id,
        "device_id": opening.device,
        "window_id": opening.window,
        "client": opening.client,
        "started_at_ms": opening.started_at_ms,
    }


def _renew(
    connection: Connection,
    scheduler: ControlScheduler,
    known: SittingRow,
    learner: AccountRow,
    klass: ClassRow,
    lesson: LessonToPlay,
    opening: Opening,
    now_ms: int,
) -> Opened:
    terms = sitting_terms.of_pack(klass.pack_id, klass.pack_version)
    same = (known.learner_id, known.class_id, known.lesson_id) == (learner.id, klass.id, lesson.id)
    if not same or (known.device_id, known.window_id) != (opening.device, opening.window):
        raise Conflict("session_exists", f"session {opening.session!r} was opened on other terms")
    rivals = store.open_of_person(connection, known.person_id)
    fate = sitting_life.fate(
        known, Door.RENEWAL, now_ms, lambda: any(it.id != known.id for it in rivals)
    )
    if fate.refused:
        raise Conflict(fate.value, sitting_life.why(fate, known.external_id))
    token = new_lease(known.platform_id)
    resumed = sitting_life.RESUMED if fate is Fate.RESUMES else {}
    store.update_session(
        connection,
        known.id,
        **resumed,
        lease_digest=token_digest(token),
        lease_expires_ms=now_ms + terms.lease_ms,
    )
    assert known.commitment is not None
    return Opened(
        id=known.id,
        session=known.external_id,
        token=token,
        lease_expires_ms=now_ms + terms.lease_ms,
        heartbeat_ms=terms.heartbeat_ms,
        resume_ms=known.resume_ms,
        commitment=known.commitment,
        demands=scheduler.begin(connection, known.id, now_ms),
        ended=(),
        created=False,
        next_seq=known.next_seq,
        resumed=fate is Fate.RESUMES,
        idle_limit_ms=terms.idle_limit_ms,
    )


def _end(
    connection: Connection,
    vault: Vault,
    scheduler: ControlScheduler,
    sitting: SittingRow,
    state: str,
    reason: str,
    now_ms: int,
) -> bool:
    """End an open sitting and reveal its seed; False when it was over already."""
    if sitting.state != "open":
        return False
    scheduler.finish(connection, {sitting.id: now_ms})
    end = _end_of(vault, sitting, state, reason, now_ms)
    return store.end_sessions(connection, {sitting.id: end}) == 1


def _end_of(
    vault: Vault, sitting: SittingRow, state: str, reason: str, now_ms: int
) -> Mapping[str, Any]:
    sealed = sitting.seed_encrypted
    return {
        "state": state,
        "close_reason": reason,
        "closed_ms": now_ms,
        "seed_revealed": vault.open(sealed, SEED_PURPOSE) if sealed else None,
    }
