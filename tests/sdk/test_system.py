"""What a system and its browser do to a lesson: keys for media, sleep, a window for the film alone,
a component that shows nobody its inside. The honest lose what the rule says, told, and no more."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.machine import Part, lacks
from tests.sdk.cdp import Chromium, Tab, chromium
from tests.sdk.conftest import Learner
from tests.sdk.school import FILM_S, School
from tests.sdk.test_playing import NEAR_S, credited_s
from tests.sdk.test_wild import found
from tests.sdk.test_windows import hide, lesson, over, watch
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

DBUS = Part("D-Bus", "apt-get install dbus", "ZHENXUE_REQUIRE_DBUS")
PLAYER = ("/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player")


@pytest.fixture(scope="module")
def bus() -> Iterator[Callable[..., str]]:
    """The desktop's own road for keys that play and pause: everybody who speaks to it."""
    if shutil.which("dbus-daemon") is None or shutil.which("dbus-send") is None:
        lacks(DBUS)
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        assert daemon.stdout is not None
        before = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = daemon.stdout.readline().decode().strip()

        def send(to: str, path: str, what: str, *more: str) -> str:
            line = ["dbus-send", "--session", "--print-reply", f"--dest={to}", path, what, *more]
            return subprocess.run(line, capture_output=True, text=True, check=True).stdout

        yield send
        daemon.terminate()
        if before is None:
            del os.environ["DBUS_SESSION_BUS_ADDRESS"]
        else:
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = before


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("system")) as browser:
        yield browser


@pytest.fixture
def keyboard(bus: Callable[..., str], tmp_path: Path) -> Iterator[Chromium]:
    """A browser that was begun where keys for media reach it."""
    with chromium(tmp_path / "keyboard") as browser:
        yield browser


@pytest.fixture
def press(bus: Callable[..., str], keyboard: Chromium) -> Callable[..., None]:
    """A key of the keyboard or the headset, as the desktop hands it to the browser."""

    def press(key: str, *more: str) -> None:
        names = bus(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames"
        )
        browser = re.search(r"org\.mpris\.[\w.]*chromium[\w.]*", names)
        assert browser, "the browser plays nothing that keys are for"
        bus(browser[0], PLAYER[0], f"{PLAYER[1]}.{key}", *more)

    return press


def kinds(school: School, session: str) -> list[str]:
    return [kind for _, kind in school.events(session)]


LISTEN = """async film => {
  const fresh = document.createElement("audio");
  video.remove();
  Object.assign(fresh, {id: "video", src: film, preload: "auto"});
  document.body.append(fresh);
  await new Promise(ready => fresh.addEventListener("loadeddata", ready));
  window.sitting = begin({video: "#video"});
}"""


def to_listen(desktop: Chromium, school: School) -> Tab:
    """The keys are for what sounds only, and the film is silent."""
    with wave.open(str(school.film.with_name("tone.wav")), "wb") as tone:
        tone.setnchannels(1)
        tone.setsampwidth(1)
        tone.setframerate(8000)
        samples = (int(128 + 60 * math.sin(n / 5)) for n in range(8000 * FILM_S))
        tone.writeframes(bytes(samples))
    tab = lesson(desktop, school)
    tab.evaluate(f"({LISTEN})('/tone.wav')")
    tab.until("sitting.state === 'open'")
    return tab


def test_media_keys_pause_and_go_on_and_a_key_that_skips_is_a_jump_that_is_told(
    keyboard: Chromium, school: School, press: Callable[..., None]
) -> None:
    tab = to_listen(keyboard, school)
    watch(tab, 2)
    press("Pause")
    tab.until("video.paused")
    press("PlayPause")
    tab.until("!video.paused")
    watch(tab, 1)
    left_at_s = tab.evaluate("video.currentTime")
    press("Seek", "int64:5000000")
    tab.until(f"video.currentTime > {left_at_s} + 4")
    watch(tab, 1)
    press("Pause")
    tab.until("video.paused")
    at_s = tab.evaluate("video.currentTime")
    sitting = over(tab, school)
    told = kinds(school, sitting["session_id"])
    assert (told.count("pause"), told.count("seek")) == (2, 1)
    assert found(sitting) == set()
    assert credited_s(sitting) == pytest.approx(at_s - 5, abs=2 * NEAR_S)


SLEEPS = "window.slept_ms = 0; const real = Date.now; Date.now = () => real() + window.slept_ms;"


@pytest.mark.parametrize("minutes", [5, 40])
def test_a_phone_that_is_locked_and_sleeps_goes_on_where_it_was(
    desktop: Chromium, school: School, minutes: int
) -> None:
    """Its page is hidden and frozen, the date jumps, the browser's own clock stands meanwhile."""
    tab = desktop.open("about:blank")
    tab.call("Page.enable")
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=SLEEPS)
    url = quote(school.lesson(school.enrol()), safe=":/?=&")
    tab.to_front()
    tab.call("Page.navigate", url=url)
    tab.until("window.sitting?.state === 'open' && video.readyState >= 2")
    watch(tab, 2)
    first = tab.evaluate("sitting.session")
    left_at_s = hide(desktop, tab, 200)
    tab.call("Page.setWebLifecycleState", state="frozen")
    assert eventually(lambda: "pause" in kinds(school, first))
    school.clock.advance(minutes * 60)
    tab.call("Page.setWebLifecycleState", state="active")
    tab.evaluate(f"void (window.slept_ms = {minutes * 60_000})")
    tab.to_front()
    tab.until("!document.hidden && sitting.state === 'open'")
    watch(tab, 2)
    seen_s = tab.evaluate("video.pause(), video.currentTime")
    tab.until("sitting.queue.length === 0 && sitting.state === 'open'")
    last = over(tab, school)
    sittings = {it["session_id"]: it for it in (school.judged(first), last)}
    assert left_at_s < seen_s
    assert sum(credited_s(it) for it in sittings.values()) == pytest.approx(seen_s, abs=2 * NEAR_S)
    for sitting in sittings.values():
        assert found(sitting) == set()
        assert not [it for it in school.notes(sitting["session_id"]) if it["type"] != "popup"]


