"""What documents say of amounts and advances, as `detectors/packs/subsidies` quotes them."""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from app.domain.policy import clauses
from app.domain.policy.clauses import Clause
from app.domain.policy.packs import FOLDER


class _Quoted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clause: str

    @property
    def source(self) -> Clause:
        return clauses.register(FOLDER / "clauses")[self.clause]


class QuotedStandard(_Quoted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that is paid for one learner, in yuan by level (5 to 1, or any)."""

    applicant: Literal["", "enterprise", "institution", "individual"]
    amounts: dict[str, int]


class QuotedAdvance(_Quoted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    percent: int


class SubsidyTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    standards: tuple[QuotedStandard, ...]
    advances: tuple[QuotedAdvance, ...]

    @property
    def most_in_advance(self) -> int:
        """Percent that no text goes beyond."""
        return max(it.percent for it in self.advances)


@cache
def quoted() -> SubsidyTexts:
    file = FOLDER / "subsidies" / "quoted.toml"
    return msgspec.toml.decode(file.read_bytes(), type=SubsidyTexts)
