"""What is filled in at each step of a class, beside the opinion of whoever fills it in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from app.domain.wire import Day, Line, Wire

Yuan = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
Fund = Literal["employment", "unemployment", "skills", "other"]


class Filed(Wire):
    """An application that was taken in. `filed_on`: the day of receipt."""

    filed_on: Day


InSystem = Literal["yes", "no"] | None


class OpeningFiled(Filed):
    """`in_system`: whether plan and roster were filed in the official system."""

    in_system: InSystem = None


class Supervised(Wire):
    """`in_system`: whether the inspections were filed in the official system."""

    in_system: InSystem = None


class Claimed(Wire):
    """The institution's claim; `promised_by` signed the promise of 附件2."""

    filed_on: Day
    people: Annotated[int, Field(ge=1, le=10_000)]
    amount_yuan: Yuan
    promised_by: Line


class Held(Wire):
    """The assessment, as it was held. `watched_by`: who saw that it was held properly (考核巡查
    人员); `in_system`: whether its results were filed in the official system."""

    held_on: Day
    watched_by: Line | None = None
    in_system: InSystem = None


class PublicNotice(Wire):
    """Where the notice stands, from the first day to the last."""

    from_on: Day
    to_on: Day
    site: Line


class Paid(Wire):
    """Nothing is paid where all of it was advanced."""

    paid_on: Day
    amount_yuan: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
    fund: Fund


class Advanced(Wire):
    """Part of the subsidy, paid ahead. `basis`: what the texts allow it for: an enterprise's
    training, or a training that an institution runs as a project (项目制)."""

    paid_on: Day
    amount_yuan: Yuan
    fund: Fund
    basis: Literal["enterprise", "project"]


class Objected(Wire):
    """An objection to a public notice; its words stand beside it."""

    received_on: Day
    raised_by: Line


class Opinion(Wire):
    """Nothing but the opinion."""


BODIES: dict[str, type[Wire]] = {
    "opening_filed": OpeningFiled,
    "supervision": Supervised,
    "assessment_filed": Filed,
    "assessment": Held,
    "claim_filed": Claimed,
    "publication": PublicNotice,
    "advance": Advanced,
    "payment": Paid,
}
PAST = {"filed_on", "held_on", "paid_on", "received_on"}  # have been when they are recorded


def body_of(step: str) -> type[Wire]:
    return BODIES.get(step, Opinion)


def in_future(body: Wire, today: date) -> str | None:
    """The field that names a day yet to come where only one that has been makes sense."""
    said = {name: getattr(body, name) for name in PAST & type(body).model_fields.keys()}
    return next((name for name, day in sorted(said.items()) if day > today), None)
