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

from console.knative.secret_search import NO_VALUES, ValueIndex

MASK = "••••"
MIN_LENGTH = 4  # characters; hiding less would shred any text
MIN_ANYWHERE = 8  # characters; shorter values are hidden as whole words only
MIN_CUT = 12  # characters of a value of which a part is hidden where the text was cut
MAX_CUT = 1 << 14  # characters of such a part; nobody cuts a text to more
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

# Each repetition before a fixed word is bounded: an unbounded one takes minutes for a long text of such characters.
_URL_USER = re.compile(r"(?P<keep>[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?P<hide>[^\s/?#@\"'<>]+)(?=@)")
# `user:password@registry.example.com/app`, but not `app:1.4@sha256:...`.
_IMAGE_USER = re.compile(
    r"(?<![\w./:@+-])(?P<hide>[\w.+-]+:[^\s/@:\"']+)(?=@(?!sha\d+:)[A-Za-z0-9][\w-]*[.:][\w.:-]*/)"
)
_HEADER = re.compile(
    r"""(?P<keep>authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest)\s+)?)(?P<hide>[^\s"',;]+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)(?P<hide>(?=\S*\d)[\w.~+/=-]{8,})", re.IGNORECASE)
_FLAG = re.compile(rf"(?P<keep>(?<!-)--?[\w.-]{{0,40}}{_ENDING}(?:=|\s+)(?!-))(?P<hide>{_VALUE})", re.IGNORECASE)
_ASSIGNED = re.compile(rf"(?P<keep>{_ENDING}=)(?P<hide>{_VALUE})", re.IGNORECASE)
_JSON = re.compile(rf'(?P<keep>"[\w.-]*{_ENDING}"\s*:\s*")(?P<hide>(?:[^"\\]|\\.)+)', re.IGNORECASE)
_QUOTED_JSON = re.compile(rf'(?P<keep>\\"[\w.-]*{_ENDING}\\"\s*:\s*\\")(?P<hide>[^"\\]+)', re.IGNORECASE)
# Each pattern with what a text must hold for it to be tried: most texts hold none of it.
_PATTERNS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (needs, needs.upper(), pattern)
    for needs, pattern in (
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
)
# No pattern matches a text without one of these, in small or in capital letters: names, which most texts of an object
# are, are done with at one look.
NEEDS = tuple(dict.fromkeys(entry[0] for entry in _PATTERNS))
is_suspicious = re.compile("|".join(sorted({re.escape(one) for entry in _PATTERNS for one in entry[:2]}))).search


def hide_all(_value: str) -> str:
    """Return the mask, whatever the value is."""
    return MASK


class Redactor:
    """Removes the same values from any number of texts. `hide` returns the replacement of a value."""

    def __init__(self, secrets: Iterable[str], hide: Hide = hide_all) -> None:
        self._hide = hide
        known = sorted({one for one in secrets if len(one) >= MIN_LENGTH}, key=lambda one: (-len(one), one))
        self.knows_any = bool(known)
        self._secrets = {spelling: secret for secret in reversed(known) for spelling in _spellings(secret)}
        self._whole = ValueIndex(self._secrets) if known else NO_VALUES
        long = [secret for secret in known if len(secret) >= MIN_CUT]
        self._at_end = _Halves(long) if long else _NO_HALVES
        self._at_begin = _Halves([secret[::-1] for secret in long]) if long else _NO_HALVES

    def with_hide(self, hide: Hide) -> "Redactor":
        """Return one for the same values, which are not indexed again, with another replacement."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), _hide=hide)  # copy.copy takes ten times as long
        return other

    def __call__(self, text: str) -> str:
        """Return the text without the values and without what it names as credentials."""
        if self.knows_any:
            text = self._without_cut(self._without_whole(text))
        return without_credentials(text, self._hide)

    def _without_whole(self, text: str) -> str:
        parts, done = [], 0
        for begin, end, secret in self._spans(text):
            parts += [text[done:begin], self._hide(secret)]
            done = end
        return "".join((*parts, text[done:])) if parts else text

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """(begin, end, what is hidden) of each value in the text; values that overlap are hidden together."""
        found: list[tuple[int, int, str]] = []
        for begin, spellings in self._whole.matches(text):
            spelling = next((one for one in spellings if _may_hide(text, begin, one)), "")
            end = begin + len(spelling)
            if not found or begin >= found[-1][1]:
                found += [(begin, end, self._secrets[spelling])] if spelling else []
            elif end > found[-1][1]:
                found[-1] = (found[-1][0], end, text[found[-1][0] : end])
        return found

    def _without_cut(self, text: str) -> str:
        """Hide the part of a value that is left where the text was cut off."""
        begin, quotes, output = text.partition(BEGINS_OUTPUT)
        if quotes:
            text = f"{begin}{quotes}{self._without_begin(output)}"
        text = self._without_begin(text)
        cut, secret = self._at_end.cut(text)
        return text[:-cut] + self._hide(secret) if cut else text

    def _without_begin(self, text: str) -> str:
        cut, backwards = self._at_begin.cut(text[:MAX_CUT][::-1])
        return self._hide(backwards[::-1]) + text[cut:] if cut else text


class _Halves:
    """Long values, found where at least half of one is the end of a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: dict[str, list[str]] = {}
        for secret in secrets:
            self._secrets.setdefault(secret[: max(MIN_ANYWHERE, len(secret) // 2)], []).append(secret)
        self._index = ValueIndex(self._secrets)
        self._longest = max((len(one) for found in self._secrets.values() for one in found), default=0)

    def cut(self, text: str) -> tuple[int, str]:
        """Return how many characters at the end of the text are the beginning of a value, and the value; (0, "")."""
        end = text[-min(MAX_CUT, self._longest) :] if self._longest else ""
        for place, halves in self._index.matches(end):
            rest = end[place:]
            for secret in (one for half in halves for one in self._secrets[half]):
                if len(rest) < len(secret) and secret.startswith(rest):
                    return len(rest), secret
        return 0, ""


_NO_HALVES = _Halves(())
KNOWS_NOTHING = Redactor(())


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the given values and without what it names as credentials."""
    return Redactor(secrets)(text)


def without_credentials(text: str, hide: Hide = hide_all) -> str:
    """Return the text without what it names as a credential itself."""
    if not is_suspicious(text):
        return text
    for needs, needs_upper, pattern in _PATTERNS:
        if needs in text or needs_upper in text:
            text = pattern.sub(lambda match: _hidden(match, hide), text)
    return text


def credentials_in(text: str) -> Iterator[str]:
    """Yield what the text names as credentials: passwords of URLs apart from their users, values without quotes."""
    if not is_suspicious(text):
        return
    for needs, needs_upper, pattern in _PATTERNS:
        if needs in text or needs_upper in text:
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


def _may_hide(text: str, begin: int, spelling: str) -> bool:
    """Whether what is found there is the value: a short one is only a whole word."""
    if len(spelling) >= MIN_ANYWHERE:
        return True
    around = text[max(0, begin - 1) : begin] + text[begin + len(spelling) :][:1]
    return not re.search(r"\w", around)


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
