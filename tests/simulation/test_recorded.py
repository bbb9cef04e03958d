"""The simulated people behave as recorded sittings of the real SDK do (tests/recordings)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import median

import pytest

from app.simulation import service
from app.simulation.entities import SimulatedPerson
from app.simulation.environment import Setting, SimulatedEnvironment, simulated
from app.simulation.service import Controls
from app.simulation.sitting import Passage, SimulatedSitting
from tests.recordings import sittings as told
from tests.recordings.scenes import BRISK_WINDOW_S, FILM_S
from tests.recordings.sittings import Told

Twin = Callable[[SimulatedSitting], Passage]


def watch(sitting: SimulatedSitting) -> Passage:
    yield from sitting.watch()
    yield from sitting.end()


def never_back(sitting: SimulatedSitting) -> Passage:
    for at in sitting.watch():
        if at > 120:
            return
        yield at


def outage(sitting: SimulatedSitting, seconds: float = 15.0) -> Passage:
    yield from sitting.watch_for(8)
    sitting.network.outages.append((sitting.t, sitting.t + seconds))
    yield from watch(sitting)


def long_outage(sitting: SimulatedSitting) -> Passage:
    yield from outage(sitting, 45.0)


def hidden(sitting: SimulatedSitting) -> Passage:
    yield from sitting.watch_for(7)
    sitting.show(False)
    sitting.pause()
    yield from sitting.idle(12)
    sitting.show(True)
    sitting.play()
    yield from watch(sitting)


def reload(sitting: SimulatedSitting) -> Passage:
    yield from sitting.watch_for(13.5)
    yield from sitting.reload()
    yield from sitting.load_again(0.2)
    yield from watch(sitting)


def paused(sitting: SimulatedSitting) -> Passage:
    yield from sitting.watch_for(7)
    yield from sitting.pause_for(25)
    yield from watch(sitting)


def rewound(sitting: SimulatedSitting) -> Passage:
    yield from sitting.watch_for(14)
    sitting.seek(sitting.position - 8)
    yield from sitting.watch_for(2)
    sitting.seek(sitting.position + 4)
    yield from watch(sitting)


def fast(sitting: SimulatedSitting) -> Passage:
    sitting.set_speed(2.0)
    yield from watch(sitting)


QUICK = SimulatedPerson(quickest_s=0.9, slowest_s=4.0)
TWINS: dict[str, tuple[Twin, dict[int, float]]] = {
    "brisk-present": (watch, {}),
    "brisk-muted": (watch, {}),
    "brisk-slow_machine": (watch, {}),
    "brisk-absent": (watch, {1: 36.0}),
    "brisk-slow_answer": (watch, {1: 10.0}),
    "brisk-never_back": (never_back, {1: 1e6}),
    "brisk-outage": (outage, {}),
    "brisk-long_outage": (long_outage, {}),
    "brisk-hidden": (hidden, {}),
    "brisk-reload": (reload, {}),
    "brisk-paused": (paused, {}),
    "brisk-rewound": (rewound, {}),
    "brisk-fast": (fast, {}),
    "real-present": (watch, {}),
    "real-absent": (watch, {1: 201.0}),
    "real-slow_answer": (watch, {1: 76.0}),
}


def twin(name: str) -> list[Told]:
    """The simulated sittings of the same scene, in the same terms."""
    script, absences = TWINS[name]
    setting = Setting(media_s=float(FILM_S[name.partition("-")[0]]))
    rng = Random(name)
    env = SimulatedEnvironment(
        name, setting, 0, simulated(setting, rng, Controls(True, 0, False)), rng
    )
    person = SimulatedPerson(quickest_s=0.9, slowest_s=4.0, absences=absences)
    sitting = env.sitting(person=person, clock=env.clock())

    def scene() -> Passage:
        yield from sitting.open()
        yield from script(sitting)

    env.alongside(scene())
    env.perform()
    return told.simulated(env.service.records(), setting.start_ms)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def terms(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated service in the terms of the recording."""
    if request.node.callspec.params["name"].startswith("brisk"):
        monkeypatch.setattr(service, "POPUP_EVERY_S", (18.0, 24.0))
        monkeypatch.setattr(service, "ANSWER_WINDOW_S", BRISK_WINDOW_S)


def slack(name: str) -> float:
    """Seconds that a browser takes for something to be done and told."""
    return 2.0 if name == "brisk-slow_machine" else 0.35


SAID = {it.__name__: it for it in (told.openings, told.endings, told.popups, told.hidings)}
each = pytest.mark.parametrize("name", TWINS)


def said(of: list[Told], what: Callable[[Told], set[tuple[str, ...]]]) -> set[tuple[str, ...]]:
    return set().union(*(what(one) for one in of))


@each
@pytest.mark.parametrize("what", SAID)
def test_the_same_things_are_said_in_the_same_order(name: str, what: str) -> None:
    assert said(twin(name), SAID[what]) == said(told.recorded(name), SAID[what])


@each
def test_as_many_sittings_are_needed(name: str) -> None:
    assert len(twin(name)) == len(told.recorded(name))


@each
def test_numbers_are_used_in_order_and_once(name: str) -> None:
    for one in (*twin(name), *told.recorded(name)):
        assert [event["seq"] for event in one.events] == list(range(len(one.events)))
        assert one.conflicts == 0


@each
def test_hearts_beat_alike(name: str) -> None:
    real, made = _all(told.recorded(name), told.beat_gaps), _all(twin(name), told.beat_gaps)
    assert median(made) == pytest.approx(median(real), abs=slack(name) / 7)
    assert min(real) - 0.1 <= min(made) and max(made) <= max(real) + 0.1


@each
def test_the_film_stops_when_a_popup_is_shown(name: str) -> None:
    for of in (told.recorded(name), twin(name)):
        for until_s, content_s in _all(of, told.stops):
            assert 0 <= until_s < slack(name) and 0 <= content_s < slack(name)


@each
def test_positions_and_latencies_are_told_alike(name: str) -> None:
    for of in (told.recorded(name), twin(name)):
        assert max(told.digits(one) for one in of) == 3
        assert all(abs(error) < slack(name) for error in _all(of, told.latency_errors))
    real, made = _all(told.recorded(name), told.pace), _all(twin(name), told.pace)
    if real and made:
        assert median(made) == pytest.approx(median(real), rel=0.01)


@each
def test_news_are_as_old_as_the_network_makes_them(name: str) -> None:
    real, made = _all(told.recorded(name), told.lags), _all(twin(name), told.lags)
    assert min(made) >= 0 and median(made) < 0.3 and median(real) < 0.3
    if "outage" in name:
        assert max(made) == pytest.approx(max(real), abs=11)  # where in its beat it began


@pytest.mark.parametrize("name", ["brisk-reload"])
def test_a_page_that_is_loaded_again_goes_on_in_its_sitting(name: str) -> None:
    (real,), (made,) = told.recorded(name), twin(name)
    assert told.leavings(real) == {("progress", "visibility-", "progress", "play", "playing")}
    made.opened = [next(e["seq"] for e in made.events if word_is(e, "visibility-")) + 1]
    assert told.leavings(made) == told.leavings(real)


def word_is(event: dict[str, object], word: str) -> bool:
    return told.word(event) == word


def _all(of: list[Told], numbers: Callable[[Told], list]) -> list:
    return [number for one in of for number in numbers(one)]
