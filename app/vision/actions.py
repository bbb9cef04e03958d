"""Were the actions of a challenge done, one after the other?

The head turns to a side and back; the face comes nearer or goes farther away, and returns. A turn
is seen in the jaw ratio against the person's own, a move in the distance between the eyes while
the face looks at the camera. Whether what turned is a head, `turn_depth` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The person's own left lies to the right in an unmirrored picture, where the jaw ratio grows.
_SIDE = {"turn_left": 1.0, "turn_right": -1.0}
_TOWARDS = {"nearer": 1.0, "farther": -1.0}
_TURNS_FOR_LIVE = 2

Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pose:
    """A face in one frame. size: pixels between the eyes; depth: as of `turn_depth`; None where
    not measured."""

    at_ms: int
    jaw_ratio: float
    size: float | None
    depth: float | None


@dataclass(frozen=True, slots=True)
class ActionLimits:
    """Product defaults; sources in docs/model-cards/liveness.md."""

    min_turn: float = 0.6  # change of the jaw ratio against the personal baseline
    min_turn_frames: int = 1  # a fast head is seen aside once, and may be lost beyond
    wrong_turn_frames: int = 2  # landmarks of a head far aside flip now and then
    back: float = 0.35  # nearer than this to the baseline the head faces the camera again
    nearer: float = 0.15  # change of ln(size): about a seventh of the distance
    farther: float = 0.11
    move_frames: int = 2
    returned: float = 0.5  # of the way at most is left when the face is back
    step_ms: int = 4_000
    first_ms: int = 700  # nobody reads a prompt and has moved sooner


ACTION_LIMITS = ActionLimits()


@dataclass(frozen=True, slots=True)
class Followed:
    """How the asked actions went. depth: of the flattest turn; None unmeasured."""

    largest_turn: float
    reason: str
    depth: float | None = None

    @property
    def yes(self) -> bool:
        return self.reason == "turns_followed"


def follow(
    poses: Sequence[Pose], actions: Sequence[str], issued_at_ms: int, limits: ActionLimits
) -> Followed:
    """Walk the burst once: each asked action must be reached and undone, in order."""
    burst = _Burst(poses, limits)
    asked = [action for action in actions if action in _SIDE or action in _TOWARDS]
    if sum(action in _SIDE for action in asked) < _TURNS_FOR_LIVE:
        return Followed(burst.largest_turn, "too_few_turns_asked")
    position, depths = 0, []
    for action in asked:
        done = burst.turn(action, position) if action in _SIDE else burst.move(action, position)
        if isinstance(done, str):
            return Followed(burst.largest_turn, done)
        reached, back = done
        if poses[reached].at_ms - issued_at_ms < limits.first_ms:
            return Followed(burst.largest_turn, "turn_too_early")
        if poses[back].at_ms - poses[position].at_ms > limits.step_ms:
            return Followed(burst.largest_turn, "turn_too_slow")
        if action in _SIDE:
            depths += burst.depth(action, position, back)
        position = back
    return Followed(burst.largest_turn, "turns_followed", min(depths, default=None))


class _Burst:
    def __init__(self, poses: Sequence[Pose], limits: ActionLimits) -> None:
        self.poses, self.limits = poses, limits
        ratio = np.array([pose.jaw_ratio for pose in poses])
        frontal = ratio[np.abs(ratio) < limits.back]
        self.change = ratio - (float(np.median(frontal)) if len(frontal) else 0.0)
        self.largest_turn = float(np.abs(self.change).max())
        sizes = np.array([np.nan if pose.size is None else pose.size for pose in poses])
        self.log_size = np.where(np.abs(self.change) < limits.back, np.log(sizes), np.nan)

    def turn(self, action: str, start: int) -> tuple[int, int] | str:
        """Frames at which the turn was reached and undone, or why it was not."""
        limits, change = self.limits, self.change * _SIDE[action]
        reached = _run(change >= limits.min_turn, start, limits.min_turn_frames)
        wrong = _run(change <= -limits.min_turn, start, limits.wrong_turn_frames)
        if wrong is not None and (reached is None or wrong < reached):
            return "turned_the_other_way"
        back = None if reached is None else _run(np.abs(change) < limits.back, reached, 1)
        return "turn_not_seen" if reached is None or back is None else (reached, back)

    def move(self, action: str, start: int) -> tuple[int, int] | str:
        """As `turn`, against the size of the face before. A turn meanwhile is another action."""
        limits = self.limits
        known = np.flatnonzero(~np.isnan(self.log_size))
        before = [int(it) for it in known if it <= start][-2:] or [int(it) for it in known[:2]]
        if not before:
            return "move_not_seen"
        least = limits.nearer if action == "nearer" else limits.farther
        moved = (self.log_size - float(np.mean(self.log_size[before]))) * _TOWARDS[action]
        reached = _run(moved >= least, start, limits.move_frames)
        turned = _run(np.abs(self.change) >= limits.min_turn, start, limits.wrong_turn_frames)
        if reached is None or (turned is not None and turned < reached):
            return "move_not_seen"
        farthest = np.fmax.accumulate(np.where(np.arange(len(moved)) < reached, np.nan, moved))
        back = _run(moved <= farthest * limits.returned, reached, 1)
        return "move_not_seen" if back is None else (reached, back)

    def depth(self, action: str, start: int, back: int) -> list[float]:
        """Mean of the frames aside, empty where none was measured."""
        aside = self.change[start:back] * _SIDE[action] >= self.limits.min_turn
        found = [
            pose.depth
            for pose, there in zip(self.poses[start:back], aside, strict=True)
            if there and pose.depth is not None
        ]
        return [float(np.mean(found))] if found else []


def _run(holds: Marks, start: int, length: int) -> int | None:
    """Index of the end of the first ``length`` frames in a row, from ``start``, that hold."""
    run = 0
    for index in range(start, len(holds)):
        run = run + 1 if holds[index] else 0
        if run == length:
            return index
    return None
