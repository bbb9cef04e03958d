"""An audit package verifies on its own, and one changed byte in it is found and named."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from arro3.io import read_parquet, write_parquet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select

import models
from app.canonical import canonical
from app.errors import NotAllowed
from app.languages import Text
from app.reports import container, layout, package, parquet, signing
from app.reports.exports import ExportOptions
from app.reports.package import Package
from app.reports.verify import NotAPackage, Verification, verify
from app.services import Services
from app.simulation.entities import SimulatedLearner, invented_id_number
from app.simulation.environment import DEFAULT_START_MS, Setting
from app.simulation.scenarios import perform
from app.store.catalogue.catalogue import ClassRow
from app.store.events.event_log import GENESIS, MANIFEST, link
from app.store.exchange.package_rows import StoredLog
from app.store.scope import EVERYTHING, AccessScope
from app.vault import Vault
from detectors.trace import EVENT
from models import AuditEntry, FacePair
from tests.evidence import picture, zipped
from tests.people import County

A_CLERK = ExportOptions("system:cli", named=True)


@pytest.fixture
def made(services: Services, klass: ClassRow) -> Package:
    return package.export(services, klass, A_CLERK, EVERYTHING)


@pytest.fixture
def members(made: Package) -> dict[str, bytes]:
    return container.unpack(made.file.data)


FORGER = signing.private_key(Vault("somebody else's"))


def resealed(members: dict[str, bytes], key: Ed25519PrivateKey = FORGER) -> bytes:
    """What a forger with a key of their own can make fit: hashes, digests, signature."""
    manifest = json.loads(members["manifest.json"])
    rest = {
        name: it for name, it in members.items() if name not in ("manifest.json", "signature.json")
    }
    manifest["members"] = {
        name: {"size": len(it), "sha256": hashlib.sha256(it).hexdigest()}
        for name, it in rest.items()
    }
    body = canonical(manifest)
    sealed = signing.signed(body, key)
    return container.pack({"manifest.json": body, "signature.json": sealed, **rest})


def named(report: Verification) -> set[str]:
    return {it.member for it in report.problems}


def test_an_untouched_package_verifies_and_the_evidence_gives_the_same_verdicts(
    made: Package,
) -> None:
    report = verify(made.file.data, made.public_key)
    assert not report.problems
    assert report.public_key == made.public_key
    assert report.checked["replayed"] >= 12
    assert report.checked["chains"] >= 6
    assert report.checked["audit_entries"] >= 1


def test_the_same_class_gives_the_same_members_again(
    services: Services, klass: ClassRow, members: dict[str, bytes]
) -> None:
    again = container.unpack(package.export(services, klass, A_CLERK, EVERYTHING).file.data)
    differing = {name for name in members if members[name] != again[name]}
    assert differing <= {"manifest.json", "signature.json", "audit.ndjson"}


def test_one_flipped_byte_in_any_member_is_found_and_named(members: dict[str, bytes]) -> None:
    for name, data in members.items():
        for at in sorted({0, len(data) // 2, len(data) - 1}) if data else []:
            flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            report = verify(container.pack({**members, name: flipped}))
            assert name in named(report), (name, at, report.problems)


def test_one_flipped_byte_between_the_members_is_found_too(made: Package) -> None:
    whole = made.file.data
    inside = whole.index(b"evidence/events.bin")
    for at in (0, 8, 11, inside, inside - 20, len(whole) - 30, len(whole) - 1):
        flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        assert verify(flipped).problems, at


def test_one_flipped_byte_anywhere_is_found_and_the_place_is_named(made: Package) -> None:
    whole = made.file.data
    chance = random.Random(20261126)
    for at in chance.sample(range(len(whole)), 80):
        flipped = whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :]
        assert named(verify(flipped)) - {"", "the package"}, at


def test_a_package_that_was_cut_short_or_made_longer_is_found(made: Package) -> None:
    whole = made.file.data
    for other in (whole[:-1], whole[: len(whole) // 2], whole + b"x", b"x" + whole):
        assert verify(other).problems


def test_a_bomb_and_a_name_that_leads_elsewhere_are_refused_unread(
    members: dict[str, bytes],
) -> None:
    buffer = io.BytesIO(container.pack(members))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("evidence/more.bin", bytes(50_000_000))
    assert named(verify(buffer.getvalue())) == {"evidence/more.bin"}
    for name in ("../notes.txt", "/etc/notes.txt", "C:\\notes.txt"):
        assert named(verify(container.pack({**members, name: b"x"}))) == {name}


def test_members_that_lie_over_each_other_are_refused_unread(members: dict[str, bytes]) -> None:
    """Each of ten thousand would be read whole, out of the same few bytes."""
    inner = zipfile.ZipInfo("evidence/inner.bin", (2000, 1, 1, 0, 0, 0))
    inner.header_offset, inner.file_size = 30 + len("evidence/outer.bin"), 1_000_000
    inner.compress_size, inner.CRC = inner.file_size, 0
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("evidence/outer.bin", inner.FileHeader() + bytes(inner.file_size))
        for name, data in members.items():
            archive.writestr(name, data)
        archive.filelist.append(inner)
    report = verify(buffer.getvalue())
    assert named(report) == {"evidence/inner.bin"}
    assert "lies over other members" in report.problems[0].detail


def test_a_member_that_stands_there_twice_is_named(members: dict[str, bytes]) -> None:
    buffer = io.BytesIO(container.pack(members))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("findings.ndjson", b"")
    assert named(verify(buffer.getvalue())) == {"findings.ndjson"}


def test_the_events_read_as_parquet_are_those_of_the_chained_records(
    members: dict[str, bytes],
) -> None:
    table = read_parquet(io.BytesIO(members["evidence/events.parquet"])).read_all()
    events = np.frombuffer(members["evidence/events.bin"], EVENT)
    index = [json.loads(line) for line in members["evidence/sessions.ndjson"].splitlines()]
    assert np.array_equal(table.column("pos_ms").to_numpy(), events["pos_ms"])
    counts = Counter(table.column("session_id").to_pylist())
    assert counts == {it["session_id"]: it["events"] // EVENT.itemsize for it in index}
    assert {"play", "progress"} <= set(table.column("type").to_pylist())


@pytest.mark.parametrize("forged", ["another event", "no Parquet at all"])
def test_parquet_that_tells_another_story_than_the_records_is_found(
    members: dict[str, bytes], forged: str
) -> None:
    data = b"PAR1 nothing PAR1"
    if forged == "another event":
        told = members["evidence/events.parquet"]
        table = read_parquet(io.BytesIO(told)).read_all()
        buffer = io.BytesIO()
        write_parquet(table.slice(1), buffer)
        data = buffer.getvalue()
    report = verify(resealed({**members, "evidence/events.parquet": data}))
    assert named(report) == {"evidence/events.parquet"}


def test_a_missing_member_and_one_too_many_are_named(members: dict[str, bytes]) -> None:
    fewer = {name: it for name, it in members.items() if name != "findings.ndjson"}
    assert named(verify(container.pack(fewer))) == {"findings.ndjson"}
    more = {**members, "note.txt": b"hello"}
    assert named(verify(container.pack(more))) == {"note.txt"}


def test_a_verdict_that_was_rewritten_and_sealed_anew_does_not_follow_from_the_evidence(
    made: Package, members: dict[str, bytes]
) -> None:
    bodies = members["verdicts/session.ndjson"].splitlines()
    index = json.loads(members["verdicts/index.json"])
    guilty = next(at for at, it in enumerate(bodies) if b'"outcome":"invalid"' in it)
    cleaned = json.loads(bodies[guilty]) | {"outcome": "valid"}
    bodies[guilty] = canonical(cleaned)
    index["session"][guilty]["sha256"] = hashlib.sha256(bodies[guilty]).hexdigest()
    forged = resealed(
        {
            **members,
            "verdicts/session.ndjson": b"".join(it + b"\n" for it in bodies),
            "verdicts/index.json": canonical(index),
        }
    )
    report = verify(forged)
    assert [it.code for it in report.problems] == ["replay"]
    assert cleaned["subject"]["session_id"] in report.problems[0].detail
    assert "other_key" in {it.code for it in verify(forged, made.public_key).problems}


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b'{"subject":3}'])
def test_a_verdict_that_is_none_and_hashed_anew_is_named(
    members: dict[str, bytes], body: bytes
) -> None:
    _, *rest = members["verdicts/session.ndjson"].splitlines()
    index = json.loads(members["verdicts/index.json"])
    index["session"][0]["sha256"] = hashlib.sha256(body).hexdigest()
    lines = b"".join(it + b"\n" for it in (body, *rest))
    twisted = {"verdicts/session.ndjson": lines, "verdicts/index.json": canonical(index)}
    assert named(verify(resealed({**members, **twisted}))) == {"verdicts/session.ndjson"}


def test_an_event_that_was_moved_and_sealed_anew_breaks_its_session_s_chain(
    members: dict[str, bytes],
) -> None:
    events = bytearray(members["evidence/events.bin"])
    events[16] ^= 1
    report = verify(resealed({**members, "evidence/events.bin": bytes(events)}))
    first = json.loads(members["evidence/sessions.ndjson"].splitlines()[0])
    assert [(it.code, first["session_id"] in it.detail) for it in report.problems] == [
        ("chain", True)
    ]


def test_photos_come_only_when_asked_for_and_both_are_on_record(
    services: Services, klass: ClassRow, members: dict[str, bytes]
) -> None:
    assert not [name for name in members if name.startswith("photos/")]
    with_photos = package.export(services, klass, A_CLERK, EVERYTHING, photos=True)
    report = verify(with_photos.file.data)
    assert not report.problems
    assert report.checked["photos"] > 5
    with services.database.read() as connection:
        taken = connection.execute(
            select(func.count())
            .select_from(AuditEntry)
            .where(AuditEntry.action == "export.package", AuditEntry.actor == "system:cli")
        ).scalar_one()
    assert taken == 2


def test_nothing_in_it_tells_an_id_number_or_a_key(members: dict[str, bytes]) -> None:
    secret = ("id_number", 'template_encrypted":"7', "wrapped", "lease_digest", "seed_encrypted")
    for name in secret:
        assert not [it for it, data in members.items() if name.encode() in data], name


def test_every_field_of_every_record_is_described() -> None:
    told = layout.readme().decode() + layout.dictionary().decode()
    assert "**规定不在有效期**" in layout.readme(Text("规定不在有效期", "not in force")).decode()
    for record, dtype in layout.RECORDS.values():
        for field in dtype.names or ():
            assert layout.MEANING[record, field] in told


def test_something_else_is_not_a_package() -> None:
    for data in (b"hello", container.pack({"a.txt": b"a"})):
        with pytest.raises(NotAPackage):
            verify(data)


@pytest.fixture
def elsewhere(services: Services, county: County, tmp_path: Path) -> None:
    """The honest learner began five minutes earlier on the other county's platform, and goes on."""
    lin = SimulatedLearner("lin-there", "林一", invented_id_number(20), identity=1)
    setting = Setting(
        class_id="class-there",
        course_id="course-there",
        learner=lin,
        label="there",
        start_ms=DEFAULT_START_MS - 300_000,
    )
    scene = perform("H01", setting=setting)
    files = {name: picture(at, 170) for at, name in enumerate(scene.photos)}
    path = tmp_path / "there.zip"
    path.write_bytes(zipped([*scene.catalogue, *scene.evidence], files))
    report = services.imports.take_file(county.guang.platform.id, path, actor="test")
    assert not report.rejected_total, report.shown()


