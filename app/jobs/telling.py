"""Tells people in time: looks at what waits, and sends what they chose by mail and group robot.

Any number of services may run it side by side: what is told is unique in the database, and an
attempt is claimed before it is made.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import quote_plus

import structlog
from standardwebhooks import Webhook as Signer

from app.clock import at
from app.domain.accounts import users
from app.domain.exchange import webhooks
from app.domain.review import notices
from app.domain.review.notices import NoticeWays
from app.jobs import outbound
from app.jobs.outbound import Undeliverable
from app.jobs.repeating import Repeating
from app.services import Services
from app.settings import Settings
from app.store.review import notices as store
from app.store.review.notices import DueNotice

EVERY_S = 60.0
CLAIM_MS = 120_000
_LIMIT_S = 20.0
_AT_ONCE = 200

log = structlog.get_logger("zhenxue.telling")


class Teller:
    """`round` is one look at what waits, and one at the outbox."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._job = Repeating("telling", EVERY_S, self.round)
        self.start: Callable[[], None] = self._job.start
        self.stop: Callable[[], None] = self._job.stop

    def round(self) -> int:
        """How many messages arrived."""
        self._look()
        with self._services.database.read() as connection:
            rows = store.due(connection, self._services.clock(), _AT_ONCE)
        return sum(self._deliver(row) for row in rows if not self._job.stopping.is_set())

    def _look(self) -> None:
        services = self._services
        link = services.settings.public_url.rstrip("/")
        with services.database.read() as connection:
            people = users.active(connection)
        for user in people:
            if self._job.stopping.is_set():
                return
            with services.database.write() as connection:
                notices.tell(connection, services.vault, user, link, services.clock())

    def _deliver(self, row: DueNotice) -> bool:
        """One attempt; whether it arrived."""
        services = self._services
        with services.database.write() as connection:
            if not store.claim(connection, row, services.clock() + CLAIM_MS):
                return False
            ways = notices.ways_of(connection, services.vault, row.user_id)
        error = self._post(row, ways)
        given_up, now_ms = error == "not_wanted", services.clock()
        again = None if given_up else webhooks.next_attempt_ms(row.attempts + 1, now_ms)
        with services.database.write() as connection:
            store.attempted(
                connection,
                row.id,
                delivered_ms=None if error else now_ms,
                next_attempt_ms=again if error else None,
                last_error=error,
            )
        if error:
            log.info("not delivered", delivery=row.id, way=row.way, error=error)
        return error is None

    def _post(self, row: DueNotice, ways: NoticeWays) -> str | None:
        """Why it did not arrive; None: it did."""
        services = self._services
        if row.disabled_ms is not None or not (ways.email if row.way == "email" else ways.robot):
            return "not_wanted"
        try:
            if row.way == "email":
                return send_mail(services.settings, ways.email, row.body)
            allowed = services.settings.webhook_allowed
            if ways.robot == "webhook":
                message = f"notice-{row.id}"
                return call_webhook(ways, message, row.body, services.clock(), allowed)
            return call_robot(ways, row.body, services.clock(), allowed)
        except Undeliverable as error:
            return error.code
        except smtplib.SMTPResponseException as error:
            return f"smtp_{error.smtp_code}"
        except (OSError, smtplib.SMTPException) as error:
            return type(error).__name__


def send_mail(settings: Settings, to: str, body: str) -> str | None:
    """Hand a message to the mail server; None: it was taken. Raises what smtplib raises."""
    if not settings.smtp_host:
        return "no_mail_server"
    message = EmailMessage()
    message["From"], message["To"] = settings.smtp_from, to
    message["Subject"] = body.splitlines()[1][:100]
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.smtp_from.rpartition("@")[2].strip(">"))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    context = ssl.create_default_context()
    where = (settings.smtp_host, settings.smtp_port)
    tls = settings.smtp_security == "tls"
    connection = (
        smtplib.SMTP_SSL(*where, timeout=_LIMIT_S, context=context)
        if tls
        else smtplib.SMTP(*where, timeout=_LIMIT_S)
    )
    with connection:
        if settings.smtp_security == "starttls":
            connection.starttls(context=context)
        if settings.smtp_user:
            connection.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        connection.send_message(message)
    return None


def call_webhook(
    ways: NoticeWays,
    message_id: str,
    body: str,
    now_ms: int,
    allowed: tuple[outbound.Network, ...] = (),
) -> str | None:
    """Post a message as Standard Webhooks has it, `{type: "notice", timestamp, data: {text}}`;
    None: it was taken. Raises Undeliverable."""
    when = datetime.fromtimestamp(now_ms // 1000, UTC)
    timestamp = at(now_ms).isoformat(timespec="milliseconds")
    payload = {"type": "notice", "timestamp": timestamp, "data": {"text": body}}
    data = json.dumps(payload, ensure_ascii=False)
    headers = {
        "content-type": "application/json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Signer(ways.robot_secret).sign(message_id, when, data),
    }
    status, _ = outbound.exchange(ways.robot_url, data.encode(), headers, allowed)
    return None if 200 <= status < 300 else f"status_{status}"


def call_robot(
    ways: NoticeWays, body: str, now_ms: int, allowed: tuple[outbound.Network, ...] = ()
) -> str | None:
    """Post a text to a group robot, 企业微信 or 钉钉; None: it was taken, by the robot's own
    `errcode` and not by the status alone. Raises Undeliverable."""
    url = ways.robot_url
    if ways.robot == "dingtalk" and ways.robot_secret:
        url += (
            f"&timestamp={now_ms}&sign={quote_plus(dingtalk_signature(ways.robot_secret, now_ms))}"
        )
    message = {"msgtype": "text", "text": {"content": body}}
    headers = {"content-type": "application/json; charset=utf-8"}
    status, answer = outbound.exchange(
        url, json.dumps(message, ensure_ascii=False).encode(), headers, allowed
    )
    if status != 200:
        return f"status_{status}"
    try:
        code = json.loads(answer)["errcode"]
    except (ValueError, KeyError, TypeError):
        return "no_errcode"
    return None if code == 0 else f"errcode_{str(code)[:20]}"


def dingtalk_signature(secret: str, now_ms: int) -> str:
    """Base64 of HMAC-SHA256 over timestamp, line feed and secret, keyed by the secret.

    Source: https://open.dingtalk.com/document/robots/customize-robot-security-settings
    """
    said = f"{now_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()


def install(services: Services) -> None:
    job = Teller(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
