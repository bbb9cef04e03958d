"""The numbers a detector decides by: a policy pack, reduced to what a pure function needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = float | int | str | bool


# Parameters that came after a pack was published: packs that do not name one are judged by the
# product's default, which stands here, by rule.
LATER: Mapping[str, Mapping[str, Value]] = {
    "collusion": {"accident": 1e-9, "room_share": 0.6},
    "popup_gap": {
        "stop_allowance_s": 25,
        "attested_tolerance_s": 0.5,
        "longer_by_platform_share": 0.1,
        "question": "none",
        "question_pool": "",
        "question_every_nth": 1,
    },
    "face_liveness": {
        "live_required": False,
        "without_live": "not_proven",
        "face_moves": "never",
        "recheck_after_s": 300,
        "interval_s": 0,
        "every_nth_hour": 1,
    },
    "class_hour": {"photo_and_face": "always"},
    "shared_device": {"learners_at_once": 1},
    "photo_retention": {
        "upload_allowance_s": 30,
        "outage_allowance_s": 600,
        "in_person_counts": True,
    },
}


# Rules that came after a pack was published and that none may lack, because without them it would
# judge what is no evidence. What they find stands under the clause of the class-hour.
EVERYWHERE = ("evidence_altered",)


class Status(StrEnum):
    """Life of a rule in a pack: only `active` findings are acted on; `shadow` ones are stored."""

    DRAFT = "draft"
    SHADOW = "shadow"
    ACTIVE = "active"
    RETIRED = "retired"


class Reach(StrEnum):
    """How far invalidity reaches: class-hour, learner's training, whole class."""

    CLASS_HOUR = "L1"
    LEARNER = "L2"
    CLASS = "L3"


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """One rule of a pack. `rule["max_gap_s"]` reads a parameter; an unknown name is a KeyError."""

    rule: str
    clause: str
    status: Status
    reach: Reach
    curable: bool
    parameters: Mapping[str, Value]
    implied: bool = False  # one of EVERYWHERE that the pack does not name

    def __getitem__(self, name: str) -> float:
        value = self.parameters[name]
        if isinstance(value, str):
            raise TypeError(f"{self.rule}.{name} is a word, not a number: {value!r}")
        return float(value)

    def ms(self, name: str) -> int:
        """The parameter, given in seconds, as whole milliseconds."""
        return round(self[name] * 1000)

    def word(self, name: str) -> str:
        """The parameter as the word that it is."""
        value = self.parameters[name]
        if not isinstance(value, str):
            raise TypeError(f"{self.rule}.{name} is a number, not a word: {value!r}")
        return value

    @property
    def acts(self) -> bool:
        return self.status is Status.ACTIVE

    @property
    def runs(self) -> bool:
        return self.status in (Status.ACTIVE, Status.SHADOW)


@dataclass(frozen=True, slots=True)
class Policy:
    """A pack as the detectors see it: identity for the record, and its rules by id."""

    id: str
    version: str
    digest: str
    rules: Mapping[str, RulePolicy]

    def __getitem__(self, rule: str) -> RulePolicy:
        return self.rules[rule]

    def names(self, rule: str) -> bool:
        """Whether the pack itself has the rule."""
        return rule in self.rules and not self.rules[rule].implied

    def acts_on(self, rule: str) -> bool:
        """Whether findings of the rule are acted on; those of a rule that the pack lacks, which
        another pack may have left behind, are not."""
        return rule in self.rules and self.rules[rule].acts
