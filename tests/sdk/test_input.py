"""That somebody is there: told where the class has an idle limit, and never what they did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.sdk.conftest import FILM_IS_OPEN, Learner
from tests.sdk.school import School, open_school
from tests.waiting import eventually

pytestmark = pytest.mark.browser
HAND_MOVED = """
  window.elapsed = 1_000; Performance.prototype.now = () => window.elapsed;
"""
SET_UP = """
  const told = [], notes = [];
  const { Input } = await import("/sdk/v1/x/input.js");
  const { Scope } = await import("/sdk/v1/x/scope.js");
  const report = (type, { code }) => told.push(code);
  const screen = { notice: (text) => notes.push(text) && (() => notes.push("")) };
  const texts = { idle: (minutes) => `idle for ${minutes}` };
  window.input = new Input({
    scope: new Scope(), player: { playing: true }, report, screen, texts,
    options: { notices: true },
  });
  window.told = told; window.notes = notes;
  input.begin("s1", 300);
"""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A school whose class has an idle limit, on trial."""
    folder = tmp_path_factory.mktemp("limited")
    with open_school(folder, policy_id="jiangxi-2024-special") as school:
        yield school


def codes(school: School, session: str) -> list[str]:
    notes = [it for it in school.notes(session) if it["type"] == "integrity"]
    return [str(it["code"]) for it in notes]


def test_the_page_tells_that_it_is_touched_and_not_what_was_pressed(
    browser: Browser, limited: School
) -> None:
    page = browser.new_page()
    sent: list[str] = []
    page.on("request", lambda it: sent.append(it.post_data or "") if "/events" in it.url else None)
    page.goto(limited.lesson(limited.enrol()))
    page.wait_for_function(FILM_IS_OPEN)
    learner = Learner("", page, limited).enters()
    session = learner.session()
    assert eventually(lambda: "input_watched" in codes(limited, session))
    page.evaluate("document.dispatchEvent(new MouseEvent('pointerdown', {bubbles: true}))")
    page.keyboard.type("MySecretPassword")
    page.mouse.move(123, 77)
    learner.watches(1)
    page.evaluate("sitting.stop()")
    limited.judged(session)
    assert codes(limited, session)[:1] == ["input_watched"]
    said = [it for body in sent for it in _integrity(body)]
    assert {tuple(sorted(it)) for it in said} == {("at_ms", "code", "seq", "type", "value")}
    assert {it["value"] for it in said} == {True}
    assert not any("MySecret" in body or '"x"' in body for body in sent)
    page.close()


def _integrity(body: str) -> list[dict[str, Any]]:
    events = json.loads(body)["events"] if body else []
    return [it for it in events if it["type"] == "integrity"]


def test_a_class_without_a_limit_is_not_watched(browser: Browser, school: School) -> None:
    page = browser.new_page()
    page.goto(school.lesson(school.enrol()))
    page.wait_for_function(FILM_IS_OPEN)
    learner = Learner("", page, school).enters()
    session = learner.session()
    page.mouse.move(10, 10)
    learner.watches(1)
    page.evaluate("sitting.stop()")
    school.judged(session)
    assert codes(school, session) == []
    assert "input.js" not in page.evaluate("performance.getEntries().map((it) => it.name).join()")
    page.close()


def test_it_is_told_twice_a_minute_at_most_and_the_learner_is_warned_in_time(
    browser: Browser, school: School
) -> None:
    page = browser.new_page()
    page.add_init_script(HAND_MOVED)
    page.goto(f"{school.service}/healthz")
    page.evaluate(f"async () => {{ {SET_UP} }}")

    def beats(times: int) -> None:
        page.evaluate(
            "n => { for (let i = 0; i < n; i++) { elapsed += 10_000; input.look(); } }", times
        )

    beats(6)
    assert page.evaluate("told") == ["input_watched"]
    for _ in range(6):
        page.mouse.move(5, 5)
        page.mouse.move(9, 9)
        beats(1)
    assert page.evaluate("told") == ["input_watched", "input", "input"]
    beats(28)  # the last touch was one beat before
    assert page.evaluate("notes") == []
    beats(1)
    assert page.evaluate("notes") == ["idle for 5"]
    page.mouse.wheel(0, 10)
    page.wait_for_function("() => notes.at(-1) === ''")
    beats(1)
    assert page.evaluate("told").count("input") == 4  # one that came late, and the wheel
    page.close()
