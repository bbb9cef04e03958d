"""Platforms are told at least once, signed, by a service that cannot be sent where it must not."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from standardwebhooks import Webhook as Signature

from app.domain.accounts import users
from app.domain.exchange import webhooks
from app.domain.notify import WebhookEvent
from app.domain.review import review
from app.errors import BadInput, Conflict
from app.jobs import face_worker, outbound
from app.jobs.outbound import Undeliverable, reachable
from app.jobs.webhooks import CLAIM_MS, Deliverer
from app.services import Services
from app.settings import Settings
from app.simulation.scenarios import perform
from app.store.exchange import webhooks as store
from models import Finding, Verdict, WebhookDelivery
from tests.people import County, TestClock
from tests.verdicts import PASSWORD, class_row, sign_in, take_without_photos, validate
from tests.waiting import eventually


class Receiver:
    """A platform's own server; `answers` are played one after the other, then 204."""

    def __init__(self, port: int = 0) -> None:
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.messages.append(({k.lower(): v for k, v in self.headers.items()}, body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                if answer in (301, 307):
                    self.send_header("location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?of=huang"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def told(self) -> list[tuple[str, str]]:
        return [(head["webhook-id"], json.loads(body)["type"]) for head, body in self.messages]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def deliverer(services: Services) -> Deliverer:
    return Deliverer(services, limit_s=0.5)


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_worker, "run_pending", lambda *_, **__: 0)


def register(services: Services, county: County, url: str, *events: WebhookEvent) -> Any:
    with services.database.write() as connection:
        return webhooks.register(
            connection,
            services.vault,
            county.huang.platform.id,
            url=url,
            events=events or list(WebhookEvent),
            https_only=False,
            actor="test",
            now_ms=services.clock(),
        )


def write_message(services: Services, webhook_id: int, name: str = "finding-1") -> None:
    """A message as a change leaves it in the outbox."""
    row = {
        "webhook_id": webhook_id,
        "message_id": name,
        "event": "finding.opened",
        "payload": {"type": "finding.opened", "data": {"note": "快进"}},
        "created_ms": services.clock(),
        "attempts": 0,
        "next_attempt_ms": services.clock(),
    }
    with services.database.write() as connection:
        store.enter(connection, [row])


def told_of(receiver: Receiver, event: str) -> dict[str, Any]:
    """The data of the first message of that kind."""
    messages = (json.loads(body) for _, body in receiver.messages)
    return next(it["data"] for it in messages if it["type"] == event)


def states(services: Services) -> list[tuple[str, int, str | None]]:
    with services.database.read() as connection:
        rows = connection.execute(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
    shown = [webhooks.shown(row) for row in rows]
    return [(it.state.value, it.attempts, it.last_error) for it in shown]


@pytest.mark.both_databases
def test_a_class_judged_with_a_cheat_in_it_is_told_once_and_signed(
    services: Services,
    county: County,
    tmp_path: Path,
    no_models: None,
    receiver: Receiver,
    deliverer: Deliverer,
    clock: TestClock,
) -> None:
    clock.now_ms = time.time_ns() // 1_000_000  # the verifier knows no other clock
    made = register(services, county, receiver.url)
    take_without_photos(services, county, perform("F02"), tmp_path)
    klass = class_row(services.database, county, "class-demo")
    validate(services, klass.id)
    while deliverer.round():
        pass
    with services.database.read() as connection:
        verdicts = connection.execute(
            select(Verdict.id).where(Verdict.subject_kind == "session")
        ).scalars()
        findings = connection.execute(select(Finding.id).where(~Finding.shadow)).scalars()
        expected = {f"verdict-{it}" for it in verdicts} | {f"finding-{it}" for it in findings}
    told = dict(receiver.told())
    assert len(receiver.messages) == len(told)
    assert {it for it in told if it.startswith(("verdict", "finding"))} == expected
    assert "class.validated" in told.values() and "session.verdict" in told.values()
    for head, body in receiver.messages:
        Signature(made.secret).verify(body, head)
        assert b"id_number" not in body and "林".encode() not in body
    verdict = told_of(receiver, "session.verdict")
    assert 0 <= verdict["credited_s"] < verdict["played_s"] <= verdict["media_s"]
    fast = next(it for it in verdict["findings"] if it["rule"] == "fast_forward")
    assert fast["zh"] and fast["en"] and fast["start_ms"] < fast["end_ms"]
    assert verdict["what_to_do"] and verdict["what_to_do"][0]["code"] != "nothing"
    judged = told_of(receiver, "class.validated")
    assert judged["outcomes"]["session"] == {"invalid": 1}
    assert judged["standing"]["session"] == {"pending_review": 1}, "nobody decided yet"
    validate(services, klass.id)
    assert deliverer.round() == 1  # nothing changed but that it was validated again
    assert receiver.told()[-1][1] == "class.validated"


def test_what_is_rolled_back_is_not_told(services: Services, county: County) -> None:
    made = register(services, county, "http://127.0.0.1:1/")
    with pytest.raises(RuntimeError), services.database.write() as connection:
        row = {"webhook_id": made.webhook.id, "message_id": "m", "event": "e", "payload": {}}
        store.enter(connection, [row | {"created_ms": 0, "attempts": 0, "next_attempt_ms": 0}])
        raise RuntimeError
    assert states(services) == []


def test_a_decision_is_told_once_it_is_settled_and_never_by_whom(
    services: Services,
    county: County,
    tmp_path: Path,
    no_models: None,
    receiver: Receiver,
    deliverer: Deliverer,
) -> None:
    take_without_photos(services, county, perform("F02"), tmp_path)
    validate(services, class_row(services.database, county, "class-demo").id)
    register(services, county, receiver.url, WebhookEvent.REVIEW_DECIDED)
    sign_in(services, "zhao", "潢川县")
    with services.database.write() as connection:
        zhao = users.check_password(connection, "zhao", PASSWORD)
        assert zhao is not None
        finding = connection.execute(
            select(Finding.id).where(~Finding.shadow, ~Finding.needs_two_reviewers).limit(1)
        ).scalar_one()
        for decision in ("need_more", "uphold"):
            review.decide(connection, finding, zhao, decision, "已核对记录", services.clock())
    assert deliverer.round() == 1
    ((_, body),) = receiver.messages
    data = json.loads(body)["data"]
    assert (data["finding_id"], data["decision"], data["status"]) == (finding, "uphold", "upheld")
    assert b"zhao" not in body


class TestAReceiverThatIs:
    @pytest.fixture
    def hook(self, services: Services, county: County, receiver: Receiver) -> int:
        made = register(services, county, receiver.url)
        write_message(services, made.webhook.id)
        return int(made.webhook.id)

    def test_failing_is_tried_again_later_and_later(
        self, services: Services, deliverer: Deliverer, receiver: Receiver, hook: int,
        clock: TestClock,
    ) -> None:  # fmt: skip
        receiver.answers = [500, 503]
        assert deliverer.round() == 0 and states(services) == [("waiting", 1, "not_accepted")]
        assert deliverer.round() == 0 and len(receiver.messages) == 1  # not yet
        clock.advance(seconds=13)
        deliverer.round()
        clock.advance(seconds=13)
        deliverer.round()
        assert len(receiver.messages) == 2  # the second pause is four times as long
        clock.advance(seconds=60)
        assert deliverer.round() == 1 and states(services) == [("delivered", 3, None)]
        assert len({head["webhook-id"] for head, _ in receiver.messages}) == 1

    def test_failing_under_a_clock_a_month_ahead_is_tried_again_once_it_is_right(
        self, services: Services, deliverer: Deliverer, receiver: Receiver, hook: int,
        clock: TestClock,
    ) -> None:  # fmt: skip
        receiver.answers = [500]
        clock.advance(hours=31 * 24)
        assert deliverer.round() == 0
        clock.advance(hours=-31 * 24)
        assert deliverer.round() == 1 and states(services) == [("delivered", 2, None)]

    def test_down_holds_up_nobody_else_and_is_given_up_in_the_end(
        self, services: Services, county: County, deliverer: Deliverer, receiver: Receiver,
        hook: int, clock: TestClock,
    ) -> None:  # fmt: skip
        other = Receiver()
        write_message(services, register(services, county, other.url).webhook.id)
        receiver.close()
        assert deliverer.round() == 1 and len(other.messages) == 1
        other.close()
        for _ in range(webhooks.MOST_ATTEMPTS):
            clock.advance(hours=16)
            deliverer.round()
        assert states(services)[0] == ("dead", webhooks.MOST_ATTEMPTS, "unreachable")

    def test_slow_is_cut_off_even_when_it_drips(
        self, services: Services, deliverer: Deliverer, receiver: Receiver, hook: int
    ) -> None:
        def drip(handler: BaseHTTPRequestHandler) -> None:
            handler.connection.settimeout(5)
            for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 200:
                try:
                    handler.wfile.write(bytes((byte,)))
                except OSError:
                    return
                time.sleep(0.05)

        receiver.answers = [drip]
        began = time.monotonic()
        assert deliverer.round() == 0
        assert time.monotonic() - began < 8.0  # of the eleven that it would take
        assert states(services) == [("waiting", 1, "too_slow")]

    def test_redirecting_is_not_followed(
        self, services: Services, deliverer: Deliverer, receiver: Receiver, hook: int
    ) -> None:
        receiver.answers = [307]
        assert deliverer.round() == 0 and len(receiver.messages) == 1
        assert states(services) == [("waiting", 1, "not_accepted")]

    def test_given_up_is_sent_again_by_hand(
        self, services: Services, county: County, deliverer: Deliverer, receiver: Receiver,
        hook: int, clock: TestClock,
    ) -> None:  # fmt: skip
        assert deliverer.round() == 1
        with services.database.write() as connection:
            (row,) = store.deliveries(connection, hook, None, 5)
            webhooks.redeliver(connection, None, hook, row.id, actor="test", now_ms=clock())
        assert deliverer.round() == 1
        assert receiver.told() == [("finding-1", "finding.opened")] * 2


@pytest.mark.both_databases
def test_what_a_killed_process_had_in_hand_is_sent_by_another(
    services: Services, county: County, receiver: Receiver, deliverer: Deliverer, clock: TestClock
) -> None:
    hook = register(services, county, receiver.url).webhook.id
    write_message(services, hook)
    with services.database.write() as connection:  # claimed, and then nothing more was heard
        (row,) = store.due(connection, hook, clock(), 5)
        assert store.claim(connection, row, clock() + CLAIM_MS)
        assert not store.claim(connection, row, clock() + CLAIM_MS)
    assert deliverer.round() == 0 and not receiver.messages
    clock.advance(minutes=2)
    assert deliverer.round() == 1


@pytest.mark.both_databases
def test_two_deliverers_side_by_side_send_each_message_once(
    services: Services, county: County, receiver: Receiver
) -> None:
    hook = register(services, county, receiver.url).webhook.id
    for number in range(20):
        write_message(services, hook, f"finding-{number}")
    pair = [Deliverer(services) for _ in range(2)]
    threads = [threading.Thread(target=it.round) for it in pair]
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    while pair[0].round():
        pass
    assert sorted(name for name, _ in receiver.told()) == sorted(
        f"finding-{number}" for number in range(20)
    )


class TestWhereItMayLead:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
            "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::",
            "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
        ],
    )  # fmt: skip
    def test_not_into_the_house(self, address: str) -> None:
        assert not reachable(ip_address(address))

    def test_outside_and_where_the_operator_allows_it(self) -> None:
        assert reachable(ip_address("8.8.8.8")) and reachable(ip_address("2606:4700::1111"))
        assert reachable(ip_address("10.20.0.9"), [ip_network("10.20.0.0/16")])
        assert not reachable(ip_address("10.21.0.9"), [ip_network("10.20.0.0/16")])

    def test_a_name_that_leads_inside_is_not_connected_to(self, receiver: Receiver) -> None:
        for host in ("localhost", "127.1", "2130706433", "0x7f.1"):
            with pytest.raises(Undeliverable, match="address_not_allowed"):
                outbound.post(f"http://{host}:{receiver.port}/", b"{}", {})
        assert not receiver.messages

    def test_a_name_that_changes_its_mind_is_asked_only_once(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def resolve(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            return [(0, 0, 0, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

        with monkeypatch.context() as patched:
            patched.setattr(outbound.socket, "getaddrinfo", _only_for("hook.test", resolve))  # type: ignore[attr-defined]
            url = f"http://hook.test:{receiver.port}/"
            assert outbound.post(url, b"{}", {}, [ip_network("127.0.0.0/8")]) == 204
        assert asked == ["hook.test"]
        assert receiver.messages[0][0]["host"].startswith("hook.test")

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/", "ftp://example.com/", "https://", "example.com", "https://a b/",
            "https://user:word@example.com/", "https://example.com/#x", "https://[::1", "file:///x",
            "https://example.com:99999/", "https://例子.中国/", "https://e.com/\r\nx: y",
        ],
    )  # fmt: skip
    def test_an_address_that_is_none_is_refused(
        self, services: Services, county: County, url: str
    ) -> None:
        with pytest.raises(BadInput, match="url"), services.database.write() as connection:
            webhooks.register(
                connection, services.vault, county.huang.platform.id, url=url,
                events=["finding.opened"], https_only=True, actor="test", now_ms=0,
            )  # fmt: skip

    def test_a_service_in_production_does_not_call_itself(self, tmp_path: Path) -> None:
        settings = Settings(
            env="production",
            master_key="k" * 40,
            public_url="https://zhenxue.example",
            data_dir=tmp_path,
            webhook_networks="10.0.0.0/8",
        )
        assert settings.webhook_allowed == (ip_network("10.0.0.0/8"),)
        with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
            Settings(webhook_networks="10.0.0.1/8")


class TestOverTheApi:
    def test_the_secret_is_told_once_and_kept_sealed(
        self, client: TestClient, county: County, services: Services
    ) -> None:
        wanted = {"url": "https://example.com/hook", "events": ["finding.opened"]}
        made = client.post("/v1/webhooks", json=wanted, headers=county.huang.headers).json()
        assert made["secret"].startswith("whsec_")
        listed = client.get("/v1/webhooks", headers=county.huang.headers)
        assert listed.json()["webhooks"] == [{k: v for k, v in made.items() if k != "secret"}]
        with services.database.read() as connection:
            everything = connection.exec_driver_sql("SELECT * FROM webhooks").all()
        assert made["secret"] not in repr(everything)

    def test_nobody_reaches_another_platforms(
        self, client: TestClient, county: County, services: Services
    ) -> None:
        hook = register(services, county, "https://example.com/").webhook.id
        write_message(services, hook)
        guang = county.guang.headers
        assert client.get("/v1/webhooks", headers=guang).json() == {"webhooks": []}
        log = f"/v1/webhooks/{hook}/deliveries"
        delivery = client.get(log, headers=county.huang.headers).json()["deliveries"][0]
        again = f"{log}/{delivery['delivery_id']}/redeliver"
        answers = (
            client.get(log, headers=guang),
            client.delete(f"/v1/webhooks/{hook}", headers=guang),
            client.post(again, headers=guang),
        )
        assert [it.status_code for it in answers] == [404, 404, 404]
        assert client.post(again, headers=county.huang.headers).status_code == 202

    def test_one_that_was_removed_gets_nothing_more(
        self, client: TestClient, county: County, services: Services, receiver: Receiver,
        deliverer: Deliverer,
    ) -> None:  # fmt: skip
        hook = register(services, county, receiver.url).webhook.id
        removed = client.delete(f"/v1/webhooks/{hook}", headers=county.huang.headers)
        assert removed.status_code == 204
        write_message(services, hook)
        assert deliverer.round() == 0 and not receiver.messages
        assert client.get("/v1/webhooks", headers=county.huang.headers).json() == {"webhooks": []}

    def test_the_running_service_delivers_and_counts(
        self, client: TestClient, county: County, services: Services, receiver: Receiver
    ) -> None:
        write_message(services, register(services, county, receiver.url).webhook.id)
        assert eventually(lambda: states(services)[0][0] == "delivered")
        told = client.get("/metrics").text
        assert 'zhenxue_webhook_attempts_total{outcome="delivered"} 1.0' in told
        assert "zhenxue_webhook_messages_waiting 0.0" in told

    def test_more_than_ten_are_refused(self, services: Services, county: County) -> None:
        for number in range(webhooks.MOST):
            register(services, county, f"https://example.com/{number}")
        with pytest.raises(Conflict):
            register(services, county, "https://example.com/more")


def _only_for(name: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver for one name; addresses in numbers are looked up as ever."""
    real = outbound.socket.getaddrinfo  # type: ignore[attr-defined]

    def look_up(host: str, port: int, *rest: Any, **named: Any) -> Any:
        return resolve(host, port) if host == name else real(host, port, *rest, **named)

    return look_up


# IANA's registries of special addresses, and where clouds tell a machine its secrets.
SPECIAL = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
198.18.0.0/15
198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
::/128 ::1/128 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23
2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
168.63.129.16/32 169.254.169.254/32 100.100.100.200/32 fd00:ec2::254/128
"""


@pytest.mark.parametrize("network", SPECIAL.split())
def test_no_delivery_goes_to_a_special_address(network: str) -> None:
    it = ip_network(network)
    for address in {it[0], it[-1], it[it.num_addresses // 2]}:
        assert not reachable(address)


def test_the_standard_library_knows_of_no_private_network_that_is_let_through() -> None:
    known = [
        *ipaddress.IPv4Network._constants._private_networks,  # type: ignore[attr-defined]
        *ipaddress.IPv6Network._constants._private_networks,  # type: ignore[attr-defined]
    ]
    assert len(known) > 20
    assert not [it for it in known if reachable(it[0]) or reachable(it[-1])]


def test_while_a_secret_changes_either_verifies_and_afterwards_the_new_one_alone(
    services: Services,
    county: County,
    receiver: Receiver,
    deliverer: Deliverer,
    clock: TestClock,
) -> None:
    clock.now_ms = time.time_ns() // 1_000_000 - webhooks.OVERLAP_MS
    made, mine = register(services, county, receiver.url), county.huang.platform.id
    hook = made.webhook.id
    with services.database.write() as connection:
        changed = webhooks.rotate_secret(
            connection, services.vault, mine, hook, actor="test", now_ms=services.clock()
        )
    before, clock.now_ms = clock.now_ms + 1, clock.now_ms + webhooks.OVERLAP_MS
    for now_ms, valid in ((before, {made.secret, changed}), (clock.now_ms, {changed})):
        clock.now_ms = now_ms
        with services.database.write() as connection:
            webhooks.test(connection, mine, hook, actor="test", now_ms=now_ms)
        assert deliverer.round() == 1
        head, body = receiver.messages[-1]
        signed = datetime.fromtimestamp(now_ms // 1000, UTC)
        expected = {Signature(it).sign(head["webhook-id"], signed, body.decode()) for it in valid}
        assert set(head["webhook-signature"].split()) == expected
        assert json.loads(body)["type"] == "webhook.test"
    Signature(changed).verify(body, head)


def test_a_listener_asks_for_what_is_never_sent_to_it(
    services: Services, county: County, deliverer: Deliverer, clock: TestClock
) -> None:
    hook, mine = register(services, county, "listen:").webhook.id, county.huang.platform.id
    write_message(services, hook)
    assert deliverer.round() == 0
    with services.database.write() as connection:
        ask = partial(webhooks.messages, connection, mine, hook, size=50, now_ms=clock.now_ms)
        (first,) = ask([])
        assert [it.message_id for it in ask([])] == [first.message_id] == ["finding-1"]
        assert ask([first.delivery_id]) == []
    assert [it[0] for it in states(services)] == ["delivered"]
    other = register(services, county, "http://127.0.0.1:1/").webhook.id
    with services.database.write() as connection, pytest.raises(Conflict):
        webhooks.messages(connection, mine, other, [], 50, clock.now_ms)


def test_what_a_killed_listener_left_behind_goes_once_nobody_has_asked_for_a_day(
    services: Services, county: County, clock: TestClock
) -> None:
    hook, mine = register(services, county, "listen:").webhook.id, county.huang.platform.id
    register(services, county, "listen:")  # of this one nothing waits
    write_message(services, hook)
    for hours, left in ((23, True), (2, False)):
        clock.advance(hours=hours)
        with services.database.write() as connection:
            webhooks.remove_left_behind(connection, "test", clock())
            assert (hook in [it.id for it in webhooks.webhooks(connection, mine)]) == left
            assert len(webhooks.webhooks(connection, mine)) == 1 + left