def test_a_film_in_a_window_of_its_own_counts_while_its_page_is_seen(
    desktop: Chromium, school: School
) -> None:
    """Behind another tab its page is hidden: it pauses, and goes on afterwards."""
    tab = lesson(desktop, school)
    watch(tab, 1)
    tab.evaluate("video.requestPictureInPicture().then(() => 0)")
    watch(tab, 2)
    at_s = hide(desktop, tab, 1000)
    assert tab.evaluate("document.pictureInPictureElement === video && video.paused")
    assert tab.evaluate("video.currentTime") == pytest.approx(at_s, abs=NEAR_S)
    tab.to_front()
    tab.until("!document.hidden && !video.paused")
    watch(tab, 1)
    tab.evaluate("document.exitPictureInPicture().then(() => 0)")
    seen_s = tab.evaluate("video.pause(), video.currentTime")
    sitting = over(tab, school)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()
    assert "integrity" not in kinds(school, sitting["session_id"])


def test_a_film_that_goes_on_behind_another_tab_earns_nothing_and_its_learner_is_told(
    desktop: Chromium, school: School
) -> None:
    tab = lesson(desktop, school, pauseWhenHidden=False)
    watch(tab, 2)
    tab.evaluate("video.requestPictureInPicture().then(() => 0)")
    left_at_s = hide(desktop, tab, 12_000)
    assert tab.evaluate("told.some(([name, it]) => name === 'noted' && it.code === 'hidden')")
    tab.to_front()
    tab.until("!document.hidden")
    back_at_s = tab.evaluate("video.currentTime")
    watch(tab, 1)
    seen_s = left_at_s + tab.evaluate("video.pause(), video.currentTime") - back_at_s
    sitting = over(tab, school)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=2 * NEAR_S)
    assert {outcome for _, outcome in found(sitting)} <= {"not_proven"}


MOVED_OUT = """window.kept = document.getElementById("video"),
  documentPictureInPicture.requestWindow({width: 320, height: 200}).then(it => {
    window.small = it;
    it.document.body.append(kept);
    return kept.play();
  })"""


def test_a_player_that_is_moved_into_a_window_of_its_own_is_followed(
    desktop: Chromium, school: School
) -> None:
    """Document picture-in-picture: for more than ten seconds no player is in the page."""
    tab = lesson(desktop, school)
    tab.evaluate("sitting.stop(), window.sitting = begin({video: '#video'}), null")
    tab.until("sitting.state === 'open'")
    watch(tab, 1)
    session = tab.evaluate("sitting.session")
    tab.evaluate(MOVED_OUT)
    tab.until("kept.currentTime > 13")
    assert tab.evaluate("[sitting.session, sitting.state]") == [session, "open"]
    tab.evaluate("document.body.append(kept), small.close(), kept.play()")
    watch(tab, 1)
    seen_s = tab.evaluate("video.pause(), video.currentTime")
    sitting = over(tab, school)
    assert sitting["session_id"] == session
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()


SEALED = """async () => {
  const film = document.getElementById("video").src;
  document.getElementById("video").remove();
  class Film extends HTMLElement {
    connectedCallback() {
      this.root = this.attachShadow({mode: "closed"});
      this.renew();
    }
    renew(at = 0) {
      window.video = document.createElement("video");
      Object.assign(video, {src: film, muted: true, preload: "auto"});
      this.root.replaceChildren(video);
      return new Promise(ready => video.addEventListener("loadeddata", () => {
        video.currentTime = at;
        ready(video.play());
      }));
    }
  }
  customElements.define("sealed-film", Film);
  window.box = document.createElement("sealed-film");
  box.id = "box";
  box.style.display = "block";
  document.body.append(box);
}"""


def test_a_component_that_shows_nobody_its_inside_is_told_of_and_studied_once_it_does(
    study: Callable[..., Learner],
) -> None:
    lin = study().enters()
    lin.page.evaluate(f"({SEALED})()")
    lin.page.evaluate("window.told = [], window.sitting = begin({video: '#box'}), null")
    told = lin.page.wait_for_function("() => told.find(([_, it]) => it.code === 'player_sealed')")
    assert told.json_value()[0] == "waiting"
    lin.page.get_by_text("不计入学时").wait_for()
    lin.page.evaluate("sitting.stop()")
    assert lin.page.get_by_text("不计入学时").count() == 0

    lin.page.evaluate("window.sitting = begin({video: window.video}), null")  # from its inside
    lin.enters().watches(2)
    lin.page.evaluate("box.renew(video.currentTime)")
    lin.watches(2).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()
