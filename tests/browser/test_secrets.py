"""Values that people put into the console are searched for afterwards everywhere they must not be.

Each value is unlike any other text. They may stand in the cluster, and nowhere else in the clear: not in a log, the
database, a session, Redis, a page of somebody else, an address, the browser's stores, the export or a timeline.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import sqlite3
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Request, expect

from tests.browser.conftest import PASSWORDS, Visitor
from tests.console_process import RunningConsole

REASON = "reason-that-is-meant-to-be-read"
HELLO = "/services/sandbox/default/hello/"


class Canaries:
    """The values, by what they were typed into."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def new(self, where: str) -> str:
        self.values[where] = f"canary-{secrets.token_hex(12)}"
        return self.values[where]

    def found_in(self, text: str) -> list[str]:
        """Where those that stand in the text were typed, plain, as base64 or as JSON in base64."""
        found = []
        for where, value in self.values.items():
            encoded = base64.b64encode(value.encode()).decode().rstrip("=")
            if value in text or encoded in text:
                found.append(where)
        return found


def submit(visitor: Visitor, outcome: str, reason: str = "") -> None:
    visitor.page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(visitor.page.get_by_role("heading", name="Review changes")).to_be_visible()
    visitor.page.fill("[name=reason]", reason)
    visitor.page.locator("main button[form=apply]").click()
    visitor.page.wait_for_url(re.compile("/operations/"))
    visitor.page.wait_for_selector(f"#operation[data-status^='{outcome}']")


def set_variable(visitor: Visitor, name: str, value: str) -> None:
    page = visitor.go(f"{HELLO}env/").page
    page.get_by_role("button", name="Add a variable").click()
    blank = page.locator("input[name^=name-]:not([type=hidden])").first
    index = (blank.get_attribute("name") or "").removeprefix("name-")
    blank.fill(name)
    page.fill(f"[name=value-{index}]", value)


def with_variable(manifest: str, name: str, value: str, more: str = "") -> str:
    """The manifest with a variable more in its first container."""
    lines = [f"- name: {name}", f"  value: {value}", *([f"  {more}"] if more else [])]
    return manifest.replace("env:\n", "env:\n" + "".join(f"        {line}\n" for line in lines), 1)


def play(visitor: Visitor, canaries: Canaries, addresses: list[str]) -> str:
    """Type a value into everything that takes one; returns the text of the timelines."""
    page = visitor.page
    page.on("request", lambda request: addresses.append(_told(request)))

    visitor.go("/accounts/login/")
    page.fill("[name=login]", "deployer")
    page.fill("[name=password]", canaries.new("a wrong password"))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("are not correct")).to_be_visible()
    visitor.sign_in("deployer")

    set_variable(visitor, "CHANGED", canaries.new("a new variable"))
    submit(visitor, "succeeded", REASON)
    told = page.inner_text("main")

    # Previewed and never submitted; and sent back to the form from the preview
    set_variable(visitor, "PREVIEWED", canaries.new("a previewed variable"))
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()

    # A pasted file, and one that is refused beside the field
    visitor.go(f"{HELLO}env/")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.fill("[name=paste]", f"PASTED={canaries.new('a pasted file')}\nPORT={canaries.new('a refused pasted file')}")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_text("is reserved: Knative sets it itself.")).to_be_visible()

    # YAML: one that the cluster's webhook refuses, one that runs
    visitor.go(f"{HELLO}yaml/")
    manifest = page.input_value("textarea.manifest")
    page.fill(
        "textarea.manifest", with_variable(manifest, "REFUSED", canaries.new("a refused manifest"), "fieldOfNobody: 1")
    )
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(page.get_by_text("The cluster rejected this.")).to_be_visible()
    told += page.inner_text(".note-error")  # the table of changes shows its author what they typed
    visitor.go(f"{HELLO}yaml/")
    page.fill("textarea.manifest", with_variable(manifest, "FROM_YAML", canaries.new("a manifest")))
    submit(visitor, "succeeded")
    told += page.inner_text("main")

    # An account: a refused new password, a second factor
    visitor.go("/accounts/password/change/")
    page.fill("[name=oldpassword]", canaries.new("a wrong old password"))
    page.fill("[name=password1]", canaries.new("a new password"))
    page.fill("[name=password2]", canaries.values["a new password"])
    page.get_by_role("button", name="Change Password").click()
    expect(page.locator(".problem").first).to_be_visible()
    visitor.go("/accounts/2fa/totp/activate/")
    page.fill("[name=password]", PASSWORDS["deployer"])
    page.get_by_role("button", name="Confirm").click()
    secret = canaries.values["a TOTP secret"] = page.locator("#authenticator_secret").inner_text()
    page.fill("[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Activate").click()
    for number, code in enumerate(page.get_by_label("Unused codes").input_value().split()[:3]):
        canaries.values[f"recovery code {number}"] = code
    return told


def _told(request: Request) -> str:
    """What a proxy's log would hold of the request."""
    return f"{request.method} {request.url} {request.headers.get('referer', '')}"


@pytest.fixture
def reader(browser: Browser, running: RunningConsole) -> Iterator[Visitor]:
    """Another person, who may see everything and reveal nothing."""
    context = browser.new_context(locale="en-GB")
    yield Visitor(context, running.url).sign_in("viewer")
    context.close()


