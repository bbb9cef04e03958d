"""How honest people fare: of all and of each group, sittings that were sent to a person or called
somebody else.

Sittings of one person resemble one another, so an interval rests on people: where nobody or
everybody erred, on as many trials as there are people; else on as many as would spread as the
people do (Kish's effective sample), and never on more than there were sittings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.vision.calibrate import wilson

EVERYBODY = "all"
LEAST_IN_GROUP = 10  # people; error rates of fewer would speak of single persons


@dataclass(frozen=True, slots=True)
class HonestSittings:
    """One person's: the groups that they are counted in, and of each sitting whether it went to a
    person and whether it was called somebody else."""

    groups: tuple[str, ...]
    outcomes: Sequence[tuple[bool, bool]]


def error_rates(people: Sequence[HonestSittings]) -> dict[str, Any]:
    """`errors` of all and of groups that are large enough, `small_groups` that are named without a
    rate, and how many people are `ungrouped`: nothing tells their sex and age."""
    sizes = Counter(group for each in people for group in each.groups)
    told = [group for group, count in sorted(sizes.items()) if count >= LEAST_IN_GROUP]
    return {
        "errors": [_errors(EVERYBODY, people)]
        + [_errors(group, [it for it in people if group in it.groups]) for group in told],
        "small_groups": [
            {"group": group, "people": count}
            for group, count in sorted(sizes.items())
            if count < LEAST_IN_GROUP
        ],
        "ungrouped": sum(not each.groups for each in people),
    }


def _errors(group: str, people: Sequence[HonestSittings]) -> dict[str, Any]:
    return {
        "group": group,
        "people": len(people),
        "review": _rate([[review for review, _ in it.outcomes] for it in people]),
        "mismatch": _rate([[mismatch for _, mismatch in it.outcomes] for it in people]),
    }


def _rate(people: Sequence[Sequence[bool]]) -> dict[str, Any]:
    """The share of sittings, with Wilson's 95 % interval over effective trials."""
    sittings = sum(len(own) for own in people)
    if not sittings:
        return {"value": None, "sittings": 0, "interval_95": [0.0, 1.0]}
    share = sum(sum(own) for own in people) / sittings
    trials = _effective(people, share, sittings)
    return {
        "value": share,
        "sittings": sittings,
        "interval_95": [round(value, 4) for value in wilson(share * trials, trials)],
    }


def _effective(people: Sequence[Sequence[bool]], share: float, sittings: int) -> float:
    count = len(people)
    if count < 2 or not 0 < share < 1:
        return count
    spread = sum((sum(own) - share * len(own)) ** 2 for own in people) * count / (count - 1)
    variance = spread / sittings**2
    return min(sittings, max(1.0, share * (1 - share) / variance)) if variance else sittings
