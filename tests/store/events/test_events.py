"""The event store: what was acknowledged stays, once and in order, and nobody changes it unseen."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select

from app.db import Database
from app.domain.events.events import Event, pack, read_one
from app.domain.sittings.sitting_life import LATE_AFTER_SILENCE_MS, LATE_MS, RESUME_MS, of_batch
from app.outages import DatabaseAway
from app.store.events import appending, event_log
from app.store.events.appending import MOST_GATHERED, Append, Gathering, Receipt, Waiting
from app.store.events.event_log import GENESIS, link, seal, unsettled, verify
from app.store.events.events import MOST_AT_ONCE, EventStore, append_all
from app.store.events.packed import Packed, note_bytes
from app.store.judging import facts
from app.store.sittings import sittings as sitting_store
from detectors.trace import NONE, Flag, Kind
from models import EventBatch, EventLog, Session
from tests.api.test_sessions import found_school, opening, post
from tests.domain.events.test_events import event
from tests.people import County

LEASE_MS = 120_000
ROOT = Path(__file__).parents[3]
both = pytest.mark.both_databases

WRITER = """
import asyncio, sys
from app.db import Database
from app.domain.events.events import Event, pack, read_one
from app.domain.sittings.sitting_life import of_batch
from app.store.events.appending import Append
from app.store.events.events import EventStore

async def write(store, session, opened):
    for n in range(100_000):
        raw = b'{"seq":%d,"type":"play","at_ms":%d,"position":%d}' % (n, opened, n)
        event = read_one(raw, 0)
        assert isinstance(event, Event)
        receipt = await store.append(Append(session, pack([event], n), opened + n, 120_000))
        print(n, receipt.chain.hex(), flush=True)

database = Database(sys.argv[1])
store = EventStore(database, of_batch)
store.start()
asyncio.run(write(store, int(sys.argv[2]), int(sys.argv[3])))
"""


class Sitting:
    """An open sitting of Lin's and the ways to write into it."""

    def __init__(self, database: Database, id_: int, opened_ms: int) -> None:
        self.database, self.id, self.opened_ms = database, id_, opened_ms

    def append(self, packed: Packed, at_ms: int = 1_000, **how: Any) -> Receipt:
        with self.database.write() as connection:
            return append_all(
                connection,
                [Append(self.id, packed, self.opened_ms + at_ms, LEASE_MS, **how)],
                of_batch,
            )[0]

    def beats(self, seqs: Sequence[int], at_ms: int = 1_000, **changes: Any) -> Receipt:
        return self.append(packed(seqs, at_ms, **changes), at_ms)

    def seqs(self) -> list[int]:
        with self.database.read() as connection:
            log = event_log.read(connection, self.id)
        return [int(seq) for seq in log.events["seq"]]

    def seal(self, now_ms: int = 0) -> None:
        with self.database.write() as connection:
            ledger = facts.ledger_columns(connection, self.id, self.opened_ms)
            seal(connection, self.id, *ledger, now_ms)

    def log(self) -> Any:
        with self.database.read() as connection:
            query = select(
                EventLog.manifest, EventLog.events, EventLog.notes, EventLog.chain
            ).where(EventLog.session_id == self.id)
            return connection.execute(query).one()

    def update(self, **values: Any) -> None:
        with self.database.write() as connection:
            sitting_store.update_session(connection, self.id, **values)

    def column(self, name: str) -> Any:
        with self.database.read() as connection:
            query = select(getattr(Session, name)).where(Session.id == self.id)
            return connection.execute(query).scalar_one()

    def batches(self) -> int:
        with self.database.read() as connection:
            query = select(EventBatch.ordinal).where(EventBatch.session_id == self.id)
            return len(connection.execute(query).all())


def packed(seqs: Sequence[int], at_ms: int = 1_000, **changes: Any) -> Packed:
    events = [
        read_one(json.dumps(event(seq=seq, **{"position": seq * 10.0, **changes})).encode(), 0)
        for seq in seqs
    ]
    assert all(isinstance(one, Event) for one in events), events
    return pack(events, at_ms)  # type: ignore[arg-type]


