"""The session by which the identity provider is asked: each answer is complete in time and small, or there is none."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import requests
from requests.adapters import HTTPAdapter

from console import deadlines

TIMEOUT = 5.0  # seconds without a byte
CALL_SECONDS = 10.0  # for one answer, from looking up the name to its last byte
PAGE_SECONDS = 25.0  # for everything that one page asks: configuration, token, keys, person
MAX_ANSWER = 1024 * 1024  # bytes, unzipped
MAX_REDIRECTS = 5

P = ParamSpec("P")
T = TypeVar("T")


class AnswerTooLarge(requests.RequestException):
    """The provider's answer has more than MAX_ANSWER bytes."""


class _TimedAdapter(HTTPAdapter):
    """Sends over connections that observe a deadline, and reads the answer under the same one."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        deadlines.use(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        deadlines.use(manager)
        return manager

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Return the whole answer within CALL_SECONDS; raises a RequestException."""
        with deadlines.within(CALL_SECONDS):
            answer = super().send(*args, **{**kwargs, "stream": True})
            answer._content = _body(answer)
        return answer


def _body(answer: requests.Response) -> bytes:
    body = b""
    for piece in answer.iter_content(64 * 1024):
        body += piece
        if len(body) > MAX_ANSWER:
            answer.close()
            raise AnswerTooLarge(f"more than {MAX_ANSWER} bytes", response=answer)
    return body


def session() -> requests.Session:
    """Return a session of its own for a few calls; none is tried again, since a code counts once."""
    made = requests.Session()
    made.max_redirects = MAX_REDIRECTS
    for scheme in ("http://", "https://"):
        made.mount(scheme, _TimedAdapter())
    made.request = functools.partial(made.request, timeout=TIMEOUT)  # type: ignore[method-assign]  # this session only
    return made


def in_time(view: Callable[P, T]) -> Callable[P, T]:
    """Give everything that a view asks the provider PAGE_SECONDS together."""

    @functools.wraps(view)
    def timed(*args: P.args, **kwargs: P.kwargs) -> T:
        with deadlines.within(PAGE_SECONDS):
            return view(*args, **kwargs)

    return timed
