"""What a User-Agent header says in words: "Chrome 131 on Linux". What is not known is told as that.

Anybody can send any header: the words are what the browser reports of itself, and nothing is decided by them.
"""

import re

from django.utils.translation import gettext as _

MAX_READ = 300  # characters; the session keeps 200 of them
# The first that is found: those built on another browser also send its name.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/(\d{1,4})\b"),
    ("Opera", r"\bOPR/(\d{1,4})\b"),
    ("Samsung Internet", r"\bSamsungBrowser/(\d{1,4})\b"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d{1,4})\b"),
    ("Chromium", r"\bChromium/(\d{1,4})\b"),
    ("Chrome", r"\b(?:Headless)?(?:Chrome|CriOS)/(\d{1,4})\b"),
    ("Safari", r"\bVersion/(\d{1,4})[\d.]* (?:Mobile/\w{1,12} )?Safari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iPadOS", r"\biPad\b"),
    ("iOS", r"\biPhone\b"),
    ("Windows", r"\bWindows NT\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)
_PROGRAM = re.compile(r"([A-Za-z][\w.-]{0,30})/(\d{1,4})\b")


def told(user_agent: str) -> str:
    """Return the browser and its system, or the program, that a User-Agent header names."""
    text = user_agent[:MAX_READ].strip()
    if not text:
        return _("Not reported")
    if not text.startswith("Mozilla/"):
        return _program(text)
    browser, system = _browser(text), _system(text)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if system:
        return _("Unknown browser on %(system)s") % {"system": system}
    return browser or _("Unknown browser")


def _program(text: str) -> str:
    if found := _PROGRAM.match(text):
        return _("%(program)s (not a browser)") % {"program": " ".join(found.groups())}
    return _("Unknown browser")


def _browser(text: str) -> str:
    found = ((name, re.search(pattern, text, re.ASCII)) for name, pattern in _BROWSERS)
    return next((f"{name} {match[1]}" for name, match in found if match), "")


def _system(text: str) -> str:
    """The system is told in the first parentheses. An iPad that asks for pages as a desktop says Macintosh."""
    within = text.partition("(")[2].partition(")")[0]
    return next((name for name, pattern in _SYSTEMS if re.search(pattern, within, re.ASCII)), "")
