"""An administrator sees what a platform was told, what failed and why, and sends it again."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy import select, update

from app.domain.accounts import refused_requests, users
from app.domain.accounts.refused_requests import Occurrences, Reason, Told
from app.domain.exchange import webhooks
from app.store.exchange import webhooks as store
from models import Platform, WebhookDelivery
from tests.console.conftest import Desk


def told(desk: Desk) -> str:
    """A platform with a message that was given up; its slug."""
    services = desk.services
    with services.database.write() as connection:
        platform = connection.execute(select(Platform).order_by(Platform.id)).first()
        assert platform is not None
        made = webhooks.register(
            connection, services.vault, platform.id, url="https://example.com/hook",
            events=["finding.opened"], https_only=True, actor="test", now_ms=1,
        )  # fmt: skip
        message = {"message_id": "finding-1", "event": "finding.opened", "payload": {}}
        times = {"created_ms": 1, "attempts": 10, "next_attempt_ms": None}
        store.enter(connection, [{"webhook_id": made.webhook.id, **message, **times}])
        connection.execute(update(WebhookDelivery).values(last_error="unreachable"))
    return str(platform.slug)


def test_what_was_given_up_is_shown_and_sent_again(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk().sign_in("root")
    page = f"/console/platforms/{told(desk)}"
    html = desk.get(page)
    assert "https://example.com/hook" in html and "连接不上" in html and "已放弃" in html
    with desk.services.database.read() as connection:
        row = connection.execute(select(WebhookDelivery)).one()
    path = f"{page}/webhooks/{row.webhook_id}/deliveries/{row.id}"
    assert desk.client.post(path, data={"csrf": "another's"}).status_code == 403
    desk.client.post(path, data={"csrf": desk.csrf(page)})
    assert "连接不上" in desk.get(page) and "待发" in desk.get(page)


def test_only_an_administrator_sees_addresses(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    page = f"/console/platforms/{told(desk)}"
    assert "example.com" not in desk.sign_in("zhao").get(page)


def test_a_platforms_own_people_register_try_and_change_their_webhook(
    new_desk: Callable[[], Desk],
) -> None:
    desk = new_desk().sign_in("feng")
    assert desk.client is not None
    with desk.services.database.read() as connection:
        viewer = users.named(connection, "feng")
        slug = connection.scalars(
            select(Platform.slug).where(Platform.id == viewer.platform_id)
        ).one()
    page = f"/console/platforms/{slug}"
    form = {"csrf": desk.csrf(page), "url": "https://user:x@huang.example/", "event": "x"}
    refused = desk.client.post(f"{page}/webhooks", data=form)
    assert refused.status_code == 422 and "不含用户名" in refused.text
    form |= {"url": "https://huang.example/hook", "event": "session.verdict"}
    first = re.findall("whsec_[^<]+", desk.client.post(f"{page}/webhooks", data=form).text)
    assert len(first) == 1 and "whsec_" not in desk.get(page)
    with desk.services.database.read() as connection:
        hook = webhooks.webhooks(connection)[-1]
    at = f"{page}/webhooks/{hook.id}"
    assert "测试通知" in desk.client.post(f"{at}/test", data=form).text
    second = re.findall("whsec_[^<]+", desk.client.post(f"{at}/secret", data=form).text)
    assert second != first and "新旧签名密钥并用至" in desk.get(page)
    again = desk.client.post(f"{at}/secret", data=form)
    assert again.status_code == 422 and "仍在并用期内" in again.text
    desk.client.post(f"{at}/remove", data=form)
    assert "huang.example/hook" not in desk.get(page)


def refused(desk: Desk, times: Occurrences, *reasons: Reason) -> str:
    """Requests of the platform that Feng is of, each refused for one of these; its slug."""
    with desk.services.database.write() as connection:
        platform_id = users.named(connection, "feng").platform_id
        assert platform_id is not None
        told = [Told(platform_id, None, reason, times) for reason in reasons]
        refused_requests.enter(connection, told)
        return connection.scalars(select(Platform.slug).where(Platform.id == platform_id)).one()


def test_a_platforms_people_see_their_refused_requests_and_auditors_do_not(
    new_desk: Callable[[], Desk],
) -> None:
    desk = new_desk().sign_in("feng")
    reason = Reason("PUT", "/v1/classes/{class_id}", 422, "invalid_input", "starts_on")
    twice = Occurrences(2, desk.services.clock(), "starts_on: no date", "req-12345678")
    slug = refused(desk, twice, reason)
    html = desk.get(f"/console/platforms/{slug}")
    for told in ("/v1/classes/{class_id}", "invalid_input", "starts_on: no date", "req-12345678"):
        assert told in html
    assert "req-12345678" not in new_desk().sign_in("zhao").get(f"/console/platforms/{slug}")


def test_reasons_of_refusal_are_told_in_words_with_what_to_do(
    new_desk: Callable[[], Desk],
) -> None:
    desk = new_desk().sign_in("feng")
    codes = ("before_opening", "batch_conflict", "scope_missing")
    once = Occurrences(1, desk.services.clock(), "at_ms: …", "req-1")
    slug = refused(desk, once, *(Reason("POST", "/v1/events", 409, it, "") for it in codes))
    html = desk.get(f"/console/platforms/{slug}")
    assert "所说的播放在学习会话开始以前：请即时转发" in html
    assert "改过的内容请用新的batch_id" in html and "这把密钥没有这项权限" in html
    english = desk.client.get(f"/console/language/en?next=/console/platforms/{slug}").text
    assert "tell of play from before their session was opened: forward at once" in english
    assert "The key lacks that scope" in english


def test_a_platforms_own_people_try_and_set_how_its_statements_find_their_sitting(
    new_desk: Callable[[], Desk],
) -> None:
    desk = new_desk().sign_in("feng")
    with desk.services.database.read() as connection:
        platform_id = users.named(connection, "feng").platform_id
        slugs = {it.id: it.slug for it in connection.execute(select(Platform))}
    assert platform_id is not None
    mine = slugs.pop(platform_id)
    page = f"/console/platforms/{mine}/statements"
    assert page in desk.get(f"/console/platforms/{mine}")
    statement = (
        '{"actor":{"mbox":"mailto:nobody@huang.example"},"object":{"id":"urn:l1"},'
        '"verb":{"id":"https://w3id.org/xapi/video/verbs/played"},'
        '"result":{"extensions":{"https://w3id.org/xapi/video/extensions/time":0}}}'
    )
    form = {"csrf": desk.csrf(page), "act": "try", "learner.by": "mbox", "statements": statement}
    assert "对不上任何学员" in desk.client.post(page, data=form).text
    assert "未启用" in desk.get(page)
    desk.client.post(page, data=form | {"act": "save"})
    assert "已启用" in desk.get(page)
    for other in slugs.values():
        path = f"/console/platforms/{other}/statements"
        assert desk.client.get(path).status_code == 404
        assert desk.client.post(path, data=form | {"act": "save"}).status_code == 404