@pytest.fixture
def sitting(app: FastAPI, database: Database, county: County) -> Sitting:
    client = TestClient(app)  # without the service's threads: nobody writes but the test
    school = found_school(client, county)
    assert post(client, school, opening(session_id="s1")).status_code == 201
    with database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
    assert row is not None
    return Sitting(database, row.id, row.opened_ms)


# -- durable, and the same for every client -------------------------------------------------------


@pytest.mark.thorough
@both
def test_what_was_acknowledged_survives_a_kill(sitting: Sitting, database_url: str) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, database_url, str(sitting.id), str(sitting.opened_ms)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().split() for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    acknowledged += [line.split() for line in rest.splitlines() if line.count(" ") == 1]

    last, chain = int(acknowledged[-1][0]), acknowledged[-1][1]
    stored = sitting.seqs()
    assert stored == list(range(len(stored)))
    assert last in (len(stored) - 1, len(stored) - 2)  # one may be stored and not yet told
    if last == len(stored) - 1:
        assert sitting.column("chain").hex() == chain
    sitting.seal()
    assert verify(*sitting.log())


@both
def test_many_clients_share_the_writer_and_all_are_acknowledged(sitting: Sitting) -> None:
    store = EventStore(sitting.database, of_batch)
    store.start()

    async def clients() -> list[Receipt]:
        appends = [
            Append(sitting.id, packed([n]), sitting.opened_ms + n, LEASE_MS) for n in range(60)
        ]
        return list(await asyncio.gather(*(store.append(append) for append in appends)))

    receipts = asyncio.run(clients())
    store.stop()
    assert [receipt.accepted for receipt in receipts] == [1] * 60
    assert sorted(sitting.seqs()) == list(range(60))


def test_what_comes_while_the_loop_is_busy_is_committed_together(sitting: Sitting) -> None:
    store = EventStore(sitting.database, of_batch)
    store.start()
    commits = 0

    @sqlalchemy_event.listens_for(sitting.database.engine, "commit")
    def _count(_connection: Any) -> None:
        nonlocal commits
        commits += 1

    async def client(n: int) -> None:
        for _ in range(n):  # turns of the loop in which others come
            await asyncio.sleep(0)
        await store.append(Append(sitting.id, packed([n]), sitting.opened_ms + n, LEASE_MS))

    async def clients() -> None:
        await asyncio.gather(*map(client, range(40)))

    asyncio.run(clients())
    store.stop()
    assert commits == 1


def test_who_came_first_does_not_wait_for_ever_more_to_come(sitting: Sitting) -> None:
    handed: list[list[Waiting]] = []
    gathering = Gathering(handed.append)

    async def clients() -> int:
        for n in range(MOST_GATHERED + 1):
            await asyncio.sleep(0)  # one in each turn of the loop
            gathering.add(Waiting.here(Append(sitting.id, packed([n]), n, LEASE_MS)))
        return len(handed[0])

    assert asyncio.run(clients()) == MOST_GATHERED


