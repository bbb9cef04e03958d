"""A client's queue of events and photos, and the ways a network has with them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from app.simulation.entities import Network, Photo, Record
from app.simulation.service import PageClient, Service

NEVER = float("inf")
PIECE_PACE = 8  # a backlog that comes in pieces comes so much faster than it grew
PATIENCE_S = 20.0  # how long a client waits for an answer


class Uplink:
    """Queues what a sitting says and sends it, when the network carries, as one batch."""

    def __init__(self, service: Service, network: Network, rng: Random) -> None:
        self.service = service
        self.network = network
        self._rng = rng
        self._events: list[tuple[float, Record]] = []  # with the true time of each
        self._photos: list[tuple[Record, Photo]] = []
        self._held: list[Record] | None = None  # a request that hangs
        self._echo: list[Record] | None = None  # a request that will arrive once more
        self._failures = 0
        self._waits_until = 0.0  # after a request that failed

    def queue(self, event: Record, t: float) -> None:
        """An event of the true time `t`."""
        self._events.append((t, event))

    def queue_photo(self, snapshot: Record, photo: Photo) -> None:
        self._photos.append((snapshot, photo))

    @property
    def waiting(self) -> bool:
        """Whether anything is still to be delivered."""
        return bool(self._events or self._photos or self._held)

    def reconnects_at(self, t: float) -> float:
        """When the next try is due, if something waits for it at true time `t`; else never."""
        if not (self._events or self._photos):
            return NEVER
        up = self._up_at(t)
        return up if up > t else NEVER

    def _up_at(self, t: float) -> float:
        return self.network.up_at(max(t, self._waits_until))

    def drop(self) -> None:
        """Lose what is not delivered."""
        self._events.clear()
        self._photos.clear()
        self._held = self._echo = None
        self._waits_until = 0.0

    def flush(self, sitting: PageClient) -> Iterator[dict[str, Any]]:
        """Send what is queued if the network carries; gives the controls of each answer."""
        if self._up_at(sitting.t) > sitting.t:
            return
        network, chance = self.network, self._rng.random()
        unheard = 1.0 if network.deaf_at(sitting.t) else network.unheard
        if self._events and chance < network.lost + unheard:
            if chance >= network.lost:  # it arrives, and the answer does not
                self.service.send(sitting, _records(self._next_piece()))
            self._fail(sitting.t)
            return
        self._failures = 0
        if self._events:
            piece = self._next_piece()
            del self._events[: len(piece)]
            if self._events:
                grew_s = piece[-1][0] - piece[0][0]
                self._waits_until = sitting.t + min(network.piece_every_s, grew_s / PIECE_PACE)
            yield from self._send(sitting, _records(piece))
        if self._photos:
            photos, self._photos = self._photos, []
            for snapshot, photo in photos:
                self.service.photo(sitting, snapshot, photo)

    def _next_piece(self) -> list[tuple[float, Record]]:
        return self._events[: self.network.piece or None]

    def _fail(self, t: float) -> None:
        """Noticed at once or when patience ends; then tried again as the SDK does."""
        self._failures += 1
        noticed = self._rng.choice((0.2, 1.0, PATIENCE_S))
        pause = min(30.0, 1.0 * 2.0 ** min(self._failures, 5)) * self._rng.uniform(0.5, 1.0)
        self._waits_until = t + noticed + pause

    def finish(self, sitting: PageClient) -> Iterator[dict[str, Any]]:
        """The same at once, and a hanging request comes through after all."""
        self._waits_until = 0.0
        yield from self.flush(sitting)
        if self._held is not None:
            held, self._held = self._held, None
            yield self.service.send(sitting, held)

    def _send(self, sitting: PageClient, batch: list[Record]) -> Iterator[dict[str, Any]]:
        network = self.network
        if self._held is not None:
            held, self._held = self._held, None
            yield self.service.send(sitting, batch)
            yield self.service.send(sitting, held)
        elif network.overtaken and self._rng.random() < network.overtaken and _mere_beats(batch):
            self._held = batch
            return
        else:
            yield self.service.send(sitting, batch)
        if self._echo is not None:
            echo, self._echo = self._echo, None
            self.service.send(sitting, echo)
        if network.every_batch_twice:
            self.service.send(sitting, batch)
        elif network.duplicated and self._rng.random() < network.duplicated:
            self._echo = batch


def _records(queued: list[tuple[float, Record]]) -> list[Record]:
    return [event for _, event in queued]


def _mere_beats(batch: list[Record]) -> bool:
    """Whoever waits for the reply about a pop-up does not go on while that request hangs."""
    return all(event["type"] == "progress" for event in batch)
