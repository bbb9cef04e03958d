"""One sitting: a player, an SDK and a tab, moving through true time.

A sitting is driven by generators. Whatever takes time yields the true time (seconds since the
scene's start) at which it wants to act next and acts once resumed, so that a driver can interleave
many sittings, or wait for a real clock in between. Media positions are seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from app.simulation.demands import OpenControls
from app.simulation.entities import Device, Popup, Record
from app.simulation.page import EPSILON_S, Habits, LessonPage, OnPopup, Passage
from app.simulation.service import Refused
from app.simulation.uplink import NEVER

_RETRY_S = 5.0


class SimulatedSitting(LessonPage):
    """Somebody with a lesson open. `t` is true time; it starts at `at_s`."""

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
        wait = max((due.ends_s - self.t for due in self._demands.photos), default=0.0)
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
        self._demands, self._seq = OpenControls(), 0
        self.playing = False
        yield from self.open()

    def watch(self, to: float | None = None) -> Passage:
        """Play until the position `to` (default: the end), answering what comes up."""
        goal = self.media_s if to is None else min(to, self.media_s)
        while self.position < goal - EPSILON_S:
            if self.t < self._back_at:
                yield from self._step(self._back_at)  # nobody is there
                continue
            if self.stopped:
                yield from self.reenter()
                continue  # where the service says: it may lie beyond the goal
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
        while self.t < end - EPSILON_S:
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
        ready = [due.ends_s for due in self._demands.photos if due.learned_s <= self.learned_s]
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
        self._demands = OpenControls()
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
        ends = since + seconds  # whatever else holds the learner up meanwhile

        def told(t: float) -> float:
            return shown(t - since) if t < ends else self.position

        self.stalled, self._misread = True, told
        yield from self.idle(seconds)
        self.stalled, self._misread = False, None

    # -- how time passes --------------------------------------------------------------------------

    def _deliver_all(self) -> Passage:
        while self._uplink.waiting:
            up = self.network.up_at(self.t)
            yield up
            self.t = up
            for controls in self._uplink.finish(self):
                self._take(controls)

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

    def _meet_popup(self) -> Passage:
        popup, self._demands.popup = self._demands.popup, None
        assert popup is not None
        self.popups_met += 1
        self._popup_open = True
        if self.habits.display_delay_s:
            yield from self.idle(self.habits.display_delay_s)
        yield from self.on_popup(self, popup)
        self._popup_open = False


__all__ = ["Device", "Habits", "OnPopup", "Passage", "SimulatedSitting"]
