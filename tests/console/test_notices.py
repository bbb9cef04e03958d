"""People are told in time: in the console, by mail and by group robots; once, and of nobody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from app.domain.accounts import users
from app.domain.review import sign_off
from app.jobs.telling import Teller
from app.services import Services
from models import Appeal, Finding, NoticeChoice, NoticeDelivery, ReviewCase, Run
from tests.console.conftest import Clock, Desk
from tests.console.county import PASSWORD, add

SECRET = "SEC-of-the-robot"
HOUR_MS = 3_600_000


class Robot:
    """A group robot's endpoint as 企业微信 and 钉钉 document it; `codes` are answered in turn."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.codes: list[int] = []
        self.signed: list[dict[str, str]] = []
        robot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                robot.asked.append((query, body))
                code = robot.codes.pop(0) if robot.codes else 0
                answer = json.dumps({"errcode": code, "errmsg": "ok" if not code else "no"})
                robot.signed.append(
                    {it: self.headers[it] for it in self.headers if it.startswith("webhook-")}
                )
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def robot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    made = Robot()
    monkeypatch.setattr(desk.services.settings, "robot_hosts", made.host)
    yield made
    made.server.shutdown()
    made.server.server_close()


class Mailbox:
    def __init__(self) -> None:
        self.held: list[Envelope] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        self.held.append(envelope)
        return "250 OK"


