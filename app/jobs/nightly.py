"""The night: what ended is settled, photos are compared and looked after, classes are judged.

The night's classes are queued in the database and claimed one by one by whoever holds the night's
lock. After a crash the next start goes on with what is left, once the lock fell silent. Who does
the work is a `concurrent.futures.Executor`: this process, a pool of processes, or Dask.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import structlog

from app import __version__, tracing
from app.clock import Clock, day
from app.domain import runs
from app.errors import BadInput, Conflict, NotReady
from app.jobs import audit_watch, calibration, class_run, face_worker, memory, settler
from app.logging import configure
from app.processes import end_with_parent
from app.services import Services
from app.settings import Settings
from app.store import partitions
from app.store.faces import snapshots as photo_rows
from app.store.judging import runs as store

BEAT_S = 5.0
MOST_ATTEMPTS = 3  # at a class whose worker dies over it
_PHOTOS_AT_ONCE = 32
_POLL_S = 0.2

log = structlog.get_logger("zhenxue.nightly")

Tell = Callable[[int, int], None]


def perform(
    services: Services,
    requested_by: str,
    *,
    tell: Tell = lambda done, total: None,
    stopping: threading.Event | None = None,
    due_ms: int | None = None,
) -> dict[str, Any]:
    """Run the night, or go on with an interrupted one; its summary.

    `tell(done, total)` counts classes. Once `stopping` is set, what is in hand is finished and the
    rest is left to the next start. A class that fails is recorded, and the others go on. Raises
    Conflict while another process runs the night, or where one has begun it since `due_ms`,
    BadInput and NotReady when `settings.executor` cannot be used.
    """
    holder = secrets.token_hex(8)
    with team_of(services) as team:
        with services.database.write() as connection:
            runs.lock_night(connection, holder, services.clock())
            night, resumed = runs.begin_night(connection, requested_by, services.clock(), due_ms)
        with _heart(services, holder):
            work = _Night(services, team, night, holder, tell, stopping or threading.Event())
            with tracing.span("night", {"run": night, "resumed": resumed}):
                return work.all(resumed)


def interrupted(services: Services) -> bool:
    """Whether a night waits to be resumed."""
    with services.database.read() as connection:
        return runs.interrupted_night(connection, services.clock())


def last_begun_ms(services: Services) -> int | None:
    """When the latest night began; before the first, when there came to be a class to judge."""
    with services.database.read() as connection:
        return store.last_night_ms(connection, services.clock())


@contextmanager
def _heart(services: Services, holder: str) -> Iterator[None]:
    """Keep the lock while a step takes long, and give it back in the end."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_S):
            try:
                with services.database.write() as connection:
                    runs.hold_night(connection, holder, services.clock())
            except Conflict:
                return  # the next claim is refused, which ends the run
            except Exception:
                log.exception("the nightly run could not give a sign of life")

    thread = threading.Thread(target=beat, name="nightly-heart", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with services.database.write() as connection:
            runs.release_night(connection, holder)


# --------------------------------------------------------------------------------- who does it


class Inline(Executor):
    """Does what is submitted at once, in the calling thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            future.set_exception(error)
        return future


@dataclass
class Team:
    """`size` workers that judge a class by the id of its run."""

    make: Callable[[], Executor]
    work: Callable[[int, str | None], None]
    size: int
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        self.executor = self.make()

    def submit(self, run_id: int) -> Future[None]:
        return self.executor.submit(self.work, run_id, tracing.here())

    def renew(self) -> None:
        """Go on with others after a worker's death broke the executor."""
        self.executor.shutdown()
        self.executor = self.make()


@contextmanager
def team_of(services: Services) -> Iterator[Team]:
    """The workers that `settings.executor` names. Raises BadInput, NotReady."""
    kind, _, rest = services.settings.executor.partition(":")
    if kind == "dask" and rest:
        with _dask(rest) as team:
            yield team
        return
    if kind != "processes" or not rest.isdecimal():
        raise BadInput(
            "executor",
            "ZHENXUE_EXECUTOR is `processes:N` or `dask:tcp://host:port`, "
            f"not {services.settings.executor!r}",
        )
    size = int(rest) or os.cpu_count() or 1
    if size == 1:
        team = Team(Inline, partial(validate, services), 1)
    else:
        pool = partial(
            ProcessPoolExecutor,
            size,
            get_context("spawn"),
            _set_up,
            (services.settings, services.clock),
        )
        team = Team(pool, validate_here, size)
    try:
        yield team
    finally:
        team.executor.shutdown()


@contextmanager
def _dask(address: str) -> Iterator[Team]:
    """Workers of a running cluster; they have Zhenxue installed and its settings around them."""
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise NotReady(
            "no_dask", "ZHENXUE_EXECUTOR names a Dask scheduler: `pip install distributed` first"
        ) from error
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise NotReady("no_dask", f"no Dask scheduler answers at {address}") from error
    with client:
        size = sum(client.nthreads().values())
        if not size:
            raise NotReady("no_dask", f"the Dask scheduler at {address} has no workers")
        yield Team(partial(client.get_executor, pure=False), validate_here, size)


def _set_up(settings: Settings, clock: Clock) -> None:
    """Make a process of the pool ready. It must not outlive a service that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service decides when to stop
    configure(as_json=settings.log_json)
    tracing.begin(settings.otlp_endpoint, __version__)
    _here.append(Services.build(settings, clock))
    end_with_parent()


_here: list[Services] = []  # of a process that works for another; at most one
_opening = threading.Lock()


def validate_here(run_id: int, after: str | None) -> None:
    """`validate` on this process's own services; where it was given none, on its environment's."""
    with _opening:
        if not _here:
            _here.append(Services.build(Settings()))
            tracing.begin(_here[0].settings.otlp_endpoint, __version__)
    validate(_here[0], run_id, after)


# -------------------------------------------------------------------------------- one class of it


def validate(services: Services, run_id: int, after: str | None = None) -> None:
    """Look after a class's photos and judge it. What goes wrong is recorded in the run."""
    with services.database.read() as connection:
        row = store.by_id(connection, run_id)
    if row.state != "running":
        return  # an executor repeated a task that had come to its end
    try:
        with memory.undisturbed(), tracing.span("night.class", after=after):
            class_run.perform(services, run_id, whole=True)
    except Exception as error:
        log.exception("a class failed in the night", run=run_id, klass=row.class_id)
        with services.database.write() as connection:
            runs.fail(connection, run_id, f"{type(error).__name__}: {error}", services.clock())


# ------------------------------------------------------------------------------- the whole of it


@dataclass
class _Night:
    services: Services
    team: Team
    run_id: int
    holder: str
    tell: Tell
    stopping: threading.Event
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    in_hand: dict[Future[None], int] = field(default_factory=dict)
    attempts: Counter[int] = field(default_factory=Counter)
    compared: int = 0  # photos
    broken: bool = False

    def all(self, resumed: bool) -> dict[str, Any]:
        began = time.perf_counter()
        self._step("settle", self._settle)
        self._step("faces", self._faces)
        if self.compared:
            self._step("settle_again", self._settle)
        with self.services.database.write() as connection:
            runs.plan_night(connection, self.run_id, self.services.clock())
        at = time.perf_counter()
        self._classes()
        self.seconds["classes"] = round(time.perf_counter() - at, 3)
        self._step("calibration", lambda: calibration.nightly(self.services))
        self._step("partitions", self._partitions)
        self._step("audit", lambda: audit_watch.require_whole(self.services))
        self.seconds["all"] = round(time.perf_counter() - began, 3)
        with self.services.database.write() as connection:
            left = runs.left_of_night(connection, self.run_id)
            summary = {
                "run_id": self.run_id,
                "resumed": resumed,
                "classes_left": left,
                **runs.result_of_night(connection, self.run_id),
                "problems": self.problems,
                "seconds": self.seconds,
            }
            if not left:
                now_ms = self.services.clock()
                summary = runs.finish(connection, self.run_id, summary, now_ms)
        return summary

    def _partitions(self) -> None:
        partitions.keep_ahead(self.services.database, day(self.services.clock()))

    def _step(self, name: str, work: Callable[[], Any]) -> None:
        """A step before the classes; its failure is told and costs no class its judgement."""
        began = time.perf_counter()
        try:
            with tracing.span(f"night.{name}"):
                work()
        except Exception:
            log.exception("a step of the night failed", step=name)
            self.problems.append(name)
        self.seconds[name] = round(time.perf_counter() - began, 3)

    def _settle(self) -> None:
        settler.settle_all(self.services)

    def _faces(self) -> None:
        """Compare what waits now; what comes in meanwhile is the next worker's."""
        with self.services.database.read() as connection:
            left, _ = photo_rows.waiting(connection)
        while left > 0 and not self.stopping.is_set():
            handled = face_worker.run_pending(self.services, limit=min(left, _PHOTOS_AT_ONCE))
            if not handled:
                return
            self.compared += handled
            left -= handled

    def _classes(self) -> None:
        """Have every class judged that is queued, as many at a time as there are workers."""
        self._advance()
        while True:
            self._hand_out()
            if self.in_hand:
                ended, _ = wait(self.in_hand, timeout=BEAT_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    self._take_back(future)
                self._advance()
            elif self.stopping.is_set() or not self._left():
                return
            else:  # a worker of the interrupted run may still be at one, until it falls silent
                self.stopping.wait(_POLL_S)

    def _hand_out(self) -> None:
        if self.broken and not self.in_hand:
            self.team.renew()
            self.broken = False
        while len(self.in_hand) < self.team.size and not self.broken:
            run_id = None if self.stopping.is_set() else self._next()
            if run_id is None:
                return
            try:
                self.in_hand[self.team.submit(run_id)] = run_id
            except BrokenExecutor as error:
                self._lost(run_id, error)

    def _take_back(self, future: Future[None]) -> None:
        run_id = self.in_hand.pop(future)
        error = future.exception()
        if error is not None:
            self._lost(run_id, error)

    def _lost(self, run_id: int, error: BaseException) -> None:
        """The worker is gone, for what goes wrong with a class is recorded, not raised."""
        self.broken |= isinstance(error, BrokenExecutor)
        self.attempts[run_id] += 1
        log.warning("a worker of the night was lost", run=run_id, error=str(error))
        with self.services.database.write() as connection:
            if self.attempts[run_id] < MOST_ATTEMPTS:
                runs.put_back(connection, run_id)
            else:
                runs.fail(connection, run_id, f"its worker died: {error}", self.services.clock())

    def _next(self) -> int | None:
        with self.services.database.write() as connection:
            return runs.take_next_of_night(
                connection,
                self.run_id,
                self.holder,
                self.in_hand.values(),
                self.services.clock(),
            )

    def _left(self) -> int:
        with self.services.database.read() as connection:
            return runs.left_of_night(connection, self.run_id)

    def _advance(self) -> None:
        with self.services.database.write() as connection:
            done, total = runs.advance_night(connection, self.run_id, self.services.clock())
        self.tell(done, total)