def test_studying_on_two_platforms_at_once_is_replayed_and_told_only_to_who_may_see_both(
    elsewhere: None, services: Services, klass: ClassRow
) -> None:
    made = package.export(services, klass, A_CLERK, EVERYTHING)
    report = verify(made.file.data)
    assert not report.problems
    bodies = container.unpack(made.file.data)["verdicts/session.ndjson"]
    assert b'"rule":"multi_window"' in bodies
    with pytest.raises(NotAllowed) as refused:
        package.export(services, klass, A_CLERK, AccessScope(counties=("潢川县",)))
    assert refused.value.code == "evidence_elsewhere"


def test_accounts_that_look_alike_are_part_of_the_evidence(
    services: Services, klass: ClassRow
) -> None:
    with services.database.write() as connection:
        one, other = connection.execute(select(models.Learner.id).limit(2)).scalars()
        pair = {"learner_id": one, "other_id": other, "model": "m", "distance": 0.1, "limit": 0.4}
        connection.execute(
            insert(FacePair).values(**pair, pictures=5, scope="class", found_ms=services.clock())
        )
    report = verify(package.export(services, klass, A_CLERK, EVERYTHING).file.data)
    assert not report.problems


BROKEN = (b"garbage\n", b"[1]\n", b"null\n", b"\n", b"[" * 100_000 + b"\n")


