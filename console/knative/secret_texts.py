"""Keeping given values, and whatever a text itself names as a credential, out of free text.

1. A value of 8 characters or more is hidden wherever it is found; a shorter one only as a whole word, so that `s3cr` is
   not searched for inside other words. Under 4 characters nothing is hidden.
2. A value is also found as JSON, Go, a URL or base64 write it, and line by line, as a log shows it.
3. Messages are cut: the end of a long value at the beginning of a text, or its beginning at the end, is hidden too.
4. Without any known value: the user part of a URL, an Authorization header, `--password=...`, `token=...`,
   `"apiKey": "..."`.

Which values of an object are given is decided in console.knative.secret_values.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

MASK = "••••"
MIN_LENGTH = 4  # characters; hiding less would shred any text
MIN_ANYWHERE = 8  # characters; shorter values are hidden as whole words only
MIN_CUT = 12  # characters of a value of which a part is hidden where the text was cut
BEGINS_OUTPUT = "failed with: "  # Knative puts this before the end of what a container printed

Hide = Callable[[str], str]

# Names of variables, flags, keys and headers whose value is a credential.
SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|passcode|(?:^|[_.-])(?:pass|pwd|pw|pin|auth|dsn|jwt|sid)(?:$|[_.\d-])|pwd$"
    r"|secret|token|credential|cookie|authorization"
    r"|(?:api|access|account|private|secret|signing|encryption|master|license|ssh)[_.-]?key",
    re.IGNORECASE,
)
_ENDING = (
    r"(?:passw(?:or)?d|passphrase|passcode|pwd|secret|token|credentials?"
    r"|(?:api|access|account|private|secret|signing|encryption|master)[_.-]?key)[_\d]*"
)
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s&;,"'<>\])}]+)"""

