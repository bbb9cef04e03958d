"""The sittings that are recorded: what somebody does at a browser with the real SDK in it.

A scene is a function of a `Desk`; its docstring says what happens. `brisk` scenes run with pop-ups
every 18 to 24 s and 8 s to answer, so that a minute shows all; `real` ones by the pack's numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.recordings.desk import Desk

Scene = Callable[[Desk], None]
FILM_S = {"brisk": 75, "real": 420}
BRISK_WINDOW_S = 8.0
SCENES: dict[str, dict[str, Scene]] = {"brisk": {}, "real": {}}


def scene(*paces: str) -> Callable[[Scene], Scene]:
    def enter(function: Scene) -> Scene:
        for pace in paces:
            SCENES[pace][function.__name__] = function
        return function

    return enter


def prompt(n: int) -> float:
    return (1.3, 2.7, 0.9, 3.8)[n % 4]


def to_the_end(desk: Desk) -> None:
    desk.stays(900, prompt).has_told_everything().leaves()


@scene("brisk", "real")
def present(desk: Desk) -> None:
    """Plays to the end and answers every pop-up within seconds."""
    desk.sits_down().plays()
    to_the_end(desk)


@scene("brisk")
def absent(desk: Desk) -> None:
    """Nobody at the desk when the first pop-up comes; back half a minute later."""
    _goes_away(desk, 35)


@scene("real")
def absent_real(desk: Desk) -> None:
    """Nobody at the desk when the first pop-up comes; back after more than three minutes."""
    _goes_away(desk, 200)


def _goes_away(desk: Desk, seconds: float) -> None:
    desk.sits_down().plays()
    desk.stays_until_popup()
    desk.did("away")
    desk.stays(seconds)
    desk.did("back")
    to_the_end(desk)


@scene("brisk")
def never_back(desk: Desk) -> None:
    """Nobody when the first pop-up comes, and nobody ever: the page stays open a minute."""
    desk.sits_down().plays()
    desk.stays_until_popup()
    desk.did("away")
    desk.stays(60)


@scene("brisk")
def slow_answer(desk: Desk) -> None:
    """Looks two seconds after the first window is over, then takes what is offered."""
    _slow(desk, BRISK_WINDOW_S + 2)


@scene("real")
def slow_answer_real(desk: Desk) -> None:
    """Needs 75 s for the first pop-up."""
    _slow(desk, 75)


def _slow(desk: Desk, seconds: float) -> None:
    desk.sits_down().plays()
    desk.stays_until_popup()
    desk.did("away")
    desk.stays(seconds)
    desk.did("back")
    to_the_end(desk)


@scene("brisk")
def outage(desk: Desk) -> None:
    """The network is gone for 15 s of play, then there again."""
    desk.sits_down().plays()
    desk.stays(8, prompt).network(False).stays(15, prompt).network(True)
    to_the_end(desk)


@scene("brisk")
def long_outage(desk: Desk) -> None:
    """The network is gone for 45 s, over the time of pop-ups."""
    desk.sits_down().plays()
    desk.stays(8, prompt).network(False).stays(45, prompt).network(True)
    to_the_end(desk)


@scene("brisk")
def hidden(desk: Desk) -> None:
    """Another tab in front for 12 s; the page pauses by itself."""
    desk.sits_down().plays()
    desk.stays(7, prompt)
    _hide(desk, 12)
    to_the_end(desk)


@scene("brisk")
def hidden_playing(desk: Desk) -> None:
    """The same where the platform lets play go on behind another tab."""
    desk.sits_down(pauseWhenHidden=False).plays()
    desk.stays(7, prompt)
    _hide(desk, 12)
    to_the_end(desk)


def _hide(desk: Desk, seconds: float) -> None:
    desk.did("hide")
    desk.browser.open("about:blank")
    time.sleep(seconds)
    desk.did("show")
    desk.tab.to_front()


@scene("brisk")
def reload(desk: Desk) -> None:
    """Reloads the page in the middle of a lesson and plays on."""
    desk.sits_down().plays()
    desk.stays(13.5, prompt).did("reload")
    desk.tab.call("Page.reload")
    time.sleep(0.5)
    desk.enters().plays()
    to_the_end(desk)


@scene("brisk")
def crash(desk: Desk) -> None:
    """The tab is killed while it plays; opened again five seconds later."""
    desk.sits_down().plays()
    desk.stays(13.5, prompt).did("crash")
    desk.browser.call("Target.closeTarget", targetId=desk.tab.target)
    time.sleep(5)
    desk.sits_down().plays()
    to_the_end(desk)


@scene("brisk")
def slow_machine(desk: Desk) -> None:
    """A processor at a twentieth of its speed."""
    desk.sits_down()
    desk.tab.call("Emulation.setCPUThrottlingRate", rate=20)
    desk.plays()
    to_the_end(desk)


@scene("brisk")
def slow_network(desk: Desk) -> None:
    """Every answer takes two seconds more."""
    desk.sits_down()
    desk.tab.call("Network.enable")
    desk.tab.call(
        "Network.emulateNetworkConditions",
        offline=False,
        latency=2000,
        downloadThroughput=100_000,
        uploadThroughput=20_000,
    )
    desk.plays()
    to_the_end(desk)


@scene("brisk")
def second_tab(desk: Desk) -> None:
    """The lesson once more in another tab of the same browser: refused until the first is left."""
    desk.sits_down().plays()
    desk.stays(6, prompt)
    first, desk.tab = desk.tab, None
    desk.did("second tab")
    desk.tab = desk.browser.open(first.evaluate("location.href"))
    desk.tab.to_front()
    desk.enters("refused")
    time.sleep(3)
    desk.did("first tab leaves")
    first.evaluate("sitting.stop()")
    desk.stays(1, prompt)
    desk.enters()
    to_the_end(desk)


@scene("brisk")
def source_reloaded(desk: Desk) -> None:
    """The player loads its film anew, as for another quality, and goes back to where it was."""
    desk.sits_down().plays()
    for _ in range(2):
        desk.stays(11, prompt).does(
            "swap source",
            """(async () => {
              const at = video.currentTime;
              video.src = "/film.webm?quality=" + Math.random();
              video.load();
              await new Promise((over) => (video.onloadedmetadata = over));
              video.currentTime = at;
              await video.play();
            })()""",
        )
    to_the_end(desk)


@scene("brisk")
def muted(desk: Desk) -> None:
    """Without sound."""
    desk.sits_down().does("mute", "video.muted = true").plays()
    to_the_end(desk)


@scene("brisk")
def framed(desk: Desk) -> None:
    """The lesson in a frame of a portal, never clicked into before the first pop-up."""
    desk.framed = True
    desk.sits_down().plays()
    to_the_end(desk)


@scene("brisk")
def paused(desk: Desk) -> None:
    """Pauses for 25 s and goes on."""
    desk.sits_down().plays()
    desk.stays(7, prompt).pauses()
    time.sleep(25)
    desk.plays()
    to_the_end(desk)


@scene("brisk")
def rewound(desk: Desk) -> None:
    """Jumps back by eight seconds, later ahead again inside what was seen."""
    desk.sits_down().plays()
    desk.stays(14, prompt).does("back 8 s", "video.currentTime -= 8")
    desk.stays(2, prompt).does("ahead 4 s", "video.currentTime += 4")
    to_the_end(desk)


@scene("brisk")
def fast(desk: Desk) -> None:
    """No honest one: plays at twice the speed."""
    desk.sits_down().does("double speed", "video.playbackRate = 2").plays()
    to_the_end(desk)
