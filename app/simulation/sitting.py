"""One sitting: a player, an SDK and a tab, moving through true time.

A sitting is driven by generators. Whatever takes time yields the true time (seconds since the
scene's start) at which it wants to act next and acts once resumed, so that a driver can interleave
many sittings, or wait for a real clock in between. Media positions are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from app.simulation.demands import Demands, Due
from app.simulation.service import Refused, Service
from app.simulation.uplink import NEVER, Uplink
from app.simulation.world import (
    Camera,
    DeviceClock,
    Learner,
    Network,
    Person,
    Popup,
    Record,
    Shot,
)

Passage = Iterator[float]
START_S = 120.0  # how long after opening a face check is still the one of the start
_EPSILON_S = 1e-6
_RETRY_S = 5.0

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass(frozen=True, slots=True)
class Device:
    device_id: str
    user_agent: str = FIREFOX
    sdk_version: str | None = "1.0.0"


OnPopup = Callable[["Sitting", Popup], Passage]


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


class Sitting:
    """A browser tab with one lesson open. `t` is true time; it starts at `at_s`."""

    def __init__(
        self,
        *,
        service: Service,
        rng: Random,
        learner: Learner,
        class_id: str,
        lesson_id: str,
        media_s: float,
        session_id: str,
        device: Device,
        window_id: str,
        clock: DeviceClock,
        network: Network,
        person: Person,
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
        self._demands = Demands()
        self._shots = 0
        self.photos_asked: list[str] = []  # challenges
        self._stopped_at = NEVER
        self._popup_open = False
        self._back_at = 0.0
        self._misread: Callable[[float], float] | None = None
        self._seen: list[tuple[float, float]] = []

    # -- the person's and the page's acts ---------------------------------------------------------

    def open(self, settle_s: float = 0.0) -> Passage:
        """Open the lesson and stay for the start photo; `settle_s` is further idle time."""
        yield self.network.up_at(self.t)
        self.t = self.network.up_at(self.t)
        self.clock.loaded_at_s = self.t - self.rng.uniform(1.0, 4.0)
        give_up_at = self.t + self.habits.patience_s
        while True:
            try:
                self.position, controls = self.service.open(self)
                break
            except Refused as refusal:
                if refusal.code != "concurrent_session" or self.t >= give_up_at:
                    raise
            yield self.t + _RETRY_S
            self.t += _RETRY_S
        self._opened_at = self.t
        self._take(controls)
        self.beat()
        self._next_beat = self.t + self._beat_gap()
        self.flush()
        wait = max((due.not_before_s - self.t for due in self._demands.photos), default=0.0)
        yield from self.idle(wait + settle_s + self.rng.uniform(0.2, 0.8))

    def reenter(self) -> Passage:
        """After the service has stopped this sitting: open the lesson again, as its text asks.

        Raises `Refused` when somebody studies elsewhere in the learner's name.
        """
        if self._demands.stop == "superseded":
            raise Refused("superseded")
        self.session_id = f"{self.session_ids[0]}-{len(self.session_ids) + 1}"
        self.session_ids.append(self.session_id)
        self.crash()
        self._demands, self._seq = Demands(), 0
        self.playing = False
        yield from self.open()

    @property
    def stopped(self) -> bool:
        """Whether the service has ended this sitting and the page heeds it."""
        return self._demands.stop is not None and self.habits.heeds_stop

    def watch(self, to: float | None = None) -> Passage:
        """Play until the position `to` (default: the end), answering what comes up."""
        goal = self.media_s if to is None else min(to, self.media_s)
        while self.position < goal - _EPSILON_S:
            if self.t < self._back_at:
                yield from self._step(self._back_at)  # nobody is there
                continue
            if self.stopped:
                yield from self.reenter()
            if not self.playing and self._popup_at() == NEVER:
                self.play()
            left = (goal - self.position) / self.speed if self.advancing else NEVER
            yield from self._step(self.t + left)
        self.position = max(self.position, goal)

    def watch_for(self, seconds: float) -> Passage:
        """Play `seconds` of content."""
        yield from self.watch(self.position + seconds)

    def idle(self, seconds: float) -> Passage:
        """Let `seconds` pass as things are, playing or not."""
        end = self.t + seconds
        while self.t < end - _EPSILON_S:
            yield from self._step(end)

    def until_beat(self) -> Passage:
        """Let time pass as things are until the next heartbeat has been sent."""
        beat = self._next_beat
        while self._next_beat == beat:
            yield from self._step(beat)

    def play(self) -> None:
        if self.playing:
            return
        if self._stopped_at < self.t:
            self.resumed_after_s = max(self.resumed_after_s, self.t - self._stopped_at)
        self.playing = True
        self._tell("play", "playing")
        self.flush()

    def pause(self) -> None:
        if not self.playing:
            return
        self.playing = False
        self._stopped_at = self.t
        self._tell("pause")
        self.flush()

    def pause_for(self, seconds: float) -> Passage:
        self.pause()
        yield from self.idle(seconds)
        self.play()

    def stall(self, seconds: float) -> Passage:
        """The player waits for data."""
        self.stalled = True
        self._tell("waiting")
        yield from self.idle(seconds)
        self.resumed_after_s = max(self.resumed_after_s, seconds)
        self.stalled = False
        self._tell("playing")

    def until_online(self) -> Passage:
        """Wait for the network, and for what it answers to the queue."""
        while (up := self.network.up_at(self.t)) > self.t:
            yield from self.idle(up - self.t)
        self.flush()

    def sleep(self, seconds: float) -> Passage:
        """The machine sleeps: nothing runs and nothing is sent; the counter counts on."""
        yield self.t + seconds
        self.t += seconds
        self.resumed_after_s = max(self.resumed_after_s, seconds)
        self._next_beat = self.t + self.rng.uniform(0.0, 0.2)

    def seek(self, to: float, *, declared: bool = True, blocked: bool = False) -> None:
        if declared:
            fields: Record = {"from": self._reported(), "to": round(to, 3)}
            if blocked:
                fields["blocked"] = True
            self.emit("seek", **fields)
        if not blocked:
            self.position = to
            if declared and self.advancing:
                self._tell("waiting", "playing")
        if declared:
            self.flush()

    def set_speed(self, speed: float, shown: float | None = None) -> None:
        """Play `speed` content seconds a second; the page reports it, unless `shown` is given."""
        self.speed = speed
        if shown is None:
            self.shown_rate = speed
            self.emit("rate", rate=speed, position=self._reported())
            self.flush()
        else:
            self.shown_rate = shown

    def show(self, visible: bool) -> None:
        """The tab is brought to the front or sent behind another."""
        if self.focused is not visible:
            self.focused = visible
            self.emit("focus", focused=visible, **self._where())
        self.visible = visible
        self.emit("visibility", visible=visible, **self._where())
        self.flush()

    def focus(self, focused: bool) -> None:
        self.focused = focused
        self.emit("focus", focused=focused, **self._where())
        self.flush()

    def end(self) -> Passage:
        """The video has ended: say so and close the sitting when everything is delivered."""
        self.finish()
        yield from self.close("ended")

    def finish(self) -> None:
        """The video has ended, and the page stays."""
        self.playing = False
        self._stopped_at = self.t
        self._tell("pause")
        told = {"position": self._reported()} if self.habits.ended_tells_position else {}
        self.emit("ended", **told)
        self.flush()

    def close(self, reason: str = "closed") -> Passage:
        """Close in good order, once photos asked for are taken and the network carries."""
        ready = [
            due.not_before_s for due in self._demands.photos if due.learned_s <= self.learned_s
        ]
        yield from self.idle(max(ready, default=self.t) - self.t)
        self.beat()
        yield from self._deliver_all()
        self.service.close(self, reason)

    def reload(self) -> Passage:
        """Leave the page: the beacon on the way out delivers the queue, and nobody says goodbye."""
        self.beat()
        self.emit("visibility", visible=False, **self._where())
        yield from self._deliver_all()

    def load_again(self, after_s: float) -> Passage:
        """The page is there once more, in the same sitting, where it was; the film stands still."""
        yield self.t + after_s
        self.t += after_s
        self.clock.loaded_at_s = self.t - self.rng.uniform(0.1, 0.5)
        self.playing, self._popup_open = False, False
        self._demands = Demands()
        _, controls = self.service.open(self)
        self._take(controls)
        self.beat()
        self._next_beat = self.t + self._beat_gap()
        self.flush()

    def crash(self) -> None:
        """Everything not yet delivered is lost."""
        self._uplink.drop()

    def answer(self, popup: Popup, *, after_s: float, trusted: bool | None = True) -> None:
        """Send the answer to a pop-up shown `after_s` ago."""
        fields: Record = {"input": self.person.input, "latency_ms": round(after_s * 1000)}
        if trusted is not None:
            fields["trusted"] = trusted
        self.emit("popup_answered", challenge_id=popup.challenge_id, nonce=popup.nonce, **fields)
        self.answered_learned_s = self.learned_s
        self.flush()

    def wait_s(self) -> float:
        """How long after its display the person answers the pop-up that is met now."""
        if self.t < self._back_at:  # nobody is there
            return self._back_at - self.t + self.person.quickest_s
        return self.person.reaction_s(self.rng, self.popups_met)

    def away_for(self, seconds: float) -> None:
        """Nobody sits there for so long: what comes up meanwhile finds nobody."""
        self._back_at = max(self._back_at, self.t + seconds)

    def misread(self, shown: Callable[[float], float], seconds: float) -> Passage:
        """The player tells `shown(seconds since)` for its position, and the film stands still."""
        since = self.t
        self.stalled, self._misread = True, lambda t: shown(t - since)
        yield from self.idle(seconds)
        self.stalled, self._misread = False, None

    # -- what is sent -----------------------------------------------------------------------------

    @property
    def advancing(self) -> bool:
        return self.playing and not self.stalled and self.position < self.media_s

    @property
    def seen(self) -> list[tuple[float, float]]:
        """Stretches of content that played where it could be seen, in order of time."""
        return self._seen

    def _where(self) -> Record:
        return {"position": self._reported()} if self.habits.tells_state else {}

    def _tell(self, *kinds: str) -> None:
        """What the player did, where it is."""
        if self.habits.tells_state:
            for kind in kinds:
                self.emit(kind, position=self._reported())

    def emit(self, kind: str, **fields: Any) -> None:
        """Queue one event."""
        self._uplink.queue(
            {"seq": self._seq, "type": kind, "at_ms": self.clock.date_ms(self.t), **fields}
        )
        self._seq += 1

    def beat(self) -> None:
        """Queue one heartbeat."""
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
            }
        )
        self._seq += 1

    def flush(self) -> None:
        """Send the queue as one batch if the network carries, and take what the answer asks."""
        for controls in self._uplink.flush(self):
            self._take(controls)

    def _deliver_all(self) -> Passage:
        while self._uplink.waiting:
            up = self.network.up_at(self.t)
            yield up
            self.t = up
            for controls in self._uplink.finish(self):
                self._take(controls)

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
        if missing > _EPSILON_S:
            if not (self.advancing and self.visible):
                return NEVER
            return max(self.t + missing, not_before_s)
        return max(self.t, not_before_s)

    def _step(self, limit: float) -> Passage:
        """Go to `limit` or to the next thing that happens before it, and let it happen."""
        popup_at = self._popup_at()
        due, due_at = None, NEVER
        for candidate in self._demands.photos:
            when = self._when(candidate.learned_s, candidate.not_before_s)
            if when < due_at:
                due, due_at = candidate, when
        reconnect_at = self._uplink.reconnects_at(self.t)
        at = min(limit, self._next_beat, popup_at, due_at, reconnect_at)
        yield at
        self._move(at - self.t)
        if at == popup_at:
            yield from self._meet_popup()
        elif due is not None and at == due_at:
            self._demands.photos.remove(due)
            self._photograph(due)
            self.flush()
        elif at == self._next_beat:
            if not self.stopped:
                self.beat()
            self._next_beat = at + self._beat_gap()
            self.flush()
        elif at == reconnect_at:
            self.flush()

    def _move(self, seconds: float) -> None:
        advancing = self.advancing
        self.t += seconds
        if advancing:
            before = self.position
            self.position = min(self.media_s, self.position + seconds * self.speed)
            if self.visible:
                self.learned_s += seconds
                if self._seen and self._seen[-1][1] == before:
                    self._seen[-1] = (self._seen[-1][0], self.position)
                else:
                    self._seen.append((before, self.position))

    def _meet_popup(self) -> Passage:
        popup, self._demands.popup = self._demands.popup, None
        assert popup is not None
        self.popups_met += 1
        self._popup_open = True
        if self.habits.display_delay_s:
            yield from self.idle(self.habits.display_delay_s)
        yield from self.on_popup(self, popup)
        self._popup_open = False

    def _photograph(self, due: Due) -> None:
        self._shots += 1
        self.photos_asked.append(due.challenge_id)
        for frame in range(due.frames):
            photo = self.camera(self.rng, Shot(due.purpose, self._shots))
            if photo is None:
                continue
            snapshot = {
                "snapshot_id": f"{self.session_id}-{self._shots}-{frame}",
                "purpose": due.purpose,
                "challenge_id": due.challenge_id,
                "frame": frame,
                "taken_at_ms": self.clock.date_ms(self.t),
            }
            self._uplink.queue_photo(snapshot, photo)

    def _reported(self) -> float:
        position = self.position if self._misread is None else self._misread(self.t)
        return float(int(position)) if self.habits.whole_positions else round(position, 3)

    def _beat_gap(self) -> float:
        shortest, longest = self.habits.heartbeat_s
        return shortest + (longest - shortest) * self.rng.random()
