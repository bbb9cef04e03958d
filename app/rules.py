"""What is known of a rule beside its code: `detectors/<rule>.toml`, read here and nowhere else.

    title, letter   the rule's name and mark, without numbers: a pack's own title wins for what it
                    judged
    gravity         0 somebody else or invented data · 1 a learner who did not study · 2 no evidence
                    that controls ran · 3 the order of lessons, and all that is milder
    learner         its name on the learner's own page
    control         its name in the record of a platform's controls
    hatch           path of an 8 × 8 tile: the hatching of voided time
    [parameters]    what a pack may set for it: name = unit, "word", or "yes/no"
    [reasons.<r>]   a reason that its findings give
      zh, en          the sentence for auditors
      learner         what the learner is told, or the reason whose words it shares
      ask             what is asked of the learner where it is not proven
      measured, limit these two numbers with what they count
      former          only earlier versions of the detector say it

Sentences are `str.format` templates over a finding: {measured}, {limit} as plain numbers, `:span`
as people tell time where they are seconds; {start}, {end} in Asia/Shanghai, `:short` without the
date where both are of one day; {reviewers}, who decides;
{stretches} of the film, as its player shows them. A number of a pack never stands in them.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

import detectors
from app.languages import Text
from detectors import registry

FOLDER = Path(detectors.__file__).parent
LEAST_GRAVE = 3
UNWRITTEN = "（待写）"  # what `zhenxue rule new` leaves to its author
PLACES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("measured", "limit"), ("", "span")),
    **dict.fromkeys(("start", "end"), ("", "short")),
    "reviewers": ("",),
    "stretches": ("",),
}


class RuleFileError(Exception):
    """A rule's file is missing or wrong: which file, where in it, and what."""


class ReasonText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason that a rule's findings give, in words."""

    zh: str
    en: str
    learner: Text | str | None = None
    ask: Text | str | None = None
    measured: Text | None = None
    limit: Text | None = None
    former: bool = False

    @property
    def sentence(self) -> Text:
        return Text(self.zh, self.en)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule's names, weight and words."""

    title: Text
    letter: Text
    gravity: Annotated[int, msgspec.Meta(ge=0, le=LEAST_GRAVE)]
    reasons: dict[str, ReasonText]
    parameters: dict[str, str] = {}
    learner: Text | None = None
    control: Text | None = None
    hatch: str = ""

    def learner_text(self, reason: str) -> Text | None:
        """What a learner is told of this reason; None where only reviewers hear of it."""
        it = self.reasons.get(reason)
        words = it.learner if it else None
        return self.learner_text(words) if isinstance(words, str) else words


def read(path: Path) -> Rule:
    """The file of one rule. Raises RuleFileError."""
    try:
        rule = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Rule)
    except FileNotFoundError:
        raise RuleFileError(f"{path.name}: no such file: every detector has one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise RuleFileError(f"{path.name}: {error}") from None
    for name, reason in rule.reasons.items():
        shared = reason.learner
        if isinstance(shared, str) and not isinstance(_learner(rule, shared), Text):
            raise RuleFileError(f"{path.name}: reasons.{name}.learner: no words at {shared!r}")
        for it in (reason.sentence, rule.learner_text(name), reason.measured, reason.limit):
            for template in (it.zh, it.en) if it else ():
                _check(template, f"{path.name}: reasons.{name}")
    return rule


@cache
def known(folder: Path = FOLDER) -> Mapping[str, Rule]:
    """Every rule by id: those with a detector in the order of the registry, then those that only
    stored findings know. Raises RuleFileError."""
    running = [it.rule for it in registry.ALL] if folder == FOLDER else []
    kept = sorted(path.stem for path in folder.glob("*.toml"))
    names = [*running, *(it for it in kept if it not in running)]
    return {name: read(folder / f"{name}.toml") for name in names}


def title(rule: str) -> Text:
    """A rule's name without numbers; the id of one that this version does not know."""
    it = known().get(rule)
    return it.title if it else Text(rule, rule)


def letter(rule: str) -> Text:
    """A rule's mark; the first letter of one that this version does not know."""
    it = known().get(rule)
    return it.letter if it else Text(rule[:1].upper(), rule[:1].upper())


def reason(rule: str, name: str) -> ReasonText | None:
    """What is known of a reason; None where this version has no words for it."""
    it = known().get(rule)
    return it.reasons.get(name) if it else None


def _learner(rule: Rule, name: str) -> Text | str | None:
    it = rule.reasons.get(name)
    return it.learner if it else None


def _check(template: str, where: str) -> None:
    try:
        fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(template) if name]
    except ValueError as error:
        raise RuleFileError(f"{where}: {error}: {template}") from None
    for name, spec in fields:
        if spec not in PLACES.get(name, ()):
            shown = f"{name}:{spec}" if spec else name
            raise RuleFileError(f"{where}: {{{shown}}} is none of a finding's values")