def test_values_are_where_they_are_meant_to_be_and_nowhere_else(
    visitor: Visitor, reader: Visitor, browser: Browser, running: RunningConsole
) -> None:
    canaries, addresses = Canaries(), []  # type: Canaries, list[str]
    timelines = play(visitor, canaries, addresses)
    admin = Visitor(browser.new_context(locale="en-GB"), running.url).sign_in("admin")

    searched = {
        "timelines": timelines,
        "addresses": "\n".join(addresses),
        "logs": "".join(path.read_text(errors="replace") for path in (running.state / "logs").iterdir()),
        "the supervisor's output": running.welcome(),
        "the database's files": database_bytes(running.state),
        "sessions": sessions(running.state),
        "Redis": everything_in_redis(running.state),
        "Redis's files": "".join(bytes_of(path) for path in (running.state / "redis").rglob("*") if path.is_file()),
        "the browser's stores": stores(visitor),
        "pages of a reader": "".join(pages_of(reader)),
        "pages of an administrator": "".join(pages_of(admin)),
        "health": "".join(fetched(running.url + path) for path in ("/healthz/live", "/healthz/ready", "/metrics")),
        "exports": "".join(exported(admin)),
        "error pages": "".join(errors_of(reader, canaries)),
    }  # fmt: skip
    admin.context.close()

    assert {where: found for where, text in searched.items() if (found := canaries.found_in(text))} == {}
    assert len(canaries.values) >= 12
    assert not [where for where, text in searched.items() if len(text) < 40], "something was not searched at all"
    for where in ("the database's files", "pages of an administrator", "exports", "timelines"):
        assert REASON in searched[where], f"the search would not find a value in {where}"
    in_cluster = cluster_env(running.state)
    for meant in ("a new variable", "a manifest"):
        assert canaries.values[meant] in in_cluster, f"{meant} must have arrived, or nothing was proved"
    assert canaries.values["a previewed variable"] not in in_cluster


def bytes_of(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def database_bytes(state: Path) -> str:
    """Every byte of SQLite's files, the write-ahead log and freed pages among them, and every row as text."""
    raw = "".join(bytes_of(path) for path in sorted(state.glob("console.sqlite3*")))
    with sqlite3.connect(f"file:{state / 'console.sqlite3'}?mode=ro", uri=True) as connection:
        return raw + "\n".join(connection.iterdump())


def sessions(state: Path) -> str:
    """What sessions hold, unpacked."""
    with sqlite3.connect(f"file:{state / 'console.sqlite3'}?mode=ro", uri=True) as connection:
        rows = [row[0] for row in connection.execute("SELECT session_data FROM django_session")]
    found = []
    for row in rows:
        packed = row.partition(":")[0] or row.split(":")[1]
        data = base64.urlsafe_b64decode(packed.lstrip(".") + "=" * (-len(packed.lstrip(".")) % 4))
        found.append((zlib.decompress(data) if row.startswith(".") else data).decode())
    assert any("_auth_user_id" in session for session in found)
    return "\n".join(found)


def everything_in_redis(state: Path) -> str:
    """Every key with its whole value."""
    with redis.Redis(unix_socket_path=str(state / "redis.sock")) as client:
        texts = []
        for key in client.scan_iter(count=1000):
            kind = client.type(key).decode()
            read = {
                "string": client.get,
                "hash": client.hgetall,
                "set": client.smembers,
                "stream": client.xrange,
                "list": lambda one: client.lrange(one, 0, -1),
                "zset": lambda one: client.zrange(one, 0, -1),
            }
            texts.append(f"{key!r} {read[kind](key)!r}")
    assert len(texts) > 5
    return "\n".join(texts)


def stores(visitor: Visitor) -> str:
    """Cookies, and what the page may keep in the browser."""
    kept = visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    return kept + json.dumps(visitor.context.storage_state(indexed_db=True))


def pages_of(person: Visitor) -> Iterator[str]:
    """The pages about the service, its operations and the log, as this person gets them."""
    person.go("/operations/")
    operations = person.page.eval_on_selector_all(
        "a[href*='/operations/']", "all => all.map((one) => one.getAttribute('href'))"
    )
    paths = ["/", HELLO, f"{HELLO}revisions/", f"{HELLO}env/", f"{HELLO}yaml/", "/operations/", "/activity/", "/audit/"]
    paths += [f"{HELLO}revisions/hello-0000{number}/" for number in (1, 2, 3)]
    for path in dict.fromkeys(paths + [one for one in operations if one.startswith("/operations/")]):
        yield person.go(path).page.content()


def exported(person: Visitor) -> Iterator[str]:
    for form in ("CSV", "CSV for Excel", "JSON lines"):
        person.go("/audit/")
        with person.page.expect_download() as download:
            person.page.get_by_role("button", name=form, exact=True).click()
        yield Path(download.value.path()).read_text()


def errors_of(person: Visitor, canaries: Canaries) -> Iterator[str]:
    """Pages of a failure, provoked with a value in the body."""
    for path in (f"{HELLO}env/", "/no-such-page/", "/accounts/login/"):
        value = canaries.new(f"a refused request to {path}")
        answer = person.context.request.post(
            person.base + path, form={"value-0": value, "paste": value, "password": value}
        )
        yield f"{answer.status} {answer.text()} {answer.headers}"


def fetched(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}" + " " * 40


def cluster_env(state: Path) -> str:
    """The service as the sandbox holds it."""
    box = json.loads((state / "sandbox.json").read_text())
    address = f"{box['url']}/apis/serving.knative.dev/v1/namespaces/default/services/hello"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {box['token']}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())