def test_a_body_of_hundreds_of_sittings_makes_no_commit_larger_than_it_may_be(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EventStore(sitting.database, of_batch)
    sizes: list[int] = []

    def append_and_count(connection: Any, group: list[Append], decide: Any) -> list[Receipt]:
        sizes.append(len(group))
        return append_all(connection, group, decide)

    monkeypatch.setattr("app.store.events.events.append_all", append_and_count)

    async def forwarded(count: int) -> None:
        appends = [
            Append(sitting.id, packed([n]), sitting.opened_ms, LEASE_MS) for n in range(count)
        ]
        asked = asyncio.gather(*map(store.append, appends))
        await asyncio.sleep(0)
        store.start()
        await asked

    asyncio.run(forwarded(MOST_AT_ONCE + MOST_GATHERED + 1))
    store.stop()
    assert sum(sizes) == MOST_AT_ONCE + MOST_GATHERED + 1 and max(sizes) <= MOST_AT_ONCE


def test_what_was_gathered_when_the_service_ends_is_stored_and_acknowledged(
    sitting: Sitting,
) -> None:
    store = EventStore(sitting.database, of_batch)
    store.start()

    async def ends() -> Receipt:
        asked = asyncio.ensure_future(
            store.append(Append(sitting.id, packed([0]), sitting.opened_ms, LEASE_MS))
        )
        await asyncio.sleep(0)
        store.stop()
        return await asked

    assert asyncio.run(ends()).accepted == 1
    assert sitting.seqs() == [0]


def test_a_batch_that_fails_is_acknowledged_to_nobody(sitting: Sitting) -> None:
    store = EventStore(sitting.database, of_batch)
    store.start()
    broken = Append(sitting.id, packed([1]), 2**64, LEASE_MS)  # no such receive time

    async def clients() -> list[Any]:
        return list(await asyncio.gather(store.append(broken), return_exceptions=True))

    (outcome,) = asyncio.run(clients())
    store.stop()
    assert isinstance(outcome, Exception)
    assert sitting.seqs() == []


def test_each_is_given_up_when_its_own_time_is_over(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No writer takes them, as where the database hangs."""
    monkeypatch.setattr(appending, "MOST_PATIENCE_S", 0.4)
    store = EventStore(sitting.database, of_batch)

    async def waits(after_s: float) -> float:
        await asyncio.sleep(after_s)
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(DatabaseAway):
            await store.append(Append(sitting.id, packed([0]), sitting.opened_ms, LEASE_MS))
        return asyncio.get_running_loop().time() - began_s

    async def clients() -> list[float]:
        together = await asyncio.gather(waits(0), waits(0.3), waits(0.6))
        return [*together, await waits(0)]

    assert all(0.39 <= waited_s < 5 for waited_s in asyncio.run(clients()))


@both
def test_batches_of_an_open_session_are_readable_at_once(sitting: Sitting) -> None:
    sitting.beats([0, 1])
    assert sitting.seqs() == [0, 1]
    sitting.beats([2])
    assert sitting.seqs() == [0, 1, 2]
    assert sitting.batches() == 2


# -- duplicates, order, conflicts -----------------------------------------------------------------


@both
def test_the_same_batch_again_is_ignored(sitting: Sitting) -> None:
    first = sitting.beats([0, 1, 2], 1_000)
    again = sitting.beats([0, 1, 2], 9_000)
    assert (again.accepted, again.duplicates, again.conflicts) == (0, 3, ())
    assert again.chain == first.chain
    assert sitting.seqs() == [0, 1, 2]
    assert sitting.column("seq_conflict") is False


@both
def test_a_batch_that_repeats_some_brings_only_the_rest(sitting: Sitting) -> None:
    sitting.beats([0, 1, 2])
    receipt = sitting.beats([1, 2, 3, 4], 2_000)
    assert (receipt.accepted, receipt.duplicates, receipt.next_seq) == (2, 2, 5)
    assert sitting.seqs() == [0, 1, 2, 3, 4]


@both
def test_what_comes_with_a_repetition_is_marked_and_still_the_same_event(sitting: Sitting) -> None:
    """Whoever repeats had not heard the answer; the mark is the service's, not the client's."""
    sitting.beats([0, 1, 2])
    sitting.beats([1, 2, 3, 4], 2_000)
    sitting.beats([5], 3_000)
    again = sitting.beats([3, 4, 5, 6], 4_000)
    assert (again.accepted, again.duplicates, again.conflicts) == (1, 3, ())
    with sitting.database.read() as connection:
        flags = event_log.read(connection, sitting.id).events["flags"]
    assert ((flags & Flag.REPEATING) != 0).tolist() == [False] * 3 + [True] * 2 + [False, True]


@both
def test_a_seq_with_other_content_is_a_conflict_and_changes_nothing(sitting: Sitting) -> None:
    first = sitting.beats([0, 1])
    receipt = sitting.beats([1], 2_000, position=777.0)
    assert (receipt.accepted, receipt.duplicates, receipt.conflicts) == (0, 0, (1,))
    assert sitting.column("seq_conflict") is True
    with sitting.database.read() as connection:
        log = event_log.read(connection, sitting.id)
    assert log.events["pos_ms"].tolist() == [0, 10_000]
    assert {"seq": NONE, "type": "seq_conflict", "seqs": [1]} in log.notes
    assert receipt.chain != first.chain
    sitting.seal()
    assert verify(*sitting.log())


@both
def test_what_is_sent_again_under_new_stamps_of_its_clocks_is_no_conflict(sitting: Sitting) -> None:
    sitting.beats([0, 1], monotonic_ms=500)
    again = sitting.beats([0, 1, 2], 9_000, monotonic_ms=8_500)
    assert (again.accepted, again.duplicates, again.conflicts) == (1, 2, ())
    answer: dict[str, Any] = {"type": "popup_answered", "challenge_id": "c-1", "position": ...}
    sitting.append(packed([3], **answer, latency_ms=1_200))
    told = sitting.append(packed([3], **answer, latency_ms=9_900))
    assert (told.duplicates, told.conflicts) == (1, ())
    assert sitting.column("seq_conflict") is False


def test_other_words_under_the_same_seq_are_a_conflict_too(sitting: Sitting) -> None:
    sitting.append(packed([3], type="popup_answered", challenge_id="c-1", position=...))
    same = sitting.append(packed([3], type="popup_answered", challenge_id="c-1", position=...))
    other = sitting.append(packed([3], type="popup_answered", challenge_id="c-2", position=...))
    assert (same.duplicates, same.conflicts) == (1, ())
    assert (other.duplicates, other.conflicts) == (0, (3,))


def test_a_seq_twice_in_one_batch_is_stored_once(sitting: Sitting) -> None:
    receipt = sitting.beats([0, 1, 1, 2])
    assert (receipt.accepted, receipt.duplicates) == (3, 1)
    assert sitting.seqs() == [0, 1, 2]


@both
def test_batches_that_overtake_each_other_are_read_in_the_client_s_order(sitting: Sitting) -> None:
    for batch in ([5], [7], [6], [8], [0, 4], [3, 2]):
        assert sitting.beats(batch).accepted == len(batch)
    assert sitting.seqs() == [5, 7, 6, 8, 0, 4, 3, 2]
    with sitting.database.read() as connection:
        ordered = event_log.read(connection, sitting.id).in_order()
    assert ordered["seq"].tolist() == [0, 2, 3, 4, 5, 6, 7, 8]


def test_gaps_are_tolerated_and_filled_later(sitting: Sitting) -> None:
    assert sitting.beats([0, 1, 9]).next_seq == 10
    assert sitting.beats([4, 5]).accepted == 2
    assert sorted(sitting.seqs()) == [0, 1, 4, 5, 9]


# -- the end of a sitting -------------------------------------------------------------------------


@both
@pytest.mark.parametrize(("late", "taken"), [(LATE_MS, True), (LATE_MS + 1, False)])
def test_a_closed_session_takes_what_was_under_way_for_15_minutes(
    sitting: Sitting, late: int, taken: bool
) -> None:
    sitting.beats([0])
    sitting.update(state="closed", closed_ms=sitting.opened_ms + 60_000)
    receipt = sitting.beats([1], 60_000 + late)
    assert (receipt.refused is None) is taken
    assert receipt.refused in (None, "session_closed")
    assert sitting.seqs() == ([0, 1] if taken else [0])
    assert sitting.column("state") == "closed"


def test_an_import_may_bring_what_a_closed_session_lacks_whenever_it_comes(
    sitting: Sitting,
) -> None:
    sitting.update(state="closed", closed_ms=sitting.opened_ms, provenance="attested")
    receipt = sitting.append(packed([0]), 90_000_000, imported=True)
    assert (receipt.accepted, receipt.refused) == (1, None)


@both
@pytest.mark.parametrize(
    ("late", "state", "seqs"),
    [
        (RESUME_MS, "open", [0, 1, 2]),
        (RESUME_MS + 1, "expired", [0, 1, 2]),
        (LATE_AFTER_SILENCE_MS, "expired", [0, 1, 2]),
        (LATE_AFTER_SILENCE_MS + 1, "expired", [0]),
    ],
)
def test_a_session_that_fell_silent_goes_on_soon_after_and_takes_its_backlog_for_a_day(
    sitting: Sitting, late: int, state: str, seqs: list[int]
) -> None:
    sitting.beats([0])
    ended = {"closed_ms": sitting.opened_ms + 130_000, "close_reason": "lease"}
    sitting.update(state="expired", **ended, seed_revealed=bytes(32))
    receipt = sitting.beats([1, 2], 130_000 + late)
    assert receipt.state == state
    assert sitting.seqs() == seqs
    if state == "open":
        assert receipt.lease_expires_ms == sitting.opened_ms + 130_000 + late + LEASE_MS
        for name in ("closed_ms", "close_reason", "seed_revealed"):
            assert sitting.column(name) is None
    else:
        assert sitting.column("closed_ms") == ended["closed_ms"]


def test_a_batch_that_brings_nothing_new_wakes_nobody(sitting: Sitting) -> None:
    sitting.beats([0])
    sitting.update(state="expired", closed_ms=sitting.opened_ms + 130_000)
    receipt = sitting.beats([0], 140_000)
    assert (receipt.duplicates, receipt.state) == (1, "expired")
    assert sitting.column("state") == "expired"


def test_an_unknown_session_takes_nothing(sitting: Sitting) -> None:
    with sitting.database.write() as connection:
        (receipt,) = append_all(connection, [Append(999_999, packed([0]), 1, LEASE_MS)], of_batch)
    assert (receipt.accepted, receipt.refused) == (0, "unknown_session")


@both
def test_sealing_joins_the_batches_and_may_be_repeated(sitting: Sitting) -> None:
    sitting.beats([0, 1])
    sitting.append(packed([2], type="popup_shown", challenge_id="c", position=...))
    sitting.update(state="closed", closed_ms=sitting.opened_ms)
    with sitting.database.read() as connection:
        assert list(unsettled(connection)) == [sitting.id]
    sitting.seal(5)
    assert (sitting.batches(), sitting.seqs()) == (0, [0, 1, 2])
    first = sitting.log()
    sitting.seal(6)
    assert sitting.log() == first
    with sitting.database.read() as connection:
        assert list(unsettled(connection)) == []

    sitting.beats([4], 2_000)
    sitting.beats([3], 3_000)
    assert sitting.seqs() == [0, 1, 2, 4, 3]
    with sitting.database.read() as connection:
        assert list(unsettled(connection)) == [sitting.id]
    sitting.seal(7)
    log = sitting.log()
    assert sitting.seqs() == [0, 1, 2, 4, 3]
    assert log.events.startswith(first.events) and log.chain == sitting.column("chain")
    assert verify(*log)
    with sitting.database.read() as connection:
        assert event_log.read(connection, sitting.id).notes[0]["challenge_id"] == "c"


def test_duplicates_are_still_known_after_sealing(sitting: Sitting) -> None:
    sitting.beats([0, 1])
    sitting.seal()
    assert sitting.beats([0, 1]).duplicates == 2
    assert sitting.beats([1], position=5.0).conflicts == (1,)


def test_a_session_without_events_is_sealed_empty(sitting: Sitting) -> None:
    sitting.seal()
    log = sitting.log()
    assert (log.events, log.chain) == (b"", GENESIS)
    assert verify(*log)
    assert sitting.seqs() == []


# -- the chain ------------------------------------------------------------------------------------


@pytest.fixture
def sealed(sitting: Sitting) -> Any:
    sitting.beats([0, 1, 2])
    sitting.append(packed([3], type="popup_answered", challenge_id="c-1", position=...), 2_000)
    sitting.beats([5, 4], 3_000)
    sitting.seal()
    return sitting.log()


def test_the_acknowledged_heads_are_the_chain_of_the_batches(sitting: Sitting) -> None:
    head = GENESIS
    for n in range(4):
        batch = packed([n], 1_000 * n)
        receipt = sitting.append(batch, 1_000 * n)
        received = sitting.opened_ms + 1_000 * n
        head = link(head, received, batch.records, note_bytes(batch.notes))
        assert receipt.chain == head


def test_any_flipped_byte_is_found(sealed: Any) -> None:
    whole = dict(zip(("manifest", "events", "notes", "chain"), sealed, strict=True))
    assert verify(**whole)
    for name in ("events", "notes", "chain"):
        for at in range(len(whole[name])):
            changed = bytearray(whole[name])
            changed[at] ^= 0x01
            assert not verify(**{**whole, name: bytes(changed)}), (name, at)


def test_a_flipped_byte_of_the_manifest_is_found(sealed: Any) -> None:
    manifest, *rest = sealed
    for at in range(len(manifest)):
        for bit in (0x01, 0x80):
            changed = bytearray(manifest)
            changed[at] ^= bit
            assert not verify(bytes(changed), *rest), (at, bit)


@pytest.mark.parametrize("name", ["manifest", "events", "notes"])
def test_what_was_cut_off_or_added_is_found(sealed: Any, name: str) -> None:
    whole = dict(zip(("manifest", "events", "notes", "chain"), sealed, strict=True))
    unit = 16 if name == "manifest" else 1
    assert not verify(**{**whole, name: whole[name][:-unit]})
    assert not verify(**{**whole, name: whole[name] + bytes(unit)})


def test_batches_that_changed_places_are_found(sitting: Sitting) -> None:
    sitting.beats([0], 1_000)
    sitting.beats([1], 1_000)
    sitting.seal()
    log = sitting.log()
    half = len(log.events) // 2
    assert not verify(log.manifest, log.events[half:] + log.events[:half], log.notes, log.chain)


# -- the learning clock ---------------------------------------------------------------------------


def test_the_learning_clock_may_never_outrun_the_server(sitting: Sitting) -> None:
    assert sitting.beats([0, 30], 20_000).learning_ms == 20_000
    assert sitting.beats([31], 25_000).learning_ms == 25_000


def test_a_conflicting_batch_moves_the_learning_clock_by_no_more_than_time(
    sitting: Sitting,
) -> None:
    sitting.beats([0, 1], 10_000)
    before = sitting.beats([2], 20_000).learning_ms
    after = sitting.beats([2], 21_000, position=5_000.0).learning_ms
    assert after - before <= 1_000


def test_kinds_are_stored_as_numbers_that_the_detectors_know(sitting: Sitting) -> None:
    sitting.append(packed([0], type="play"))
    with sitting.database.read() as connection:
        assert event_log.read(connection, sitting.id).events["kind"].tolist() == [Kind.PLAY]


def test_one_browser_cannot_fill_the_disk(
    client: TestClient, county: County, database: Database
) -> None:
    """Answers of the greatest length, a thousand a request: a little is stored, then none."""
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).is_success
    told = []
    for n in range(4):
        answers = [
            event("popup_answered", seq=1000 * n + it, challenge_id="c", answer="啊" * 2000)
            for it in range(300)
        ]
        answer = client.post(
            "/v1/sessions/s1/events", json={"events": answers}, headers=county.huang.headers
        )
        told.append((answer.status_code, answer.json().get("code")))
    assert told == [
        (200, None),
        (409, "session_full"),
        (409, "session_full"),
        (409, "session_full"),
    ]
    beat = {"events": [event("progress", seq=9000, position=1)]}
    path, headers = "/v1/sessions/s1/events", county.huang.headers
    assert client.post(path, json=beat, headers=headers).status_code == 200
    with database.read() as connection:
        kept = connection.execute(select(EventBatch.notes)).scalars().all()
    assert sum(map(len, kept)) < 2 * 1024 * 1024