_URL_USER = re.compile(r"(?P<keep>[A-Za-z][A-Za-z0-9+.-]*://)(?P<hide>[^\s/?#@\"'<>]+)(?=@)")
# `user:password@registry.example.com/app`, but not `app:1.4@sha256:...`.
_IMAGE_USER = re.compile(
    r"(?<![\w./:@+-])(?P<hide>[\w.+-]+:[^\s/@:\"']+)(?=@(?!sha\d+:)[A-Za-z0-9][\w-]*[.:][\w.:-]*/)"
)
_HEADER = re.compile(
    r"""(?P<keep>authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest)\s+)?)(?P<hide>[^\s"',;]+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)(?P<hide>(?=\S*\d)[\w.~+/=-]{8,})", re.IGNORECASE)
_FLAG = re.compile(rf"(?P<keep>--?[\w.-]*{_ENDING}(?:=|\s+)(?!-))(?P<hide>{_VALUE})", re.IGNORECASE)
_ASSIGNED = re.compile(rf"(?P<keep>(?<![\w-])[\w.-]*{_ENDING}=)(?P<hide>{_VALUE})", re.IGNORECASE)
_JSON = re.compile(rf'(?P<keep>"[\w.-]*{_ENDING}"\s*:\s*")(?P<hide>(?:[^"\\]|\\.)+)', re.IGNORECASE)
_QUOTED_JSON = re.compile(rf'(?P<keep>\\"[\w.-]*{_ENDING}\\"\s*:\s*\\")(?P<hide>[^"\\]+)', re.IGNORECASE)
# Each pattern with what a text must hold for it to be tried: most texts hold none of it.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("@", _URL_USER),
    ("@", _IMAGE_USER),
    ("uthorization", _HEADER),
    ("earer ", _SCHEME),
    ("asic ", _SCHEME),
    ("--", _FLAG),
    ("=", _ASSIGNED),
    ('":', _JSON),
    ('\\":', _QUOTED_JSON),
)


def hide_all(_value: str) -> str:
    """Return the mask, whatever the value is."""
    return MASK


class Redactor:
    """Takes the same values out of any number of texts. `hide` tells what stands in the place of a value."""

    def __init__(self, secrets: Iterable[str], hide: Hide = hide_all) -> None:
        self._hide = hide
        known = sorted({one for one in secrets if len(one) >= MIN_LENGTH}, key=lambda one: (-len(one), one))
        spellings = {spelling: secret for secret in reversed(known) for spelling in _spellings(secret)}
        self._spellings = sorted(spellings.items(), key=lambda item: (-len(item[0]), item[0]))
        self._long = [secret for secret in known if len(secret) >= MIN_CUT]

    def __call__(self, text: str) -> str:
        """Return the text without the values and without what it names as credentials."""
        for spelling, secret in self._spellings:
            if spelling in text:
                text = _without(text, spelling, self._hide(secret))
        for secret in self._long:
            text = self._without_cut(text, secret)
        return without_credentials(text, self._hide)

    def _without_cut(self, text: str, secret: str) -> str:
        """Hide the part of a value that is left where the text was cut off."""
        begin, _, output = text.partition(BEGINS_OUTPUT)
        if output and (cut := _cut_begin(output, secret)):
            text = f"{begin}{BEGINS_OUTPUT}{self._hide(secret)}{output[cut:]}"
        if cut := _cut_begin(text, secret):
            text = self._hide(secret) + text[cut:]
        if cut := _cut_end(text, secret):
            text = text[:-cut] + self._hide(secret)
        return text


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the given values and without what it names as credentials."""
    return Redactor(secrets)(text)


def without_credentials(text: str, hide: Hide = hide_all) -> str:
    """Return the text without what it names as a credential itself."""
    for needs, pattern in _PATTERNS:
        if needs in text or needs.upper() in text:
            text = pattern.sub(lambda match: _hidden(match, hide), text)
    return text


def credentials_in(text: str) -> Iterator[str]:
    """Yield what the text names as credentials: passwords of URLs apart from their users, values without quotes."""
    for needs, pattern in _PATTERNS:
        if needs in text or needs.upper() in text:
            for match in pattern.finditer(text):
                found = _unquoted(match["hide"])
                is_user = pattern in (_URL_USER, _IMAGE_USER)
                yield found.partition(":")[2] if is_user and ":" in found else found


def _hidden(match: re.Match[str], hide: Hide) -> str:
    kept = match.groupdict().get("keep", "")
    found = match["hide"]
    mark = found[0] if found[0] in "\"'" and found[0] == found[-1] and len(found) > 1 else ""
    return f"{kept}{mark}{hide(_unquoted(found))}{mark}"


def _unquoted(found: str) -> str:
    return found[1:-1] if len(found) > 1 and found[0] in "\"'" and found[0] == found[-1] else found


def _without(text: str, spelling: str, mark: str) -> str:
    if len(spelling) >= MIN_ANYWHERE:
        return text.replace(spelling, mark)
    return re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", lambda _match: mark, text)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="")
    yield quote(secret)
    if len(secret) >= MIN_ANYWHERE:
        encoded = secret.encode(errors="surrogatepass")
        yield base64.b64encode(encoded).decode().rstrip("=")
        yield base64.urlsafe_b64encode(encoded).decode().rstrip("=")
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= MIN_ANYWHERE)


def _cut_begin(text: str, secret: str) -> int:
    """How many characters of the value's end the text begins with; 0 for less than half of it."""
    least = _least(secret)
    start = text[:least]
    at = secret.find(start, 1) if len(start) == least else -1
    while at > 0:  # the first place is the longest part
        if text.startswith(secret[at:]):
            return len(secret) - at
        at = secret.find(start, at + 1)
    return 0


def _cut_end(text: str, secret: str) -> int:
    least = _least(secret)
    end = text[-least:]
    at = secret.rfind(end, 0, len(secret) - 1) if len(end) == least else -1
    while at >= 0:  # the last place is the longest part
        if text.endswith(secret[: at + least]):
            return at + least
        at = secret.rfind(end, 0, at + least - 1)
    return 0


def _least(secret: str) -> int:
    """How many characters of a value are enough to be hidden where a text was cut."""
    return max(MIN_ANYWHERE, len(secret) // 2)