def certificate(folder: Path) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "mail.crt", folder / "mail.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture
def mailbox(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that takes mail after STARTTLS and a password only."""
    box, (cert, key) = Mailbox(), certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)

    def known(*said: Any) -> AuthResult:
        data = said[-1]
        return AuthResult(success=(data.login, data.password) == (b"zhenxue", b"mail-secret"))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(
        box,
        "127.0.0.1",
        port,
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=known,
    )
    server.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    for name, value in {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_from": "zhenxue@county.example",
        "smtp_user": "zhenxue",
        "smtp_password": type(desk.services.settings.master_key)("mail-secret"),
        "public_url": "https://zhenxue.county.example",
    }.items():
        monkeypatch.setattr(desk.services.settings, name, value)
    yield box
    server.stop(no_assert=True)


def choose(desk: Desk, **chosen: Any) -> Any:
    form = {"csrf": desk.csrf("/console/notices"), "kind": ["new_work", "overdue", "appeals"]}
    return desk.client.post("/console/notices/ways", data=form | chosen)


def outbox(services: Services) -> list[Any]:
    with services.database.read() as connection:
        return list(connection.execute(select(NoticeDelivery.__table__)).all())


def test_zhao_finds_what_waits_in_the_feed_and_the_badge_goes_when_she_has_read_it(
    desk: Desk,
) -> None:
    desk.sign_in("zhao")
    assert "目前没有提醒" in desk.get("/console/notices")
    Teller(desk.services).round()
    page = desk.get("/console/notices")
    assert "未读</td>" in page and "案" in page and 'title="未读"' in desk.get("/console")
    until = page.split('name="until" value="')[1].split('"')[0]
    form = {"csrf": desk.csrf("/console/notices"), "until": until}
    assert desk.client.post("/console/notices/read", data=form).status_code == 200
    assert 'title="未读"' not in desk.get("/console")
    Teller(desk.services).round()
    assert 'title="未读"' not in desk.get("/console"), "the same again is no news"


def test_mail_goes_over_starttls_once_a_day_and_holds_nobodys_name(
    desk: Desk, mailbox: Mailbox, clock: Clock
) -> None:
    desk.sign_in("zhao")
    assert choose(desk, email="zhao@county.example", often="daily").status_code == 200
    with desk.services.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE cases SET opened_ms = {clock.now_ms}")
    clock.now_ms += -clock.now_ms % (24 * HOUR_MS) + 2 * HOUR_MS  # ten on the next morning
    services = desk.services
    with ThreadPoolExecutor(2) as two_services:
        list(two_services.map(lambda it: it.round(), (Teller(services), Teller(services))))
    clock.now_ms += HOUR_MS
    Teller(services).round()
    (envelope,) = mailbox.held
    assert envelope.rcpt_tos == ["zhao@county.example"]
    message = message_from_bytes(bytes(envelope.original_content or b""), policy=policy.default)
    text = message.get_content()
    assert "https://zhenxue.county.example/console/cases" in text and "案" in text
    with services.database.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM learners").scalars().all()
    assert names and not [it for it in names if it in text]


def test_a_dead_mail_server_is_asked_again_later_and_then_the_mail_arrives(
    desk: Desk, mailbox: Mailbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sign_in("zhao")
    choose(desk, email="zhao@county.example", often="at_once")
    port = desk.services.settings.smtp_port
    monkeypatch.setattr(desk.services.settings, "smtp_port", 9)
    Teller(desk.services).round()
    failed = outbox(desk.services)
    assert failed and all(it.last_error and not it.delivered_ms for it in failed)
    monkeypatch.setattr(desk.services.settings, "smtp_port", port)
    clock.now_ms += 60_000
    Teller(desk.services).round()
    assert len(mailbox.held) == len(failed)
    assert all(it.delivered_ms and it.next_attempt_ms is None for it in outbox(desk.services))


def test_a_dingtalk_robot_is_told_with_its_signature_and_again_when_it_refuses(
    desk: Desk, robot: Robot, clock: Clock
) -> None:
    desk.sign_in("zhao")
    robot.codes = [310000] * 9
    address = f"http://{robot.host}/robot/send?access_token=secret-of-the-group"
    answer = choose(desk, often="at_once", robot="dingtalk", robot_url=address, robot_secret=SECRET)
    assert answer.status_code == 200 and "secret-of-the-group" not in answer.text
    Teller(desk.services).round()
    assert {it.last_error for it in outbox(desk.services)} == {"errcode_310000"}
    robot.codes = []
    clock.now_ms += 60_000
    Teller(desk.services).round()
    query, body = robot.asked[-1]
    said = f"{query['timestamp']}\n{SECRET}".encode()
    signed = hmac.new(SECRET.encode(), said, hashlib.sha256).digest()
    assert query["access_token"] == "secret-of-the-group"
    assert query["sign"] == base64.b64encode(signed).decode()
    assert body["msgtype"] == "text" and "真学" in body["text"]["content"]
    assert all(it.delivered_ms for it in outbox(desk.services))
    with desk.services.database.read() as connection:
        kept = connection.execute(select(NoticeChoice.ways_encrypted)).scalar_one()
    assert b"secret-of-the-group" not in kept and SECRET.encode() not in kept


def test_a_wecom_robot_is_told_without_one_and_stops_when_it_is_taken_back(
    desk: Desk, robot: Robot
) -> None:
    desk.sign_in("zhao")
    choose(
        desk,
        often="at_once",
        robot="wecom",
        robot_url=f"http://{robot.host}/cgi-bin/webhook/send?key=k-1",
    )
    choose(desk, often="at_once", robot="wecom")  # its address is kept
    robot.codes = [93000] * 9
    Teller(desk.services).round()
    assert robot.asked and robot.asked[0][0] == {"key": "k-1"}
    choose(desk, often="at_once")
    desk.clock.now_ms += 60_000
    before = len(robot.asked)
    Teller(desk.services).round()
    assert len(robot.asked) == before
    assert {it.last_error for it in outbox(desk.services)} == {"not_wanted"}


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/robot/send?access_token=a",
        "http://oapi.dingtalk.com/robot/send?access_token=a",
        "https://oapi.dingtalk.com@evil.example/robot/send?access_token=a",
        "https://oapi.dingtalk.com/robot/send",
        "https://[oapi.dingtalk.com/robot/send?access_token=a",
        "",
    ],
)
def test_a_robot_lives_on_the_hosts_of_its_makers_only(desk: Desk, address: str) -> None:
    desk.sign_in("zhao")
    answer = choose(desk, robot="dingtalk", robot_url=address)
    assert answer.status_code == 422 and "不是所选机器人" in answer.text


def test_due_dates_failed_nights_platform_faults_and_appeals_each_come_with_their_cases(
    desk: Desk,
) -> None:
    desk.sign_in("zhao")
    now_ms, today = desk.clock(), datetime.fromtimestamp(desk.clock() / 1000, UTC).date()
    with desk.services.database.write() as connection:
        first, second, *_ = connection.scalars(select(ReviewCase.id).order_by(ReviewCase.id))
        for case, days in ((first, 1), (second, -1)):
            due = (today + timedelta(days=days)).isoformat()
            connection.execute(update(ReviewCase).where(ReviewCase.id == case).values(due_on=due))
        connection.execute(update(Finding).values(fault="platform", created_ms=now_ms))
        night = {"kind": "nightly", "state": "failed", "requested_by": "system", "summary": {}}
        times = {"started_ms": now_ms, "heartbeat_ms": now_ms, "total": 1, "done": 0}
        add(connection, Run, **night, **times)
        finding = desk.county.findings["fast:fast_forward"]
        appeal = {"finding_id": finding, "filed_by": "learner", "statement": "是我本人学的"}
        add(connection, Appeal, **appeal, created_ms=now_ms)
    Teller(desk.services).round()
    page = desk.get("/console/notices")
    for told in ("案两天内到期", "案已逾期", "新发现平台问题", "夜间校验有1次", "件申诉待答复"):
        assert told in page, told
    overdue = page.partition("案已逾期")[2].partition("</tr>")[0]
    assert f'href="/console/cases/{second}"' in overdue


def test_who_chose_english_is_told_in_english_by_a_webhook_of_their_own(
    desk: Desk, robot: Robot
) -> None:
    desk.sign_in("zhao")
    key = b"0123456789abcdef0123456789abcdef"
    secret = "whsec_" + base64.b64encode(key).decode()
    chosen: dict[str, Any] = {"often": "at_once", "robot": "webhook", "language": "en"}
    address = f"http://{robot.host}/told"
    assert choose(desk, **chosen, robot_url=address, robot_secret="easy").status_code == 422
    assert choose(desk, **chosen, robot_url=address, robot_secret=secret).status_code == 200
    Teller(desk.services).round()
    (_, body), signed = robot.asked[0], robot.signed[0]
    assert body["type"] == "notice" and "new cases to decide. Open" in body["data"]["text"]
    raw = json.dumps(body, ensure_ascii=False)
    said = f"{signed['webhook-id']}.{signed['webhook-timestamp']}.{raw}".encode()
    own = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    assert signed["webhook-signature"] == "v1," + own
    assert all(it.delivered_ms for it in outbox(desk.services))


def test_the_clerk_of_a_school_reads_that_its_lists_were_signed_and_where_to_take_them(
    han: Desk,
) -> None:
    services, klass = han.services, han.county.classes["HC-2026-014"]
    made = sign_off.Submission("a" * 64, {"eligible": 1, "ineligible": 2, "pending": 0}, b"[]")
    with services.database.write() as connection:
        known = [users.check_password(connection, it, PASSWORD) for it in ("zhao", "sun")]
        zhao, sun = (it for it in known if it is not None)
        sign_off.submit(connection, services.vault, klass, zhao, made, "", han.clock())
        sign_off.sign(connection, klass, sun, made.digest, han.clock())
    Teller(services).round()
    page = han.get("/console/notices")
    line = page.partition("有1个班的名单已签发")[0].rpartition("<tr>")[2]
    assert 'href="/console/classes"' in line
    assert "签发的名单" in page and "更正的已签发名单" in page, "it can be had by mail too"
    assert f"/console/classes/{klass}" in han.get("/console/classes")
