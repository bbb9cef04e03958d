"""A page with a lesson in it: its player and what its SDK notes, sends, and is asked for.

What a person does with it is a `Sitting`. True time `t` is seconds since the scene's start, media
positions are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from app.simulation.demands import Due, OpenControls
from app.simulation.entities import (
    Camera,
    Device,
    DeviceClock,
    Network,
    Popup,
    Record,
    Shot,
    SimulatedLearner,
    SimulatedPerson,
)
from app.simulation.service import Service
from app.simulation.uplink import NEVER, Uplink

Passage = Iterator[float]
START_S = 120.0  # how long after opening a face check is still the one of the start
EPSILON_S = 1e-6
TOLD_S = 1e-3  # over which a position is seen to move
INPUT_EVERY_S: tuple[float, float] | None = None  # people touch the page; None: no class asks
INPUT_AT_LEAST_S = 30.0


OnPopup = Callable[[Any, Popup], Passage]
"""What somebody does when a pop-up shows: (their `Sitting`, the pop-up) → how time passes."""


@dataclass(slots=True)
class Habits:
    """What differs from client to client: how often it beats, and what it does when asked."""

    heartbeat_s: tuple[float, float] = (10.0, 10.004)
    on_popup: OnPopup | None = None
    display_delay_s: float = 0.0
    photo_delay_s: tuple[float, float] = (1.5, 5.0)
    whole_positions: bool = False
    stops_film: bool = True  # when a pop-up is shown; else when its window is over
    tells_state: bool = True  # play, pause and the like are told; else positions alone
    ended_tells_position: bool = True
    patience_s: float = 180.0  # how long to try again while the lesson is open elsewhere
    heeds_stop: bool = True
    burst_gap_s: float | None = None  # between the frames of a face check; None: as the SDK does


class LessonPage:
    """A browser tab with one lesson open; time passes only as it is told to."""

    def __init__(
        self,
        *,
        service: Service,
        rng: Random,
        learner: SimulatedLearner,
        class_id: str,
        lesson_id: str,
        media_s: float,
        session_id: str,
        device: Device,
        window_id: str,
        clock: DeviceClock,
        network: Network,
        person: SimulatedPerson,
        camera: Camera,
        habits: Habits,
        on_popup: OnPopup,
        at_s: float,
    ) -> None:
        self.service = service
        self.rng = rng
        self.learner = learner
        self.class_id = class_id
        self.lesson_id = lesson_id
        self.media_s = media_s
        self.session_id = session_id
        self.device = device
        self.window_id = window_id
        self.clock = clock
        self.network = network
        self.person = person
        self.camera = camera
        self.habits = habits
        self.on_popup = on_popup

        self.t = at_s
        self.position = 0.0
        self.speed = 1.0  # content seconds a second while playing
        self.shown_rate = 1.0  # what the page's playbackRate says
        self.playing = False
        self.stalled = False
        self.visible = True
        self.focused = True
        self.learned_s = 0.0
        self.answered_learned_s = 0.0
        self.resumed_after_s = 0.0
        self.received_ms = 0
        self.popups_met = 0

        self._opened_at = at_s
        self._seq = 0
        self._uplink = Uplink(service, network, rng)
        self._next_beat = NEVER
        self.session_ids = [session_id]  # all of them, where it was stopped and entered again
        self._demands = OpenControls()
        self._shots = 0
        self._pace = 0.0, 1.0  # shares of an action's time at which it is begun and undone
        self.photos_asked: list[str] = []  # challenges
        self._stopped_at = NEVER
        self._popup_open = False
        self._back_at = 0.0
        self._misread: Callable[[float], float] | None = None
        self.holes: tuple[tuple[float, float], ...] = ()  # what the film lacks, in order
        self._seen: list[tuple[float, float]] = []
        self._hands = Random(session_id)  # of its own: what it draws changes nothing else
        self._input_in = ""
        self._input_told_at = self._touches_at = at_s

    @property
    def stopped(self) -> bool:
        """Whether the service has ended this sitting and the page heeds it."""
        return self._demands.stop is not None and self.habits.heeds_stop

    @property
    def advancing(self) -> bool:
        return self.playing and not self.stalled and self.position < self.media_s

    @property
    def counting(self) -> bool:
        """Whether the learning clock runs: page and service go by what the player tells, and that
        of an advertisement plays as well."""
        told = self._misread
        plays = self.advancing or (told is not None and told(self.t + TOLD_S) > told(self.t))
        return self.visible and plays

    @property
    def seen(self) -> list[tuple[float, float]]:
        """Stretches of content that played where it could be seen, in order of time."""
        return self._seen

    # -- what is sent -----------------------------------------------------------------------------

    def emit(self, kind: str, **fields: Any) -> None:
        """Queue one event."""
        self._uplink.queue(
            {"seq": self._seq, "type": kind, "at_ms": self.clock.date_ms(self.t), **fields}, self.t
        )
        self._seq += 1

    def _tell_input(self) -> None:
        """That the page was touched since it last said so, as the SDK's input.js tells it."""
        if INPUT_EVERY_S is None:
            return
        if self._input_in != self.session_id:
            self._input_in, self._input_told_at = self.session_id, self.t - INPUT_AT_LEAST_S
            self.emit("integrity", code="input_watched", value=True)
        due_at = max(self._touches_at, self._input_told_at + INPUT_AT_LEAST_S, self._back_at)
        if due_at <= self.t:
            self._input_told_at = self.t
            self._touches_at = self.t + self._hands.uniform(*INPUT_EVERY_S)
            self.emit("integrity", code="input", value=True)

    def beat(self) -> None:
        """Queue one heartbeat."""
        self._tell_input()
        t = self.t
        self._uplink.queue(
            {
                "seq": self._seq,
                "type": "progress",
                "at_ms": self.clock.date_ms(t),
                "position": self._reported(),
                "rate": self.shown_rate,
                "visible": self.visible,
                "focused": self.focused,
                "monotonic_ms": self.clock.monotonic_ms(t),
            },
            t,
        )
        self._seq += 1

    def flush(self) -> None:
        """Send the queue as one batch if the network carries, and take what the answer asks."""
        for controls in self._uplink.flush(self):
            self._take(controls)

    def _tell(self, *kinds: str) -> None:
        """What the player did, where it is."""
        if self.habits.tells_state:
            for kind in kinds:
                self.emit(kind, position=self._reported())

    def _where(self) -> Record:
        return {"position": self._reported()} if self.habits.tells_state else {}

    def _reported(self) -> float:
        position = self.position if self._misread is None else self._misread(self.t)
        return float(int(position)) if self.habits.whole_positions else round(position, 3)

    def _beat_gap(self) -> float:
        shortest, longest = self.habits.heartbeat_s
        return shortest + (longest - shortest) * self.rng.random()

    # -- what the service asks --------------------------------------------------------------------

    def _take(self, controls: dict[str, Any]) -> None:
        """Arrange for the controls in an answer."""
        purpose = "start" if self.t - self._opened_at < START_S else "resume"
        arrives = self.t + 2 * self.network.latency_s[1]
        ready = arrives + self.rng.uniform(*self.habits.photo_delay_s)
        self._demands.take(controls, self.learned_s, arrives, purpose, ready)

    def _popup_at(self) -> float:
        """When the known pop-up is to be shown, as far as can be told now."""
        popup = self._demands.popup
        if popup is None or self._popup_open or self.stopped:
            return NEVER
        return self._when(popup.due_learned_s, popup.not_before_s)

    def _when(self, learned_s: float, not_before_s: float) -> float:
        missing = learned_s - self.learned_s
        if missing > EPSILON_S:
            if not self.counting:
                return NEVER
            return max(self.t + missing, not_before_s)
        return max(self.t, not_before_s)

    def _move(self, seconds: float) -> None:
        advancing = self.advancing
        if self.counting:
            self.learned_s += seconds
        self.t += seconds
        if advancing:
            left = seconds * self.speed
            for start, end in (*self.holes, (self.media_s, self.media_s)):
                if self.position >= end:
                    continue
                if self.position < start:
                    left -= self._play_to(min(start, self.position + left))
                if self.position < start:
                    break
                self.position = end  # by itself: no player can stand where there is nothing

    def _play_to(self, position: float) -> float:
        """Play on to there; how much that was."""
        before, self.position = self.position, position
        if self.visible:
            if self._seen and self._seen[-1][1] == before:
                self._seen[-1] = (self._seen[-1][0], position)
            else:
                self._seen.append((before, position))
        return position - before

    def _photograph(self, due: Due) -> None:
        """Take the photos that are due now; of a burst one, and the next when its time comes."""
        if due.frame == 0:
            self._shots += 1
            self.photos_asked.append(due.challenge_id)
            self._pace = self.rng.uniform(0.08, 0.25), self.rng.uniform(0.6, 0.8)
            due = replace(due, shot=self._shots)
        following = due.following(self.t)
        if following is not None:
            gap_s = self.habits.burst_gap_s
            at = following.not_before_s if gap_s is None else self.t + gap_s
            self._demands.photos.append(replace(following, not_before_s=at))
        for frame in (due.frame,) if due.actions else range(due.frames):
            photo = self.camera(self.rng, self._shot(due, frame))
            if photo is None:
                continue
            snapshot = {
                "snapshot_id": f"{self.session_id}-{due.shot}-{frame}",
                "purpose": due.purpose,
                "challenge_id": due.challenge_id,
                "frame": frame,
                "taken_at_ms": self.clock.date_ms(self.t),
            }
            self._uplink.queue_photo(snapshot, photo)

    def _shot(self, due: Due, frame: int) -> Shot:
        """Somebody who follows the prompts does so a little late and at their own pace."""
        prompt = due.prompt()
        if prompt is None:
            return Shot(due.purpose, due.shot, frame)
        place, into = prompt
        begins, ends = self._pace
        does = due.actions[place] if begins <= into <= ends else None
        return Shot(due.purpose, due.shot, frame, place, does)
