"""The list of sessions says which browser it was in words, with the header itself to unfold."""

from __future__ import annotations

import re
from html import unescape

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import translation
from django.utils.html import escape

from console.access.models import User
from console.web.browsers import told

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"
LINUX = f"Mozilla/5.0 (X11; Linux x86_64) {LIKE_GECKO} Chrome/131.0.0.0 Safari/537.36"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"
PHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT}"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (LINUX, "Chrome 131 on Linux"),
        (LINUX.replace("Chrome/", "HeadlessChrome/"), "Chrome 131 on Linux"),
        (LINUX.replace("Chrome/", "Ubuntu Chromium/131.0.1 Chrome/"), "Chromium 131 on Linux"),
        (LINUX.replace("X11; Linux x86_64", "Linux; Android 10; K"), "Chrome 131 on Android"),
        (LINUX.replace("X11; Linux x86_64", "X11; CrOS x86_64 14541.0.0"), "Chrome 131 on ChromeOS"),
        (f"{LINUX} Edg/131.0.2903.86".replace("X11; Linux x86_64", "Windows NT 10.0"), "Edge 131 on Windows"),
        (f"{LINUX} OPR/116.0.0.0", "Opera 116 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox 133 on Windows"),
        (f"{MAC} Version/18.1.1 Safari/605.1.15", "Safari 18 on macOS"),
        (f"{PHONE} Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18 on iOS"),
        (f"{PHONE} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1", "Chrome 131 on iOS"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Unknown browser on Linux"),
        ("Mozilla/5.0 (PlayStation; 5.0) Chrome/131.0", "Chrome 131"),
        ("Mozilla/5.0 (compatible)", "Unknown browser"),
        ("curl/8", "curl 8 (not a browser)"),
        ("curl/8.11.0", "curl 8 (not a browser)"),
        ("python-requests/2.32.3", "python-requests 2 (not a browser)"),
        ("", "Not reported"),
        ("  ", "Not reported"),
        ("\u202eChrome/131 on your own machine", "Unknown browser"),
        ("a" * 4096, "Unknown browser"),
        ("Mozilla/5.0 (" + "Linux;" * 700, "Unknown browser on Linux"),
        ("Mozilla/5.0 (" + "Version/1 " * 400 + ") Chrome/131", "Unknown browser"),
        ("Mozilla/5.0 (X11; Linux) Chrome/" + "9" * 4000, "Unknown browser on Linux"),
    ],
)  # fmt: skip
def test_what_a_browser_reports_is_told_in_words_and_nothing_is_made_up(header: str, words: str) -> None:
    assert told(header) == words


def test_the_words_are_those_of_the_reader() -> None:
    with translation.override("zh-hans"):
        assert told(LINUX) == "Linux 上的 Chrome 131"
        assert told("") == "未报告"


@pytest.mark.django_db
@pytest.mark.parametrize("header", [LINUX, "curl/8", "", "<script>alert(1)</script>" + "x" * 4096])
def test_the_list_of_sessions_has_the_words_first_and_the_header_folded(client: Client, header: str) -> None:
    User.objects.create_user("alice", password="right-password-1")
    client.defaults["HTTP_USER_AGENT"] = header
    client.post("/accounts/login/", {"login": "alice", "password": "right-password-1"})

    page = client.get("/accounts/sessions/").content.decode()

    kept = UserSession.objects.get().user_agent
    folded = re.findall(r'<summary title="([^"]*)">([^<]*)</summary>\s*<bdi><code>([^<]*)</code></bdi>', page)
    assert [tuple(map(unescape, one)) for one in folded] == ([(kept, told(kept), kept)] if kept else [])
    assert escape(told(kept)) in page
