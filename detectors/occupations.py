"""附件3: the dated catalogue of occupations for online training, by exact name or alias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from detectors.qualifications import without_level


@dataclass(frozen=True, slots=True)
class OccupationListing:
    """Where one occupation stands in the annex.

    `online_name` and `offline_name` are the exact names in the rows 全线上培训 and 不少于8个学时,
    None where the occupation is not in that row.
    """

    asked: str
    online_name: str | None
    offline_name: str | None
    by_alias: bool

    @property
    def conflict(self) -> bool:
        """Both rows name the occupation: wholly online, and not."""
        return self.online_name is not None and self.offline_name is not None


@dataclass(frozen=True)
class Occupations:
    """The two rows of the annex, in its own order, and aliases to its exact names."""

    id: str
    clause: str
    dated: date
    online: tuple[str, ...]
    offline: tuple[str, ...]
    aliases: Mapping[str, str]

    def find(self, occupation: str) -> OccupationListing | None:
        """The listing of `occupation`, None when neither row has it.

        Spaces, the width of brackets and a level behind the name do not matter; nothing else is
        guessed.
        """
        canonical = self.canonical(occupation)
        online, offline = self._online.get(canonical), self._offline.get(canonical)
        if online is None and offline is None:
            return None
        exact = _normalised(occupation) in {_normalised(name) for name in (online, offline) if name}
        return OccupationListing(occupation, online, offline, by_alias=not exact)

    def canonical(self, occupation: str) -> str:
        """One name for all spellings and aliases of an occupation, in the annex or not."""
        asked = _normalised(occupation)
        return self._aliases.get(asked, asked)

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Exact names of the second row that the first row names too."""
        return tuple(name for name in self.offline if self.canonical(name) in self._online)

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return {_normalised(alias): _normalised(name) for alias, name in self.aliases.items()}

    @cached_property
    def _online(self) -> dict[str, str]:
        return {self.canonical(name): name for name in self.online}

    @cached_property
    def _offline(self) -> dict[str, str]:
        return {self.canonical(name): name for name in self.offline}


def _normalised(name: str) -> str:
    return without_level(name)[0]
