"""Ways to meet a pop-up and ways to meet the camera, from honest to forged.

A pop-up strategy is a passage (see `sitting`): it may let time pass and decides what is sent. A
camera returns what the photo shows, or None when no photo can be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from app.simulation.entities import Action, Camera, Condition, Photo, Popup, Shot, SimulatedLearner
from app.simulation.sitting import Passage, SimulatedSitting

VARIATIONS = 1 << 31
TICK_S = 0.25  # how often the SDK looks at its pop-up


# -- pop-ups --------------------------------------------------------------------------------------


def answer_as_asked(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """What the SDK and an honest person do: play stops, the pop-up waits, the person answers.

    After its window the SDK takes the pop-up away and the film stays stopped; the service issues it
    once more, and whoever is back answers that one. Software of another kind leaves the pop-up
    open, and its late answer is refused; or lets the film run until the window is over.
    """
    was_playing, window_s = sitting.playing, popup.window_s
    sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.flush()
    if sitting.habits.stops_film:
        sitting.pause()
    wait = sitting.wait_s()
    if wait <= window_s:
        yield from sitting.idle(wait)
        sitting.answer(popup, after_s=wait)
        if was_playing:
            sitting.play()
        return
    sitting.away_for(wait)
    if sitting.person.late_answers:
        yield from sitting.idle(window_s)
        sitting.pause()
        yield from sitting.idle(wait - window_s)
        if not sitting.stopped:
            sitting.answer(popup, after_s=wait)
        return
    yield from sitting.idle(window_s + sitting.rng.uniform(0.0, TICK_S))
    sitting.emit("popup_expired", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.flush()
    sitting.pause()


def strip(sitting: SimulatedSitting, _popup: Popup) -> Passage:
    """An extension removes the pop-up from the answer: nothing is shown, play goes on."""
    yield sitting.t


def ignore_while_playing(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """The pop-up is shown, but the player has been kept from stopping and nobody answers."""
    sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.flush()
    yield sitting.t


def click_before_shown(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """A script answers what it read from the service's reply, before the page has drawn it."""
    sitting.answer(popup, after_s=0.0, trusted=False)
    yield from sitting.idle(0.02)
    sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.flush()


def click_at_once(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """A script calls `el.click()` on the dialog 1-5 ms after it appears."""
    sitting.pause()
    sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
    latency = sitting.rng.uniform(0.001, 0.005)
    yield from sitting.idle(latency)
    sitting.answer(popup, after_s=latency, trusted=False)
    sitting.play()


def answer_with_foreign_nonce(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """The answer of another session is posted for this challenge."""
    sitting.emit("popup_shown", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.flush()
    yield from sitting.idle(sitting.rng.uniform(2.0, 6.0))
    foreign = f"{sitting.rng.getrandbits(128):032x}"
    sitting.emit(
        "popup_answered",
        challenge_id=popup.challenge_id,
        nonce=foreign,
        input="pointer",
        trusted=True,
        latency_ms=round(sitting.rng.uniform(2000, 6000)),
    )
    sitting.flush()


def answer_unseen(sitting: SimulatedSitting, popup: Popup) -> Passage:
    """A bare HTTP client: it posts an answer and never learned that a page shows things first."""
    yield from sitting.idle(sitting.rng.uniform(1.0, 8.0))
    sitting.emit("popup_answered", challenge_id=popup.challenge_id, nonce=popup.nonce)
    sitting.answered_learned_s = sitting.learned_s
    sitting.flush()


# -- photos ---------------------------------------------------------------------------------------


def facing(learner: SimulatedLearner, condition: Condition = "good") -> Camera:
    """The learner looks into the camera, a little different every time."""
    return showing(learner.identity, condition)


def showing(identity: int, condition: Condition = "good") -> Camera:
    """Somebody who does as asked; what a screen shows does not."""

    def camera(rng: Random, shot: Shot) -> Photo | None:
        does = None if condition in ("replayed", "empty") else shot.does
        return Photo(identity, rng.randrange(VARIATIONS), condition, does=does)

    return camera


def fixed(photo: Photo) -> Camera:
    """The same bytes every time: a file instead of a camera."""
    return lambda rng, shot: photo


def unmoved(learner: SimulatedLearner) -> Camera:
    """The learner, who does nothing of what is asked."""
    me = facing(learner)
    return lambda rng, shot: me(rng, replace(shot, does=None))


def film_of(identity: int, actions: Sequence[Action]) -> Camera:
    """A film of another face check, in which the head did `actions`: it shows them when the prompts
    ask for its own first, second and third, whatever these are."""

    def camera(rng: Random, shot: Shot) -> Photo | None:
        asked = shot.prompt
        does = None if shot.does is None or asked is None else actions[asked % len(actions)]
        return Photo(identity, rng.randrange(VARIATIONS), does=does)

    return camera


def first_frames(camera: Camera, count: int) -> Camera:
    """The camera breaks off after so many frames of a burst."""
    return lambda rng, shot: camera(rng, shot) if shot.frame < count else None


def absent(_rng: Random, _shot: Shot) -> Photo | None:
    """There is no camera."""
    return None


def at_first(failure: Camera, shots: int, then: Camera) -> Camera:
    """`failure` for the first `shots` photos of the sitting, `then` afterwards."""
    return lambda rng, shot: (failure if shot.number <= shots else then)(rng, shot)


def at_face_checks(asked: Camera, otherwise: Camera) -> Camera:
    """`asked` for the photos of every face check, `otherwise` for those at random times."""
    return lambda rng, shot: (otherwise if shot.purpose == "random" else asked)(rng, shot)


def once_at_random(that: Camera, otherwise: Camera) -> Camera:
    """`that` for the first random photo, `otherwise` for all others."""
    taken: set[int] = set()

    def camera(rng: Random, shot: Shot) -> Photo | None:
        if shot.purpose == "random" and not taken:
            taken.add(shot.number)
        return (that if shot.number in taken else otherwise)(rng, shot)

    return camera


def at_start(start: Camera, later: Camera) -> Camera:
    """`start` for the photo at the beginning, `later` for those at other times."""
    return lambda rng, shot: (start if shot.purpose == "start" else later)(rng, shot)
