"""What players and pages really do: elements replaced, routes changed, two players in a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk.conftest import Learner
from tests.sdk.test_playing import NEAR_S, credited_s
from tests.thorough import later
from tests.waiting import eventually

pytestmark = pytest.mark.browser

REPLACED = """async ([late, moved]) => {
  const old = document.getElementById("video"), at = old.currentTime, on = !old.paused;
  const fresh = document.createElement("video");
  Object.assign(fresh, {id: "video", src: old.src, preload: "auto", muted: true, width: 320});
  old.remove();
  const ready = new Promise(ready => fresh.addEventListener("loadeddata", ready, {once: true}));
  await new Promise(over => setTimeout(over, late));
  document.querySelector("h1").after(fresh);
  await ready;
  if (moved) fresh.currentTime = at;
  if (on) await fresh.play();
}"""
SOURCE = """async playingFirst => {
  const at = video.currentTime;
  video.src = "/film.webm?quality=low";
  await new Promise(ready => video.addEventListener("loadeddata", ready, {once: true}));
  if (playingFirst) await video.play();
  video.currentTime = at;
  await video.play();
}"""
IN_PLACE = """async ([times, apart]) => {
  for (let n = 0; n < times; n += 1) {
    await new Promise(over => setTimeout(over, apart + 13 * n));
    const landed = new Promise(over => video.addEventListener("seeked", over, {once: true}));
    video.currentTime = video.currentTime;
    await landed;
  }
}"""
ROUTE = """lesson => {
  document.getElementById("video")?.remove();
  const fresh = document.createElement("video");
  Object.assign(fresh, {id: "video", src: "/film.webm", preload: "auto", muted: true});
  document.querySelector("h1").after(fresh);
  window.earlier = window.sitting;
  window.sitting = begin({lesson});
}"""
SECOND = """() => {
  const fresh = document.createElement("video");
  Object.assign(fresh, {id: "other", src: "/film.webm", preload: "auto", muted: true});
  document.body.append(fresh);
  window.second = begin({lesson: "l2", video: "#other"});
}"""


def found(sitting: dict[str, Any]) -> set[tuple[str, str]]:
    """Rules that found something, with what; consent to photos aside, which nobody here gave."""
    findings = sitting["verdict"]["findings"]
    return {(it["rule"], it["outcome"]) for it in findings} - {("face_liveness", "not_proven")}


@pytest.mark.parametrize("late_ms", [0, *later(1_500)])
def test_a_player_that_replaces_its_element_is_followed_to_the_next(
    study: Callable[..., Learner], late_ms: int
) -> None:
    """As for another quality: DPlayer, Aliplayer and others make a new element for it."""
    lin = study().enters().watches(2)
    lin.page.evaluate("void video.play()")
    lin.page.evaluate(REPLACED, [late_ms, True])
    lin.watches(2).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()


@pytest.mark.parametrize("playing_first", [False, *later(True)])
def test_another_source_in_the_same_element_goes_on_where_the_last_one_was(
    study: Callable[..., Learner], playing_first: bool
) -> None:
    """As for another quality: video.js, xgplayer, Artplayer and shaka set the element's source."""
    lin = study().enters().watches(3)
    lin.page.evaluate("void video.play()")
    lin.page.evaluate(SOURCE, playing_first)
    lin.watches(2).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=2 * NEAR_S)
    assert found(sitting) == set()


@pytest.mark.parametrize("barred", [True, *later(False)])
def test_a_player_that_seeks_to_where_it_is_has_not_jumped(
    study: Callable[..., Learner], barred: bool
) -> None:
    """As shaka and hls.js do: to empty their buffer for another quality, or to get going again."""
    lin = study(blockAhead=barred).enters().watches(1)
    lin.page.evaluate("void video.play()")
    lin.page.evaluate(IN_PLACE, [15, 150])
    lin.watches(0.5).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert "seek" not in [kind for _, kind in lin.school.events(sitting["session_id"])]
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()


@pytest.mark.thorough
def test_a_film_that_is_taken_out_before_the_next_lesson_begins_keeps_its_last_seconds(
    study: Callable[..., Learner],
) -> None:
    """The page sets the next film and only then begins the next lesson, in one breath."""
    lin = study().enters().watches(3)
    first, seen_s = lin.session(), lin.at()
    lin.page.evaluate("video.src = '/film.webm?next'; window.sitting = begin({lesson: 'l2'}); null")
    lin.enters()
    assert lin.session() != first
    assert credited_s(lin.school.judged(first)) == pytest.approx(seen_s, abs=NEAR_S)


@pytest.mark.thorough
def test_an_element_that_begins_again_is_a_jump_back_that_is_told(
    study: Callable[..., Learner],
) -> None:
    lin = study().enters().watches(3)
    lin.page.evaluate("void video.play()")
    lin.page.evaluate(REPLACED, [0, False])
    lin.watches(1).pauses()
    sitting = lin.leaves()
    assert "seek" in [kind for _, kind in lin.school.events(sitting["session_id"])]
    assert credited_s(sitting) == pytest.approx(3, abs=2 * NEAR_S)
    assert found(sitting) == set()


def test_a_route_that_changes_without_a_word_ends_one_lesson_and_opens_the_next(
    study: Callable[..., Learner],
) -> None:
    lin = study().enters().watches(2)
    first = lin.session()
    lin.page.evaluate(ROUTE, "l2")
    lin.enters()
    assert lin.session() != first
    lin.watches(1).pauses()
    lin.has_told_everything()
    assert credited_s(lin.school.judged(first)) == pytest.approx(2, abs=NEAR_S)
    assert lin.leaves()["lesson_id"] == "l2"


