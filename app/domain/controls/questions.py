"""Pop-ups that ask something: a question of the place's pool, or one on one's own ID number.

Nothing that is stored tells the right answer while it may be given: the ledger keeps which question
it was, and where the right choice stands follows from the sitting's seed, or from the number. A
wrong answer ends the pop-up as silence does: it is asked again as often as the pack allows, then
the sitting stops. What was studied since the display does not count, and nobody is accused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.answer import Answer
from app.domain.controls import draws
from app.domain.controls.control_line import ControlLine
from app.domain.id_numbers import birthday
from app.domain.policy.question_pool import Question
from app.languages import Text

_LAST = "0123456789X"
_MONTH, _DIGIT = "birth_month", "last_character"
_ASKS = {
    _MONTH: Text(
        "为核对身份：您的出生日期在几月？", "To verify who you are: which month were you born in?"
    ),
    _DIGIT: Text(
        "为核对身份：您的证件号码最后一位是？",
        "To verify who you are: what is the last character of your ID number?",
    ),
}


class QuestionKind(StrEnum):
    QUIZ = "quiz"
    IDENTITY = "identity"


class PopupQuestion(Answer, frozen=True, kw_only=True):
    """Answered by `popup_answered` with `answer`: the place of a choice, from 0."""

    kind: QuestionKind
    text: Text
    choices: list[str]
    again: bool


@dataclass(frozen=True, slots=True)
class Asker:
    """What a sitting's pop-ups may ask. `about` are the learner's own facts: what is asked, and
    where among its choices the truth stands."""

    kinds: tuple[QuestionKind, ...]
    every_nth: int
    pool: Sequence[Question]
    about: Mapping[str, int]

    def draw(self, seed: bytes, n: int, before: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """What the ledger keeps of the question of pop-up `n`; None where it asks nothing. One that
        is issued again asks again, as `before` did."""
        if before is None and n % self.every_nth:
            return None
        kinds = [it for it in self.kinds if (self.pool if it is QuestionKind.QUIZ else self.about)]
        if not kinds:
            return None
        kind = kinds[n // self.every_nth % len(kinds)]
        items = len(self.pool) if kind is QuestionKind.QUIZ else len(self.about)
        kept = {"kind": kind.value, "n": n, "item": draws.whole(seed, "question", n, 0, items - 1)}
        return kept | ({"again": True} if before else {})

    def posed(self, seed: bytes, kept: Mapping[str, Any]) -> PopupQuestion:
        """The question as the client shows it."""
        kind, again = QuestionKind(kept["kind"]), bool(kept.get("again"))
        if kind is QuestionKind.IDENTITY:
            about = self._about(kept)
            return PopupQuestion(
                kind=kind, text=_ASKS[about], choices=list(_choices(about)), again=again
            )
        asked = self.pool[kept["item"]]
        choices = asked.choices[1:]
        choices.insert(self._right(seed, kept), asked.choices[0])
        text = Text(asked.ask, asked.ask)
        return PopupQuestion(kind=kind, text=text, choices=choices, again=again)

    def answered(self, seed: bytes, line: ControlLine) -> bool:
        """Whether what was answered is right; so is any answer to a pop-up that asked nothing."""
        kept = line.demand.get("question")
        if kept is None:
            return True
        said = str(line.said).strip() if line.said is not None else ""
        return said.isdecimal() and int(said) == self._right(seed, kept)

    def _right(self, seed: bytes, kept: Mapping[str, Any]) -> int:
        if kept["kind"] == QuestionKind.IDENTITY:
            return self.about[self._about(kept)]
        last = len(self.pool[kept["item"]].choices) - 1
        return draws.whole(seed, "choice", int(kept["n"]), 0, last)

    def _about(self, kept: Mapping[str, Any]) -> str:
        return sorted(self.about)[int(kept["item"])]


def answered_wrong(line: ControlLine) -> bool:
    """Whether a question was over before its time: only a wrong answer ends one so."""
    if "question" not in line.demand or line.expired_ms is None or line.shown_ms is None:
        return False
    return line.expired_ms < max(line.due_ms, line.shown_ms) + line.window_ms


def facts_of(id_number: str | None) -> dict[str, int]:
    """What a person knows of an ID number by heart, as places among the choices.

    >>> facts_of("11010519491231002X")
    {'birth_month': 11, 'last_character': 10}
    >>> facts_of(None)
    {}
    """
    found: dict[str, int] = {}
    number = (id_number or "").strip().upper()
    if born := birthday(number):
        found[_MONTH] = born.month - 1
    if re.fullmatch(r".*[0-9X]", number):
        found[_DIGIT] = _LAST.index(number[-1])
    return found


def _choices(about: str) -> Sequence[str]:
    return [f"{month}月" for month in range(1, 13)] if about == _MONTH else _LAST
