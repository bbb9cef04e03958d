"""What goes wrong in the drills. Each takes the stage while learners are sending, and says when the
trouble is over; NotTried where this machine cannot do it."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from pydantic import SecretStr
from sqlalchemy import func, make_url, select

from app.bench.throw_away import apart
from app.db import Database
from app.services import Services
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.store.catalogue import people as store
from models import Learner, Person, Platform
from tests.drills.service import ServiceProcess, environment
from tests.drills.stage import Stage

SECONDS = 3.0
PEOPLE = 6_000
FAKED = "time"  # the file that libfaketime reads, in the drill's folder


class NotTried(Exception):
    """What the machine lacks."""


def killed(at: Stage) -> None:
    for pause_s in (0.7, 0.3, 1.1):
        time.sleep(pause_s)
        at.service.kill()
        at.trouble_is_over()
        at.service.start()


def told_to_end(at: Stage) -> None:
    time.sleep(1)
    began = time.monotonic()
    at.service.stop()
    at.require(time.monotonic() - began < 25, "it took longer than 25 s to end")
    at.trouble_is_over()
    at.service.start()


def disk_full(at: Stage) -> None:
    """No file of the service may grow any more."""
    limit = resource.prlimit(at.service.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(at.service.pid, resource.RLIMIT_FSIZE, (4096, limit[1]))
    time.sleep(SECONDS)
    at.require(not at.service.ready(), "/readyz says ready")
    resource.prlimit(at.service.pid, resource.RLIMIT_FSIZE, limit)
    at.trouble_is_over()


def photo(at: Stage, name: str) -> int:
    session = at.crowd.browsers[0].session
    return at.api.client.request(
        "PUT",
        f"/v1/sessions/{session}/snapshots/{name}?purpose=random",
        content=portrait(PORTRAIT_SEEDS[0], noise_seed=1),
        headers={"authorization": f"Bearer {at.api.key}", "content-type": "image/jpeg"},
    ).status_code


def photos_away(at: Stage) -> None:
    """The photo folder is gone, as a volume that is not mounted; events go on."""
    folder = at.settings.data_dir / "blobs"
    at.require(photo(at, "before") < 300, "a photo was not taken before")
    folder.rename(folder.with_name("elsewhere"))
    at.require(photo(at, "meanwhile") == 503, "a photo was not answered 503")
    at.require(not at.service.ready(), "/readyz says ready")
    folder.with_name("elsewhere").rename(folder)
    at.trouble_is_over()
    at.require(photo(at, "after") < 300, "a photo was not taken afterwards")


def photos_read_only(at: Stage) -> None:
    at.require(photo(at, "before") < 300, "a photo was not taken before")
    with _read_only(at.settings.data_dir / "blobs"):
        at.require(photo(at, "meanwhile") == 503, "a photo was not answered 503")
    at.trouble_is_over()
    at.require(photo(at, "after") < 300, "a photo was not taken afterwards")


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Root writes in spite of modes, and mounts what nobody writes to. Raises NotTried."""
    if os.geteuid() == 0:
        with _mounted_read_only(folder):
            yield
        return
    folders = [folder, *(it for it in folder.rglob("*") if it.is_dir())]
    for it in folders:
        it.chmod(0o500)
    yield
    for it in folders:
        it.chmod(0o700)


