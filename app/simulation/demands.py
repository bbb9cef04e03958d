"""What the service has asked of a client and is not done yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

from app.simulation.entities import ACTIONS, Action, Popup

FACE_FRAMES = 3  # of a check that asks for no head turns
# As the SDK asks: two frames of a face at rest, then every action for as long as it takes.
FRONT_FRAMES, FRONT_S = 2, 0.7
ACTION_S = 2.8


@dataclass(frozen=True, slots=True)
class Due:
    """A photo to take as soon as the learning clock and true time have both come.

    With `actions` it is frame `frame` of a burst that began at `begins_s`, the first at its start.
    """

    challenge_id: str
    purpose: str
    frames: int
    learned_s: float
    not_before_s: float
    actions: tuple[Action, ...] = ()
    frame: int = 0
    begins_s: float = 0.0
    shot: int = 0

    @property
    def ends_s(self) -> float:
        """When the last frame is taken, as far as can be told."""
        if not self.actions:
            return self.not_before_s
        return self.not_before_s + self._taken_at(self.frames - 1) - self._taken_at(self.frame)

    def following(self, t: float) -> Due | None:
        """The burst's next frame, this one being taken at `t`; None after the last."""
        if not self.actions or self.frame + 1 >= self.frames:
            return None
        begins_s = self.begins_s if self.frame else t
        at = max(t, begins_s + self._taken_at(self.frame + 1))
        return replace(self, frame=self.frame + 1, not_before_s=at, begins_s=begins_s)

    def prompt(self) -> tuple[int, float] | None:
        """Place of the action that is asked for at this frame, and the share of its time that is
        over."""
        if not self.actions or self.frame < FRONT_FRAMES:
            return None
        place, n = divmod(self.frame - FRONT_FRAMES, self._each)
        return min(place, len(self.actions) - 1), n / self._each

    @property
    def _each(self) -> int:
        return max(1, -(-(self.frames - FRONT_FRAMES) // len(self.actions)))

    def _taken_at(self, frame: int) -> float:
        """Seconds from the first frame."""
        if frame < FRONT_FRAMES:
            return FRONT_S * frame / FRONT_FRAMES
        return FRONT_S + ACTION_S * (frame - FRONT_FRAMES) / self._each


@dataclass(slots=True)
class OpenControls:
    """Open controls of one session, and why the service stopped it, if it did."""

    popup: Popup | None = None
    photos: list[Due] = field(default_factory=list)
    stop: str | None = None
    _known: set[str] = field(default_factory=set)

    def take(
        self,
        controls: dict[str, Any],
        learned_s: float,
        arrives_s: float,
        face_purpose: str,
        face_ready_s: float,
    ) -> None:
        """Add the `controls` of an answer; one that is already known changes nothing.

        The answer arrives at true time `arrives_s`, when the learning clock says `learned_s`. A
        face check will be met at `face_ready_s` and its photos sent as `face_purpose`.
        """
        if "stop" in controls:
            self.stop = controls["stop"]["code"]
        if popup := self._new(controls.get("popup")):
            self.popup = Popup(
                challenge_id=popup["challenge_id"],
                nonce=popup["nonce"],
                due_learned_s=learned_s + popup["due_in_s"],
                not_before_s=arrives_s,
                window_s=popup["answer_window_s"],
            )
        if snapshot := self._new(controls.get("snapshot")):
            due = learned_s + snapshot["due_in_s"]
            frames = snapshot.get("frames", 1)
            self.photos.append(Due(snapshot["challenge_id"], "random", frames, due, arrives_s))
        if check := self._new(controls.get("face_check")):
            frames = check.get("frames", FACE_FRAMES)
            actions = tuple(cast("Action", it) for it in check["actions"] if it in ACTIONS)
            challenge = check["challenge_id"]
            self.photos.append(Due(challenge, face_purpose, frames, 0.0, face_ready_s, actions))

    def _new(self, control: dict[str, Any] | None) -> dict[str, Any] | None:
        if control is None or control["challenge_id"] in self._known:
            return None
        self._known.add(control["challenge_id"])
        return control
