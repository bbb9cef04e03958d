"""Pop-ups that ask something: who knows the answer loses nothing, who guesses is stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.controls import control_plan, questions
from app.domain.controls.control_line import ControlLine
from app.domain.controls.questions import Asker, QuestionKind
from app.domain.policy import packs, question_pool
from app.domain.policy.pack_schema import PackError
from app.simulation.entities import invented_id_number
from detectors.control_kinds import ControlKind
from tests.domain.controls.test_ledger import MINUTE, SEEDS, Study, ledger
from tests.packs.shelf import GRADED, Shelf

POOL = question_pool.load("work-safety", (packs.FOLDER,))
NUMBER = invented_id_number(7)
BOTH = tuple(QuestionKind)
ASKER = Asker(BOTH, 1, POOL.items, questions.facts_of(NUMBER))
Mind = Callable[[ControlLine, questions.PopupQuestion], Any]


def knows(_line: ControlLine, asked: questions.PopupQuestion) -> int:
    """Somebody who learnt the lesson, and knows their own number."""
    if asked.kind is QuestionKind.QUIZ:
        right = next(it for it in POOL.items if it.ask == asked.text.zh)
        return asked.choices.index(right.choices[0])
    month, last = int(NUMBER[10:12]), NUMBER[-1]
    return asked.choices.index(f"{month}月" if "月" in asked.choices[0] else last)


@dataclass
class Asked(Study):
    """Somebody who answers with what `mind` says."""

    mind: Mind = knows

    def note(self, kind: str, line: ControlLine, **changes: Any) -> dict[str, Any]:
        asker, kept = self.ledger.asker, line.demand.get("question")
        if kind == "popup_answered" and asker and kept:
            changes["answer"] = self.mind(line, asker.posed(self.ledger.seed, kept))
        return super().note(kind, line, **changes)


def studying(seed: bytes = bytes(32), asker: Asker = ASKER, mind: Mind = knows) -> Asked:
    study = Asked(ledger(seed, asker=asker))
    study.start()
    study.mind = mind
    while study.position_ms < 45 * MINUTE and control_plan.stop_code(study.ledger) is None:
        study.play(5_000)
    return study


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_who_knows_the_answers_is_never_stopped_nor_asked_twice(seed: bytes) -> None:
    study = studying(seed)
    pops = study.ledger.of_kind(ControlKind.POPUP)
    assert study.position_ms == 45 * MINUTE and len(pops) >= 8
    assert not [it for it in pops if it.reissue_of or it.expired_ms is not None]
    assert {it.demand["question"]["kind"] for it in pops} == {it.value for it in QuestionKind}


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 2**32))
def test_who_answers_wrong_is_asked_again_and_then_stopped(seed: bytes, luck: int) -> None:
    def errs(line: ControlLine, asked: questions.PopupQuestion) -> int:
        return (knows(line, asked) + 1) % len(asked.choices)

    study = studying(seed, mind=errs)
    first, second = study.ledger.of_kind(ControlKind.POPUP)
    assert control_plan.stop_code(study.ledger) == "question_failed"
    assert second.reissue_of == first.challenge_id and second.demand["question"]["again"]
    assert first.answered_ms is None and questions.answered_wrong(first)
    assert study.position_ms < 6 * MINUTE


def test_a_script_that_confirms_whatever_comes_is_stopped() -> None:
    study = studying(mind=lambda *_: "confirm")
    assert control_plan.stop_code(study.ledger) == "question_failed"


def test_nobody_tries_one_choice_after_the_other() -> None:
    study = Asked(ledger(asker=ASKER))
    study.start()
    study.mind = lambda line, asked: (knows(line, asked) + 1) % len(asked.choices)
    while not [it for it in study.ledger.lines if it.expired_ms is not None]:
        study.play(5_000)
    line = study.ledger.of_kind(ControlKind.POPUP)[0]
    right = knows(line, ASKER.posed(study.ledger.seed, line.demand["question"]))
    assert line.answered_ms is None and line.expired_ms is not None
    late = Study.note(study, "popup_answered", line, answer=right)
    control_plan.advance(
        study.ledger, control_plan.Tick(study.learning_ms, study.position_ms, study.now_ms, [late])
    )
    assert line.answered_ms is None


def test_a_retry_leaves_the_answer_as_hard_to_guess_as_before() -> None:
    """What is asked of the ID number offers all there is, so that nothing can be ruled out."""
    months = ASKER.posed(bytes(32), {"kind": "identity", "n": 0, "item": 0}).choices
    last = ASKER.posed(bytes(32), {"kind": "identity", "n": 0, "item": 1}).choices
    assert (len(months), len(last)) == (12, 11)


def test_the_right_choice_stands_anywhere() -> None:
    rng, places = Random(1), set()
    for n in range(60):
        item = n % len(POOL.items)
        asked = ASKER.posed(rng.randbytes(32), {"kind": "quiz", "n": n, "item": item})
        places.add(asked.choices.index(POOL.items[item].choices[0]))
    assert places == {0, 1, 2, 3}


def test_only_every_nth_popup_asks_where_the_pack_says_so() -> None:
    study = studying(asker=Asker(BOTH, 3, POOL.items, questions.facts_of(NUMBER)))
    asked = ["question" in it.demand for it in study.ledger.of_kind(ControlKind.POPUP)]
    assert asked == [n % 3 == 0 for n in range(len(asked))]


def test_of_a_person_without_a_number_nothing_is_asked_that_they_cannot_know() -> None:
    study = studying(asker=Asker((QuestionKind.IDENTITY,), 1, (), {}))
    assert study.position_ms == 45 * MINUTE
    assert not any("question" in it.demand for it in study.ledger.lines)


def test_what_is_stored_names_neither_the_answer_nor_the_person() -> None:
    for line in studying().ledger.of_kind(ControlKind.POPUP):
        assert set(line.demand["question"]) <= {"kind", "n", "item", "again"}
        assert not {"said", "posed"} & set(line.columns())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[items]]\nask = "?"\nchoices = ["a"]', "at least 2"),
        ('[[items]]\nask = "?"\nchoices = ["a", "a"]', "two are alike"),
        ("", "items: Field required"),
    ],
)
def test_a_pool_that_cannot_be_asked_is_refused(shelf: Shelf, text: str, said: str) -> None:
    (shelf.folder / "questions" / "ours.toml").write_text(text, "utf-8")
    shelf.edit("[rules.popup_gap.parameters]", ASKING)
    with pytest.raises(PackError, match=re.escape(said)):
        shelf.load()


def test_a_pack_covers_the_questions_it_names_and_tells_no_answer(shelf: Shelf) -> None:
    shelf.edit("[rules.popup_gap.parameters]", ASKING.replace("ours", "work-safety"))
    pack = shelf.load(GRADED)
    assert pack.content["questions"] == POOL.digest
    assert POOL.items[0].choices[0] not in pack.canonical.decode()


ASKING = """[rules.popup_gap.parameters]
question = { value = "quiz", unit = "word", source = "default", \
note_zh = "题目", note_en = "question" }
question_pool = { value = "ours", unit = "word", source = "default", \
note_zh = "题库", note_en = "pool" }
"""


@pytest.fixture
def shelf(tmp_path: Any) -> Shelf:
    return Shelf(tmp_path)