def test_a_stranger_s_package_of_any_nonsense_is_named_and_never_breaks_the_check(
    members: dict[str, bytes],
) -> None:
    for name in members.keys() - {"manifest.json", "signature.json"}:
        if name.startswith(("lists/", "pack/")) or not name.endswith((".ndjson", ".bin", ".json")):
            continue
        broken = {**members, name: random.Random(name).choice(BROKEN)}
        report = verify(resealed(broken))
        assert report.problems, name
        assert "" not in named(report)


@pytest.mark.parametrize("amount", ["ten", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_named(members: dict[str, bytes], amount: str) -> None:
    deeds = {"first": {"amount_yuan": amount}, "second": {}}
    stages = [
        {"id": at, "step": "payment", "deed": it, "body": body, "remark": "", "done_ms": at}
        | {"done_by": f"user:{it}"}
        for at, (it, body) in enumerate(deeds.items())
    ]
    report = verify(resealed({**members, "stages.ndjson": package.ndjson(stages)}))
    assert "malformed" in {it.code for it in report.problems}


def test_a_time_before_all_times_is_named(members: dict[str, bytes]) -> None:
    batches = bytearray(members["evidence/batches.bin"])
    batches[7] ^= 0x80  # the sign of the first time of receipt
    report = verify(container.pack({**members, "evidence/batches.bin": bytes(batches)}))
    assert "evidence/batches.bin" in named(report)


@pytest.mark.parametrize(
    "twist",
    [
        {"members": None},
        {"members": {"README.md": 3}},
        {"pack": "huangchuan-2021-graded"},
        {"class": {"id": "one"}},
        {"created_ms": "yesterday"},
        {"created_ms": 10**18},
        {"detectors": None},
        {"format": "zhenxue-audit-package/0"},
    ],
)
def test_a_manifest_of_another_shape_is_named(
    members: dict[str, bytes], twist: dict[str, object]
) -> None:
    body = canonical(json.loads(members["manifest.json"]) | twist)
    sealed = signing.signed(body, FORGER)
    report = verify(container.pack({**members, "manifest.json": body, "signature.json": sealed}))
    assert named(report) == {"manifest.json"}


def test_a_package_of_another_class_under_this_class_s_name_is_found(
    members: dict[str, bytes],
) -> None:
    told = json.loads(members["manifest.json"])
    told["class"]["class_id"] = "a-better-class"
    forged = resealed({**members, "manifest.json": canonical(told)})
    assert named(verify(forged)) == {"manifest.json"}


def test_a_package_unzipped_and_zipped_anew_is_still_known_for_one(
    members: dict[str, bytes],
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert {it.code for it in verify(buffer.getvalue()).problems} == {"unreadable"}


def test_a_finding_left_out_or_softened_does_not_follow_from_the_evidence(
    members: dict[str, bytes],
) -> None:
    first, *rest = members["findings.ndjson"].splitlines(keepends=True)
    softened = canonical(json.loads(first) | {"status": "gone"}) + b"\n"
    for forged in (b"".join(rest), b"".join([softened, *rest])):
        report = verify(resealed({**members, "findings.ndjson": forged}))
        assert [(it.member, it.code) for it in report.problems] == [("findings.ndjson", "replay")]
        assert json.loads(first)["key"] in report.problems[0].detail


def rechained(members: dict[str, bytes], events: bytes) -> dict[str, bytes]:
    """Other events under chains and a table that fit them: all that an insider could mend."""
    index = [json.loads(it) for it in members["evidence/sessions.ndjson"].splitlines()]
    at, logs, heads = {"batches": 0, "events": 0, "notes": 0}, [], {}
    files = {**{it: members[f"evidence/{it}.bin"] for it in at}, "events": events}
    for row in index:
        cut = {it: files[it][at[it] : at[it] + row[it]] for it in at}
        at = {it: at[it] + row[it] for it in at}
        head, event_at, note_at = GENESIS, 0, 0
        for received, count, size in np.frombuffer(cut["batches"], MANIFEST).tolist():
            until = event_at + count * EVENT.itemsize
            words = cut["notes"][note_at : note_at + size]
            head = link(head, received, cut["events"][event_at:until], words)
            event_at, note_at = until, note_at + size
        row["chain"] = heads[row["id"]] = head.hex()
        logs.append(
            StoredLog(row["id"], cut["batches"], cut["events"], cut["notes"], b"", b"", head)
        )
    sittings = [json.loads(it) for it in members["tables/sessions.ndjson"].splitlines()]
    told = [it | {"chain": heads[it["id"]]} for it in sittings]
    names = [row["session_id"] for row in index]
    return {
        **members,
        "evidence/events.bin": events,
        "evidence/sessions.ndjson": package.ndjson(index),
        "evidence/events.parquet": parquet.write(logs, names),
        "tables/sessions.ndjson": package.ndjson(told),
    }


def test_evidence_rewritten_by_whoever_holds_the_key_gives_other_verdicts_than_the_stored(
    services: Services, made: Package, members: dict[str, bytes]
) -> None:
    """The detectors run: a jump of twenty minutes in every hash and signature's good order."""
    first = json.loads(members["evidence/sessions.ndjson"].splitlines()[0])
    events = np.frombuffer(members["evidence/events.bin"], EVENT).copy()
    its_own = events[: first["events"] // EVENT.itemsize]
    its_own["pos_ms"][len(its_own) // 2 :] += 1_200_000
    key = signing.private_key(services.vault)
    report = verify(resealed(rechained(members, events.tobytes()), key), made.public_key)
    assert {it.code for it in report.problems} == {"replay"}
    told = next(it for it in report.problems if it.member == "verdicts/session.ndjson")
    assert first["session_id"] in told.detail
    assert "outcome" in told.detail


def test_a_photo_put_in_another_s_place_with_its_hash_is_named(
    services: Services, klass: ClassRow
) -> None:
    with_photos = package.export(services, klass, A_CLERK, EVERYTHING, photos=True)
    members = container.unpack(with_photos.file.data)
    name = next(it for it in members if it.startswith("photos/"))
    was = name.removeprefix("photos/").partition(".")[0]
    other = picture(9, 99)
    digest = hashlib.sha256(other).hexdigest()
    forged = {it: data for it, data in members.items() if it != name}
    forged[name.replace(was, digest)] = other
    listed = members["evidence/photos.ndjson"].replace(was.encode(), digest.encode())
    report = verify(resealed({**forged, "evidence/photos.ndjson": listed}))
    assert {(it.member, it.code) for it in report.problems} == {("evidence/photos.ndjson", "photo")}