@contextmanager
def _mounted_read_only(folder: Path) -> Iterator[None]:
    try:
        subprocess.run(["mount", "--bind", folder, folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotTried("root may not mount here: run it as another user") from error
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def connections_cut(at: Stage) -> None:
    url = make_url(at.settings.database_url).set(drivername="postgresql")
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with psycopg.connect(url.render_as_string(hide_password=False)) as it:
            it.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.3)
    at.trouble_is_over()


def database_restarted(at: Stage) -> None:
    assert at.postgres is not None
    for pause_s in (0.2, SECONDS):
        time.sleep(0.5)
        at.postgres.restart(pause_s)
    at.trouble_is_over()


def database_read_only(at: Stage) -> None:
    """As a standby before it is promoted, or a server whose disk ran full: it reads and takes
    nothing."""
    url = make_url(at.settings.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as it:
        it.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        it.execute("SELECT pg_reload_conf()")
        time.sleep(SECONDS)
        at.require(not at.service.ready(), "/readyz says ready")
        it.execute("ALTER SYSTEM RESET default_transaction_read_only")
        it.execute("SELECT pg_reload_conf()")
    at.trouble_is_over()


def clock_set(at: Stage) -> None:
    """Back by ten minutes, ahead by a day, and right again (libfaketime)."""
    file = at.folder / FAKED
    for step in ("-600", "+86400", "+0"):
        file.write_text(f"{step}\n")
        time.sleep(1)
        at.require(at.service.ready() == (step == "+0"), f"/readyz is wrong at {step} s")
    at.trouble_is_over()


def under_faketime(folder: Path) -> dict[str, str]:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise NotTried("no libfaketime: apt-get install faketime")
    (folder / FAKED).write_text("+0\n")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(folder / FAKED),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@contextmanager
def connections(at: Stage, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    with ExitStack() as opened:
        made = []
        for _ in range(count):
            it = socket.create_connection(("127.0.0.1", at.settings.port), 10)
            made.append(opened.enter_context(it))
            it.sendall(sent)
        yield made


def few_descriptors(at: Stage) -> None:
    """The service may have 64 files open, and a hundred clients come."""
    resource.prlimit(at.service.pid, resource.RLIMIT_NOFILE, (64, 64))
    with connections(at, 100):
        time.sleep(SECONDS)
    at.trouble_is_over()


def slow_clients(at: Stage) -> None:
    """Two hundred who never finish: half of them in the headers, half in the body."""
    head = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"
    with connections(at, 100, head), connections(at, 100, head + b"\r\n{") as slow:
        for _ in range(int(SECONDS * 2)):
            for it in slow:
                it.sendall(b" ")
            time.sleep(0.5)
        at.require(at.service.ready(), "not ready beside slow clients")
    at.trouble_is_over()


def idle_connections(at: Stage) -> None:
    with connections(at, 2000):
        before = at.crowd.acknowledged
        time.sleep(SECONDS)
        at.require(at.crowd.acknowledged > before, "nothing was stored meanwhile")
        at.require(at.service.ready(), "not ready beside idle connections")
    at.trouble_is_over()


def wrong_key(at: Stage) -> None:
    """A second service with another key must not start; the first goes on."""
    other = apart(at.settings.data_dir, at.settings.database_url, master_key=SecretStr("x" * 64))
    second = ServiceProcess(other)
    second.begin()
    try:
        at.require(second.wait(60) != 0, "it started")
    except subprocess.TimeoutExpired:
        at.wrong.append("it started")
        second.kill()
    second.log.unlink()
    at.trouble_is_over()


def keys_exchanged(at: Stage) -> None:
    """Every key and then the master key, of an installation of some thousand people: the command
    is killed twice on its way, the service goes on."""
    file, following = at.settings.data_dir / "master.key", "n" * 64
    file.write_text(at.settings.master_key.get_secret_value())
    kept = {"ZHENXUE_MASTER_KEY": "", "ZHENXUE_MASTER_KEY_FILE": str(file)}
    at.service.start_with(kept)
    variables = environment(at.settings) | kept
    before = people(at.settings, PEOPLE)
    for words in (("exchange", "all"), ("resume",)):
        command = subprocess.Popen(
            [sys.executable, "-m", "app.cli.main", "keys", *words, "--now"], env=variables
        )
        hashed = hashed_anew(at.settings)
        until = time.monotonic() + 60
        while hashed_anew(at.settings) <= hashed + 500 and time.monotonic() < until:
            time.sleep(0.005)
        command.kill()
        command.wait()
        at.require(hashed_anew(at.settings) < PEOPLE, "it was over before it was killed")
    at.require(_command(variables, "keys", "resume", "--now") == 0, "it was not gone on with")
    at.require(hashed_anew(at.settings) >= PEOPLE, "not everybody was hashed anew")
    at.require(people(at.settings, 0) == before, "somebody is gone, or there twice")
    next_file = file.with_name("next.key")
    next_file.write_text(following)
    announced = _command(variables, "keys", "master", "announce", str(next_file))
    at.require(announced == 0, "the next master key was not announced")
    file.write_text(following)
    at.require(_command(variables, "keys", "master", "done") == 0, "it was not done")
    at.trouble_is_over()
    at.settings.master_key = SecretStr(following)
    at.require(_command(variables, "audit", "verify") == 0, "the audit log does not hold")


def people(settings: Settings, more: int) -> list[str]:
    """Everybody's ID number as it opens, `more` entered first; who has two rows stands twice."""
    services = Services.build(settings)
    rows = range(more)
    with services.database.write() as connection:
        platform_id = connection.execute(select(Platform.id).limit(1)).scalar_one()
        for n in rows:
            number = f"000000{1960 + n % 40}0101{n:04d}"
            learner = {
                "platform_id": platform_id,
                "external_id": f"drill-{n}",
                "person_id": store.ensure_person(connection, services.vault.id_number_hash(number)),
                "name": "演练",
                "id_number_encrypted": services.vault.seal(number.encode(), "id-number"),
                "face_consent": False,
                "created_ms": 0,
            }
            store.insert_learner(connection, **learner)
    with services.database.read() as connection:
        found = connection.execute(
            select(Person.id, Learner.id_number_encrypted)
            .outerjoin(Learner, Learner.person_id == Person.id)
            .order_by(Person.id)
        ).all()
    told = [f"{it[0]} {it[1] and services.vault.open(it[1], 'id-number').decode()}" for it in found]
    services.stop()
    return told


def hashed_anew(settings: Settings) -> int:
    database = Database(settings.resolved_database_url)
    with database.read() as connection:
        query = select(func.count()).where(Person.hash_generation > 1)
        count = connection.execute(query).scalar_one()
    database.close()
    return count


def restored(at: Stage) -> None:
    """A backup made under load is whole on an empty machine."""
    backups, fresh = at.settings.data_dir / "backups", at.settings.data_dir / "fresh"
    made = _command(environment(at.settings), "backup", str(backups))
    at.require(made == 0, "no backup was made")
    fresh.mkdir()
    empty = apart(fresh, f"sqlite:///{fresh / 'fresh.sqlite'}", master_key=at.settings.master_key)
    for folder in (it for it in backups.iterdir() if it.is_dir()):  # beside them lies the lock
        at.require(_command(environment(empty), "restore", str(folder)) == 0, "it is not whole")
    at.require((fresh / "fresh.sqlite").exists(), "there is no database")
    at.trouble_is_over()


def _command(variables: dict[str, str], *words: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "app.cli.main", *words], env=variables, capture_output=True
    ).returncode
