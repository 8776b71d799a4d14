"""Signing in as people do: passkeys, codes, single sign-on, and pages that notice that a session is over."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from tests.access import identity_provider
from tests.access.identity_provider import Provider
from tests.browser.conftest import PASSWORDS, Visitor
from tests.console_process import RunningConsole, console
from tests.waiting import eventually

INSIDE = re.compile(r"^http://localhost:\d+/($|services|operations)")
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with identity_provider.running() as started:
        yield started


@pytest.fixture(scope="module")
def running(provider: Provider) -> Iterator[RunningConsole]:
    environment = {
        "CONSOLE_OIDC_ISSUER": provider.url,
        "CONSOLE_OIDC_CLIENT_ID": "sluice",
        "CONSOLE_OIDC_CLIENT_SECRET": "client-secret",
        "CONSOLE_OIDC_NAME": "Company",
    }
    with console(sandbox_speed=4, environment=environment) as started:
        # Security keys belong to a name, never to an address.
        yield replace(started, url=started.url.replace("127.0.0.1", "localhost"))


def with_key(visitor: Visitor) -> None:
    """Give the browser a security key that answers by itself."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def password(page: Page, username: str) -> None:
    page.fill("[name=login]", username)
    page.fill("[name=password]", PASSWORDS[username])
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page, username: str) -> None:
    page.fill("[name=password]", PASSWORDS[username])
    page.get_by_role("button", name="Confirm").click()


def sign_out(visitor: Visitor) -> None:
    visitor.go("/accounts/logout/").page.locator("main").get_by_role("button", name="Sign Out").click()
    visitor.page.wait_for_url(re.compile("/accounts/login/"))


def test_a_second_factor_by_app_by_key_and_a_passkey(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("viewer").go("/accounts/2fa/totp/activate/")
    confirm(page, "viewer")
    secret = page.locator("#authenticator_secret").inner_text()
    page.fill("[name=code]", "000000")
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    page.fill("[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Activate").click()
    codes = page.get_by_label("Unused codes").input_value().split()
    assert len(codes) == 10

    with_key(visitor)
    visitor.go("/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(re.compile("/accounts/2fa/$"))
    expect(visitor.go("/accounts/2fa/webauthn/").page.get_by_text("Laptop")).to_be_visible()
    visitor.keep("security-keys")

    sign_out(visitor)
    password(page, "viewer")
    expect(page).to_have_url(re.compile("/accounts/2fa/authenticate/"))
    visitor.go("/operations/")  # a password alone opens nothing
    expect(page).to_have_url(re.compile("/accounts/2fa/authenticate/"))
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url(INSIDE)

    sign_out(visitor)
    visitor.go("/accounts/login/?next=/operations/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile(r"^http://[^?]*/operations/$"))

    sign_out(visitor)
    password(page, "viewer")
    page.fill("[name=code]", codes[0])
    page.get_by_role("button", name="Sign In", exact=True).click()
    page.wait_for_url(INSIDE)

    visitor.go("/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Remove").click()
    if "reauthenticate" in page.url:
        confirm(page, "viewer")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No security keys have been added.")).to_be_visible()

    sign_out(visitor)
    visitor.sign_in("admin").go("/audit/?q=method+passkey")
    expect(page.locator("main tbody tr").filter(has_text="viewer").first).to_contain_text("passkey")


def test_a_key_that_does_not_answer_is_told_on_the_page(visitor: Visitor) -> None:
    with_key(visitor)  # which knows nobody here
    page = visitor.go("/accounts/login/").page
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("The security key was not used")).to_be_visible()


def test_single_sign_on_leads_there_and_back(visitor: Visitor, provider: Provider) -> None:
    provider.honest()
    provider.knows("42", preferred_username="carol", groups=[])
    page = visitor.go("/accounts/login/?next=/operations/").page
    page.get_by_role("button", name="Sign in with Company").click()
    page.wait_for_url(re.compile("/oauth2/authorize"))
    page.fill("[name=sub]", "42")
    page.locator("form [name=sub]").press("Enter")
    page.wait_for_url(re.compile(r"^http://[^?]*/operations/$"))
    expect(page.get_by_label("carol", exact=True)).to_be_visible()
    page.get_by_label("carol", exact=True).click()
    expect(page.locator(".menu-sheet").get_by_role("link", name="Password")).to_have_count(0)
    visitor.go("/accounts/3rdparty/")
    expect(page.get_by_role("heading", name="Single sign-on")).to_be_visible()
    visitor.keep("single-sign-on")


def test_a_page_that_is_open_when_its_session_is_revoked_goes_to_sign_in(visitor: Visitor, browser: Browser) -> None:
    page = visitor.sign_in("deployer").go("/").page
    expect(page.get_by_role("link", name="hello", exact=True)).to_be_visible()
    other = Visitor(browser.new_context(locale="en-GB"), visitor.base).sign_in("deployer")
    other.go("/accounts/sessions/").page.get_by_role("button", name="Sign Out Other Sessions").click()
    expect(other.page.get_by_text("Signed out of all other sessions.")).to_be_visible()
    page.evaluate("htmx.trigger('#live', 'changed')")
    page.wait_for_url(re.compile(r"/accounts/login/\?next=(/|%2F)$"))
    other.context.close()


def test_a_clients_own_word_about_its_address_is_not_believed(visitor: Visitor, running: RunningConsole) -> None:
    visitor.context.set_extra_http_headers({"X-Forwarded-For": "203.0.113.99", "X-Real-IP": "203.0.113.99"})
    visitor.sign_in("admin").go("/accounts/sessions/")
    expect(visitor.page.get_by_text("127.0.0.1").first).to_be_visible()
    assert "203.0.113.99" not in visitor.page.content()
    assert "203.0.113.99" not in visitor.go("/audit/").page.content()


def test_the_first_start_prints_the_first_administrators_link_once(browser: Browser) -> None:
    with console(environment={"CONSOLE_CLUSTERS": "[]"}) as started:
        words = eventually(lambda: re.findall(r"http://\S+/first-administrator/\S+", started.welcome()))
        assert len(words) == 1
        assert words[0].startswith(started.url)
        for name in ("web", "worker", "beat", "watcher"):
            assert "first-administrator" not in started.log(name)
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(words[0])
        page.fill("[name=username]", "root")
        page.fill("[name=password1]", "long-enough-password-1")
        page.fill("[name=password2]", "long-enough-password-1")
        page.get_by_role("button", name="Create administrator").click()
        page.fill("[name=login]", "root")
        page.fill("[name=password]", "long-enough-password-1")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda address: "/accounts/" not in address)
        assert page.goto(words[0]).status == 404
        context.close()
        with urllib.request.urlopen(f"{started.url}/healthz/live", timeout=60) as answer:
            assert json.load(answer) == {"status": "ok"}
