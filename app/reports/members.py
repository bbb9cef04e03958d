"""Reading a package's members when whoever wrote them may be hostile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class PackageProblem:
    """What is wrong, and where: a member, and the sitting or verdict in it where that is known."""

    member: str
    code: str
    detail: str

    def shown(self) -> dict[str, str]:
        return {"member": self.member, "code": self.code, "detail": self.detail}


class Malformed(Exception):
    """A member that is not written as members of its name are."""

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(f"{member}: {detail}")
        self.member, self.detail = member, detail


def rows(members: Mapping[str, bytes], name: str) -> list[dict[str, Any]]:
    """The rows of an NDJSON member; none where it is missing. Raises Malformed."""
    found = []
    for number, line in enumerate(members.get(name, b"").splitlines(), 1):
        try:
            found.append(msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError) as error:
            raise Malformed(name, f"line {number}: {error}") from error
    return found
