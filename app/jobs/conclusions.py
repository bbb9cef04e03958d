"""Verdicts on a class follow what they rest on.

A class that was validated once is concluded on again whenever one of its sittings is judged anew,
somebody decides a finding, or appeals, whichever process that happened in.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.judging import eligibility
from app.jobs.repeating import Repeating
from app.services import Services
from app.store.judging import conclusions as store

EVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class Mark:
    """The last verdict on a sitting, review, and appeal that were followed."""

    verdict_id: int
    review_id: int
    appeal_id: int


def here(connection: Connection) -> Mark:
    """Where a follower starts: what came before is found by whoever asks, or in the night."""
    return Mark(
        store.last_verdict(connection),
        store.last_review(connection),
        store.last_appeal(connection),
    )


def follow(services: Services, since: Mark) -> Mark:
    """Conclude on every class that something happened in since the mark; the new mark."""
    with services.database.read() as connection:
        now = here(connection)
        classes = store.touched(
            connection,
            verdicts=(since.verdict_id, now.verdict_id),
            reviews=(since.review_id, now.review_id),
            appeals=(since.appeal_id, now.appeal_id),
        )
    for class_id in classes:
        with services.database.write() as connection:
            eligibility.conclude(connection, class_id, services.clock())
    return now


class Conclusions(Repeating):
    """Follows in a thread of its own. `install` ties it to the service."""

    def __init__(self, services: Services, every_s: float = EVERY_S) -> None:
        super().__init__("conclusions", every_s, self._round)
        self._services = services
        self._mark: Mark | None = None

    def _round(self) -> None:
        """The mark stays where a round fails, so the next one tries again."""
        self._mark = self._advanced(self._mark)

    def _advanced(self, mark: Mark | None) -> Mark:
        if mark is not None:
            return follow(self._services, mark)
        with self._services.database.read() as connection:
            return here(connection)


def install(services: Services) -> None:
    job = Conclusions(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
