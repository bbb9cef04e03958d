"""Questions that pop-ups of a place may ask: `questions/<name>.toml` in a folder of packs.

A pack's digest covers the pool that it names by the pool's own digest, so that no answer stands in
what is told of the pack.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from app.canonical import canonical
from app.domain.policy.pack_schema import PackError, Table, Word, read_toml, validated

LEAST_CHOICES, MOST_CHOICES = 2, 6


class Question(Table):
    """What is asked, and what may be answered, the right answer first."""

    ask: Annotated[Word, Field(max_length=200)]
    choices: Annotated[
        list[Annotated[Word, Field(max_length=100)]],
        Field(min_length=LEAST_CHOICES, max_length=MOST_CHOICES),
    ]

    @model_validator(mode="after")
    def _choices_differ(self) -> Question:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("choices: two are alike")
        return self


class QuestionPool(Table):
    items: Annotated[list[Question], Field(min_length=1)]

    @property
    def digest(self) -> str:
        """sha256 of its canonical JSON, 64 hex digits."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()


def load(name: str, where: tuple[Path, ...]) -> QuestionPool:
    """The pool of that name in the first of these folders that has it. Raises PackError."""
    file = f"questions/{name}.toml"
    path = next((it / file for it in where if (it / file).is_file()), where[0] / file)
    return validated(QuestionPool, read_toml(path, file), file)


@cache
def held(name: str, where: tuple[Path, ...]) -> QuestionPool:
    """The same for sittings, which ask often."""
    return load(name, where)


__all__ = ["PackError", "Question", "QuestionPool", "held", "load"]
