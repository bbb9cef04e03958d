"""Whether a class lies in the days for which the instrument of its pack says it is in force.

It changes no verdict and enters no digest: it is said beside whatever was judged.
"""

from __future__ import annotations

from datetime import date

from app.domain.answer import Answer, Date
from app.domain.policy import packs
from app.domain.policy.clauses import Instrument
from app.languages import Text


class PackTerm(Answer, frozen=True, kw_only=True):
    """The days of the pack's instrument beside those of the class; null is an end that the
    instrument does not name. `warning` is what must be told where the class is not covered."""

    instrument: str
    effective_from: Date | None
    effective_to: Date | None
    covers_class: bool
    warning: Text | None


def of_class(pack: str, starts_on: str, ends_on: str) -> PackTerm | None:
    """The term of the pack (`<id>@<version>`) for a class of these days; None where the pack is not
    on the shelf."""
    own = packs.found(pack)
    if own is None:
        return None
    instrument = own.instrument
    first, last = instrument.effective_from, instrument.effective_to
    covers = covered(instrument, date.fromisoformat(starts_on), date.fromisoformat(ends_on))
    return PackTerm(
        instrument=instrument.number,
        effective_from=str(first) if first else None,
        effective_to=str(last) if last else None,
        covers_class=covers,
        warning=None if covers else _warning(instrument, starts_on, ends_on),
    )


def warning(pack: str, starts_on: str, ends_on: str) -> Text | None:
    """What must be told beside a verdict on the class; None where there is nothing to tell."""
    term = of_class(pack, starts_on, ends_on)
    return term.warning if term else None


def covered(instrument: Instrument, starts_on: date, ends_on: date) -> bool:
    """Whether every day of the class is one on which the instrument is in force."""
    return (instrument.effective_from or starts_on) <= starts_on and ends_on <= (
        instrument.effective_to or ends_on
    )


def _warning(instrument: Instrument, starts_on: str, ends_on: str) -> Text:
    first, last = instrument.effective_from, instrument.effective_to
    zh = f"{first or '不限'}至{last or '不限'}"
    en = f"from {first or 'any day'} to {last or 'any day'}"
    return Text(
        f"班级日期（{starts_on}至{ends_on}）不在所用规定的有效期内：{instrument.number}的有效期为{zh}。"
        "各项结论仍按开班时选定的这一规则包得出，能否适用由主管部门决定。",
        f"The class ({starts_on} to {ends_on}) lies outside the days of the rules it is judged by: "
        f"{instrument.number} is in force {en}. All conclusions stand by the pack that was chosen "
        "when the class opened; whether it may be applied is for the authority to decide.",
    )
