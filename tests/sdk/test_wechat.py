"""What WeChat's built-in browser does to a page, as far as Chromium can be made to do the same: the
page is ended without a word, the phone and its line are slow. A hidden page: `test_windows`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from tests.sdk.cdp import Chromium, chromium
from tests.sdk.conftest import Learner
from tests.sdk.school import School
from tests.sdk.test_playing import NEAR_S, credited_s
from tests.sdk.test_wild import found
from tests.sdk.test_windows import lesson, over, watch
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("wechat")) as browser:
        yield browser


def test_a_page_that_is_ended_without_a_word_leaves_its_record_to_the_next(
    phone: Chromium, school: School
) -> None:
    """The system takes the memory: no pagehide, no unload; a new tab knows nothing of the old."""
    tab = lesson(phone, school)
    url = tab.evaluate("location.href")
    watch(tab, 1)
    session = tab.evaluate("sitting.session")
    tab.call("Network.enable")
    tab.call("Network.setBlockedURLs", urls=["*/events"])  # a dead spot just before
    watch(tab, 3)
    seen_s = tab.evaluate("video.pause(), video.currentTime")
    assert tab.evaluate("sitting.queue.length") > 0
    time.sleep(0.5)  # what a page stores is on its way to the browser's own process
    phone.call("Target.closeTarget", targetId=tab.target)
    again = phone.open(quote(url, safe=":/?=&%"))
    again.to_front()
    began = time.monotonic()
    again.until("window.sitting?.state === 'open'")
    waited_s = time.monotonic() - began
    assert waited_s < 40, "seconds, not minutes"
    assert eventually(lambda: "pause" in [kind for _, kind in school.events(session)])
    sitting = school.judged(session)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()
    over(again, school)


def test_a_slow_phone_on_a_slow_line_is_credited_what_it_played(
    study: Callable[..., Learner],
) -> None:
    """A sixth of the speed, 400 ms away, 25 kB a second."""
    lin = study().enters()
    tab = lin.page.context.new_cdp_session(lin.page)
    tab.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    line = {"latency": 400, "downloadThroughput": 25_000, "uploadThroughput": 25_000}
    tab.send("Network.emulateNetworkConditions", {"offline": False, **line})
    seen_s = lin.watches(8).pauses().at()
    lin.has_told_everything()
    tab.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()