def test_of_two_players_the_one_that_plays_is_studied(study: Callable[..., Learner]) -> None:
    lin = study().enters().watches(2)
    first = lin.session()
    lin.page.evaluate(SECOND)
    lin.page.wait_for_function("() => second.state === 'waiting'")
    lin.page.evaluate("void other.play()")
    lin.page.wait_for_function("() => second.state === 'open' && other.currentTime > 1")
    assert lin.page.evaluate("[sitting.state, video.paused]") == ["waiting", True]
    lin.page.evaluate("void video.play()")
    lin.enters()
    lin.page.wait_for_function("() => video.currentTime > 3")
    assert lin.page.evaluate("[second.state, other.paused]") == ["waiting", True]
    assert lin.session() != first
    sitting = lin.leaves()
    assert found(sitting) == found(lin.school.judged(first)) == set()


@pytest.mark.thorough
def test_a_player_that_is_taken_away_ends_its_lesson_and_comes_back_to_it(
    study: Callable[..., Learner],
) -> None:
    lin = study().enters().watches(2)
    first = lin.session()
    lin.page.evaluate("window.kept = video; video.pause(); video.remove()")
    lin.page.wait_for_function("() => sitting.state === 'waiting'", timeout=20_000)
    assert credited_s(lin.school.judged(first)) == pytest.approx(2, abs=NEAR_S)
    lin.page.evaluate("document.body.append(kept); void kept.play()")
    lin.enters().watches(1)
    assert lin.session() != first
    assert found(lin.leaves()) == set()


@pytest.mark.thorough
def test_the_next_lesson_begun_without_a_network_costs_the_last_one_nothing(
    study: Callable[..., Learner],
) -> None:
    lin = study().enters().watches(1)
    first = lin.session()
    lin.page.context.set_offline(True)
    seen_s = lin.watches(2).pauses().at()
    lin.page.evaluate("window.gone = sitting.stop(), window.sitting = begin({lesson: 'l2'}), null")
    lin.page.wait_for_function("() => told.some(([name]) => name === 'offline')")
    lin.page.context.set_offline(False)
    lin.enters()
    assert lin.session() != first
    lin.leaves()
    sitting = lin.school.sitting(first)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


@pytest.mark.thorough
def test_a_lesson_stopped_while_the_service_takes_nothing_keeps_its_last_minutes(
    study: Callable[..., Learner],
) -> None:
    """The service is away for a moment as the page calls `stop()`; half an hour goes by."""
    lin = study().enters().watches(1)
    first = lin.session()
    events = "**/v1/sessions/*/events"
    lin.page.route(events, lambda route: route.fulfill(status=503))
    seen_s = lin.watches(2).pauses().at()
    lin.page.evaluate("sitting.stop()")
    assert lin.school.sitting(first)["state"] == "open"
    lin.page.unroute(events)
    lin.school.clock.advance(1800)
    assert eventually(lambda: lin.school.sitting(first)["state"] == "expired")
    lin.page.reload()
    lin.enters().has_told_everything()
    lin.leaves()
    near = pytest.approx(seen_s, abs=NEAR_S)
    assert eventually(lambda: credited_s(lin.school.judged(first)) == near)
    assert found(lin.school.judged(first)) == set()


COMPONENT = """async nested => {
  const film = document.getElementById("video").src;
  document.getElementById("video").remove();
  class Film extends HTMLElement {
    connectedCallback() {
      const video = document.createElement("video");
      Object.assign(video, {src: film, muted: true, preload: "auto"});
      this.attachShadow({mode: "open"}).append(video);
    }
  }
  customElements.define("own-film", Film);
  class Player extends HTMLElement {
    connectedCallback() {
      this.attachShadow({mode: "open"}).append(document.createElement("own-film"));
    }
  }
  customElements.define("own-player", Player);
  const player = document.createElement(nested ? "own-player" : "own-film");
  player.id = "player";
  document.body.append(player);
  const inside = nested ? player.shadowRoot.querySelector("own-film") : player;
  window.video = inside.shadowRoot.querySelector("video");
  if (video.readyState < 2) await new Promise(ready => video.addEventListener("loadeddata", ready));
  window.earlier = window.sitting;
  window.sitting = begin({video: "#player"});
}"""
ANEW_WITHIN = """async () => {
  const at = video.currentTime, root = video.getRootNode();
  const fresh = document.createElement("video");
  Object.assign(fresh, {src: video.src, muted: true, preload: "auto"});
  video.remove();
  root.append(fresh);
  await new Promise(ready => fresh.addEventListener("loadeddata", ready, {once: true}));
  window.video = fresh;
  fresh.currentTime = at;
  await fresh.play();
}"""


@pytest.mark.parametrize("nested", [True, *later(False)])
def test_a_player_that_is_a_web_component_is_studied_and_followed(
    study: Callable[..., Learner], nested: bool
) -> None:
    """As `mux-player`, `media-player` and their like, which hide the film in a shadow."""
    lin = study().enters()
    lin.page.evaluate(COMPONENT, nested)
    lin.enters().watches(2)
    lin.page.evaluate("void video.play()")
    lin.page.evaluate(ANEW_WITHIN)
    lin.watches(2).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()


AUDIO = """async () => {
  const fresh = document.createElement("audio");
  Object.assign(fresh, {src: video.src, muted: true, preload: "auto"});
  video.remove();
  fresh.id = "video";
  document.body.append(fresh);
  await new Promise(ready => fresh.addEventListener("loadeddata", ready));
  window.sitting = begin({video: "#video"});
}"""


@pytest.mark.thorough
def test_a_lesson_to_listen_to_is_credited_like_a_film(study: Callable[..., Learner]) -> None:
    lin = study().enters()
    lin.page.evaluate(AUDIO)
    lin.enters().watches(3).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()
