"""The things a sitting happens among: people, photos, clocks and networks.

True time is a float of seconds since the scene's start, by the server's clock. A device's own
clock and its performance counter are derived from it and may be wrong; true time never is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, NamedTuple, get_args

Record = dict[str, Any]

Input = Literal["pointer", "keyboard", "touch"]
Condition = Literal["good", "dark", "glasses", "noised", "empty", "replayed"]
Action = Literal["turn_left", "turn_right", "nearer", "farther"]
ACTIONS = frozenset(get_args(Action))


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass(frozen=True, slots=True)
class Device:
    device_id: str
    user_agent: str = FIREFOX
    sdk_version: str | None = "1.0.0"


@dataclass(frozen=True, slots=True)
class Photo:
    """What a photo shows: equal photos have identical bytes.

    `identity` is the seed of the face, `variation` of pose, light and sensor noise. `condition`
    says what happened to the picture: `noised` is a former picture saved again with added noise
    (for the `resaved`-th time), `replayed` a picture of a screen, `empty` a room with nobody in it.
    `does` is what the head does at this moment; None: it faces the camera.
    """

    identity: int
    variation: int
    condition: Condition = "good"
    resaved: int = 0
    does: Action | None = None


@dataclass(frozen=True, slots=True)
class SimulatedLearner:
    """One account on a platform. Two accounts with one `id_number` are one natural person, and
    stand in different classes: `class_id` names another one than the scene's."""

    learner_id: str
    name: str
    id_number: str
    identity: int
    employer: str = "示例制衣厂"
    category: str = "企业职工"
    face_consent: bool = True
    class_id: str | None = None


_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def invented_id_number(n: int) -> str:
    """An 18-character ID number with a right check digit that nobody can hold.

    Region 000000 was never given out; the rest follows GB 11643-1999. None ends in 000, as what a
    spreadsheet cut off does.

    >>> invented_id_number(1)
    '000000198002020010'
    """
    born = f"000000{1970 + n * 10 % 33:04}{1 + n % 12:02}{1 + n % 28:02}"
    number = _with_check_digit(f"{born}{n % 1000:03}")
    return _with_check_digit(f"{born}{n % 1000 + 1:03}") if number.endswith("000") else number


def _with_check_digit(body: str) -> str:
    remainder = sum(int(digit) * weight for digit, weight in zip(body, _CHECK_WEIGHTS, strict=True))
    return body + "10X98765432"[remainder % 11]


@dataclass(slots=True)
class DeviceClock:
    """A device's wall clock: `offset_s` wrong, gaining `drift` seconds a second, stepped by NTP.

    `warp` multiplies the time that passes after `warped_from_s`, as time-warping extensions do;
    they leave the performance counter alone.
    """

    start_ms: int
    offset_s: float = 0.0
    drift: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()
    warp: float = 1.0
    warped_from_s: float = 0.0
    loaded_at_s: float = -3.0
    counter_s: float = 0.0  # what a performance counter that does not begin at zero is off by

    def date_ms(self, t: float) -> int:
        """What `Date.now()` says at true time `t`."""
        seconds = t + self.offset_s + self.drift * t
        for at, step in self.steps:
            if t >= at:
                seconds += step
        if self.warp != 1.0 and t > self.warped_from_s:
            seconds += (self.warp - 1.0) * (t - self.warped_from_s)
        return self.start_ms + round(seconds * 1000)

    def monotonic_ms(self, t: float) -> int:
        """What `performance.now()` says at true time `t`, rounded: milliseconds since page load."""
        return round((t - self.loaded_at_s + self.counter_s) * 1000)


@dataclass(slots=True)
class Network:
    """The way from the device to the service. `outages` are [from, to) in true time, and so is
    `deaf`: requests arrive, and no answer does.

    The other numbers are shares of batches: `lost` ones are sent again after a while with what came
    since, `unheard` ones as well though they had arrived, `duplicated` ones arrive twice,
    `overtaken` ones after the batch that follows them. Where `piece` is not 0, no request carries
    more events, and what is left waits `piece_every_s` for the next one.
    """

    latency_s: tuple[float, float] = (0.03, 0.12)
    outages: list[tuple[float, float]] = field(default_factory=list)
    deaf: list[tuple[float, float]] = field(default_factory=list)
    duplicated: float = 0.0
    overtaken: float = 0.0
    lost: float = 0.0
    unheard: float = 0.0
    every_batch_twice: bool = False
    piece: int = 0
    piece_every_s: float = 0.0
    address: str = "192.0.2.10"

    def roughen(self) -> None:
        """Delays of up to 8 s, and batches that are lost, doubled, late and out of order."""
        shortest, longest = self.latency_s
        self.latency_s = shortest, max(longest, 8.0)
        self.lost, self.unheard = max(self.lost, 0.1), max(self.unheard, 0.05)
        self.duplicated = max(self.duplicated, 0.1)
        self.overtaken = max(self.overtaken, 0.1)

    def deaf_at(self, t: float) -> bool:
        """Whether answers are lost on their way at `t`."""
        return any(start <= t < end for start, end in self.deaf)

    def up_at(self, t: float) -> float:
        """The first instant from `t` on at which the network carries data."""
        for start, end in self.outages:
            if start <= t < end:
                return end
        return t


@dataclass(frozen=True, slots=True)
class Popup:
    """A pop-up as the client knows it; `due_learned_s` is read on the client's learning clock."""

    challenge_id: str
    nonce: str
    due_learned_s: float
    not_before_s: float
    window_s: float


@dataclass(frozen=True, slots=True)
class Shot:
    """A request to the camera: the n-th (from 1) of this sitting, and its purpose. Of a burst, that
    is one request, `frame` counts from 0, `prompt` is the place of the action that is asked for
    now, and `does` what a head that follows does."""

    purpose: str
    number: int
    frame: int = 0
    prompt: int | None = None
    does: Action | None = None


@dataclass(frozen=True, slots=True)
class HeadTurns:
    """What a face check asks of a living head: these actions in this order, in so many frames."""

    actions: tuple[Action, ...]
    frames: int
    issued_ms: int
    window_ms: int


class SentFrame(NamedTuple):
    """A photo of a burst as the service has it."""

    received_ms: int
    taken_ms: int  # by the device's clock
    photo: Photo


JudgeBurst = Callable[[HeadTurns, Sequence[SentFrame], int], bool]
"""(what was asked, frames in the order taken, the enrolled identity) → whether it shows that person
alive."""


Camera = Callable[[Random, Shot], Photo | None]


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """How somebody answers pop-ups.

    Usually after `quickest_s` to `slowest_s` seconds; `absences` gives the seconds after which
    the n-th pop-up (from 1) is noticed instead. `late_answers` tells whether an answer after the
    window is still sent, or the SDK has closed the pop-up by then.
    """

    input: Input = "pointer"
    quickest_s: float = 1.2
    slowest_s: float = 9.0
    absences: dict[int, float] = field(default_factory=dict)
    late_answers: bool = False

    def reaction_s(self, rng: Random, popup: int) -> float:
        if popup in self.absences:
            return self.absences[popup]
        # People are mostly quick: the square leans towards the short end.
        return self.quickest_s + (self.slowest_s - self.quickest_s) * rng.random() ** 2
