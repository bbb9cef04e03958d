"""A passkey in a real browser, with the authenticator that Chromium has for trying."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, expect

from tests.e2e.conftest import Visitor
from tests.e2e.site import PASSWORD, Site

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": False,
    "automaticPresenceSimulation": True,
}


def with_key(somebody: Visitor, site: Site) -> tuple[CDPSession, str]:
    """At a name, as passkeys are bound to none but names, with a security key plugged in."""
    somebody.site = dataclasses.replace(site, url=site.url.replace("127.0.0.1", "localhost"))
    tools = somebody.page.context.new_cdp_session(somebody.page)
    tools.send("WebAuthn.enable")
    added = tools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return tools, added["authenticatorId"]


def gives_password(somebody: Visitor) -> None:
    somebody.open("/console/login").page.get_by_label("用户名").fill("zhao")
    somebody.page.get_by_label("口令").fill(PASSWORD)
    somebody.page.get_by_role("button", name="登录").click()
    somebody.sees("二次验证")


def test_zhao_sets_a_passkey_up_and_signs_in_with_it_and_nobody_without(
    visitor: Visit, site: Site
) -> None:
    zhao, thief = visitor(), visitor()
    tools, key = with_key(zhao, site)
    zhao.sign_in("zhao").open("/console/account").follow("添加通行密钥")
    zhao.page.get_by_label("名称").fill("办公安全密钥")
    zhao.page.get_by_label("当前口令").fill(PASSWORD)
    zhao.page.get_by_role("button", name="添加").click()
    zhao.sees("恢复码只显示这一次")
    expect(zhao.page.locator("#factors input[name=name]")).to_have_value("办公安全密钥")
    credentials = tools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    assert len(credentials) == 1

    zhao.page.get_by_role("button", name="退出", exact=True).first.click()
    gives_password(zhao)
    assert Axe().run(zhao.page).response["violations"] == []
    zhao.page.get_by_role("button", name="使用通行密钥").click()
    expect(zhao.page.get_by_role("button", name="退出", exact=True)).to_be_visible()

    with_key(thief, site)  # another key
    gives_password(thief)
    thief.page.get_by_role("button", name="使用通行密钥").click()
    thief.sees("浏览器没有完成通行密钥操作")
    thief.open("/console").sees("用户名")
