"""The numbers that sittings and their controls run by: a pack's, and the product's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.domain.policy import packs
from detectors.photo_window import WindowTerms, terms_of
from detectors.policy import Policy

# Product defaults that no pack speaks of.
REVEAL_MS = 20_000  # a control is shown to the client at most this long before it is due
REPORT_GRACE_MS = 15_000  # an answer may travel with the next heartbeat
PHOTO_WINDOW_MS = 60_000  # a due photo must arrive within this time
FMR = 0.01  # share of strangers that may pass a comparison
FRAMES = 3  # of a random photo
# After so long without a further photo a burst is over: as long as a slow line may keep one.
BURST_MS = 30_000


def burst_frames(actions: int) -> int:
    """Photos of a face check: two before its actions, seven for each, at three a second."""
    return 2 + 7 * actions


@dataclass(frozen=True, slots=True)
class SittingTerms:
    """Milliseconds, unless the name says otherwise."""

    heartbeat_ms: int
    lease_ms: int
    handover_ms: int
    kick_old: bool
    popup_low_ms: int
    popup_high_ms: int
    popup_window_ms: int
    popup_reissues: int
    question: str  # what pop-ups ask: none | quiz | identity | both
    question_pool: str
    question_every_nth: int
    photos_per_hour: int
    photo_edge_ms: int
    face_tries: int
    face_window_ms: int  # of one try
    live_required: bool  # a try passes by its burst, not by a photo that matched
    face_moves: str  # never | announced (by the client that it can ask for them) | always
    resume_after_ms: int
    face_every_ms: int  # of study; 0: only at the start of a class-hour
    face_nth_hour: int  # a class-hour in so many asks for a face at its start
    recheck_ms: int  # of study, after a face check that did not pass
    match_fmr: float  # share of strangers that may pass a comparison
    photo: WindowTerms
    lesson_done_coverage: float
    hidden_stops: bool
    unfocused_stops: bool
    idle_limit_ms: int | None  # play with nobody there; None: nobody asks

    @property
    def silent_ms(self) -> int:
        """A window that sent nothing for this long has missed a heartbeat."""
        return self.heartbeat_ms + self.handover_ms


def from_policy(policy: Policy) -> SittingTerms:
    session, popup, face = policy["session"], policy["popup_gap"], policy["face_liveness"]
    windows, photo = policy["multi_window"], policy["photo_retention"]
    tries = int(face["retries"])
    return SittingTerms(
        heartbeat_ms=session.ms("heartbeat_s"),
        lease_ms=session.ms("lease_timeout_s"),
        handover_ms=windows.ms("handover_tolerance_s"),
        kick_old=windows.word("on_second") == "kick_old",
        popup_low_ms=popup.ms("schedule_min_s"),
        popup_high_ms=popup.ms("schedule_max_s"),
        popup_window_ms=popup.ms("answer_window_s"),
        popup_reissues=int(popup["reissues"]),
        question=popup.word("question"),
        question_pool=popup.word("question_pool"),
        question_every_nth=max(int(popup["question_every_nth"]), 1),
        photos_per_hour=int(photo["photos_scheduled"]),
        photo_edge_ms=photo.ms("edge_margin_s"),
        face_tries=tries,
        face_window_ms=face.ms("retry_window_s") // max(tries, 1),
        live_required=bool(face["live_required"]),
        face_moves=face.word("face_moves"),
        resume_after_ms=face.ms("resume_after_s"),
        face_every_ms=face.ms("interval_s"),
        face_nth_hour=max(int(face["every_nth_hour"]), 1),
        recheck_ms=face.ms("recheck_after_s"),
        match_fmr=face["match_fmr"] if "match_fmr" in face.parameters else FMR,
        photo=terms_of(policy),
        lesson_done_coverage=policy["lesson_order"]["lesson_done_coverage"],
        hidden_stops=session.word("clock_on_hidden") == "stop",
        unfocused_stops=session.word("clock_on_unfocused") == "stop",
        idle_limit_ms=_idle_limit_ms(policy),
    )


def _idle_limit_ms(policy: Policy) -> int | None:
    if not policy.names("idle_limit") or not policy["idle_limit"].runs:
        return None
    return round(policy["idle_limit"]["max_idle_min"] * 60_000)


@lru_cache(maxsize=256)
def of_pack(pack_id: str, version: str) -> SittingTerms:
    return from_policy(packs.load(pack_id, version).policy)
