"""Pop-ups that ask something, in a real browser: the choices, a wrong answer, and a right one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from app.domain.policy import packs, question_pool
from app.simulation.transport import Problem
from tests.sdk.conftest import FILM_IS_OPEN, Learner
from tests.sdk.school import School, open_school

pytestmark = pytest.mark.browser
POOL = question_pool.load("work-safety", (packs.FOLDER,))
OURS = """
schema = 1
extends = "huangchuan-2021-graded@1.2.0"
id = "asking-2026"
version = "1.0.0"
title = { zh = "答题", en = "Asking" }

[rules.popup_gap.parameters]
"""
PARAMETERS = {
    "question": '"quiz"',
    "question_pool": '"work-safety"',
    "schedule_min_s": "2",
    "schedule_max_s": "3",
    "reissues": "2",
}
UNITS = {"question": "word", "question_pool": "word", "reissues": "count"}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A school whose pop-ups ask questions, every two or three seconds."""
    site = tmp_path_factory.mktemp("packs")
    lines = [
        f'{name} = {{ value = {value}, unit = "{UNITS.get(name, "s")}", source = "default", '
        'note_zh = "测试", note_en = "test" }'
        for name, value in PARAMETERS.items()
    ]
    (site / "asking-2026@1.0.0.toml").write_text(OURS + "\n".join(lines), "utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ZHENXUE_PACKS_DIR", str(site))
        with open_school(tmp_path_factory.mktemp("asking"), policy_id="asking-2026") as school:
            yield school


def test_a_question_is_asked_again_after_a_wrong_answer_and_a_right_one_goes_on(
    browser: Browser, asking: School
) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page.goto(asking.lesson(asking.enrol()))
    page.wait_for_function(FILM_IS_OPEN)
    learner = Learner("", page, asking).enters()
    page.evaluate("video.play()")
    dialog = page.locator("dialog")
    expect(dialog).to_be_visible()
    right, wrong = _answers(dialog.inner_text())
    page.wait_for_timeout(400)
    dialog.get_by_role("button", name=wrong, exact=True).click()
    expect(dialog).to_contain_text("上一题没有答对")
    right, _ = _answers(dialog.inner_text())
    page.wait_for_timeout(400)
    dialog.get_by_role("button", name=right, exact=True).click()
    page.wait_for_function("() => !video.paused")
    session = learner.session()
    page.evaluate("sitting.stop()")
    sitting = asking.judged(session)
    answered = [it for it in sitting["controls"] if it["answered_at_ms"]]
    assert len(answered) == 1, sitting["controls"]
    page.close()


def _answers(shown: str) -> tuple[str, str]:
    """The right choice and a wrong one of the question on the screen."""
    asked = next(it for it in POOL.items if it.ask in shown)
    return asked.choices[0], asked.choices[1]


def test_a_page_that_cannot_ask_is_told_so_before_anybody_studies(asking: School) -> None:
    terms = {"learner_id": asking.enrol(), "class_id": "c1", "lesson_id": "l1"}
    with pytest.raises(Problem, match="questions_unsupported"):
        asking.api.call("POST", "/v1/sessions", {**terms, "device_id": "phone", "window_id": "app"})
