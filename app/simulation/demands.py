"""What the service has asked of a client and is not done yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.simulation.entities import Popup

FACE_FRAMES = 3  # a face check is decided on a burst


@dataclass(frozen=True, slots=True)
class Due:
    """A photo to take as soon as the learning clock and true time have both come."""

    challenge_id: str
    purpose: str
    frames: int
    learned_s: float
    not_before_s: float


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
            self.photos.append(Due(check["challenge_id"], face_purpose, frames, 0.0, face_ready_s))

    def _new(self, control: dict[str, Any] | None) -> dict[str, Any] | None:
        if control is None or control["challenge_id"] in self._known:
            return None
        self._known.add(control["challenge_id"])
        return control
