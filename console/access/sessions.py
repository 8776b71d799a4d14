"""A session ends after an hour without a click and after half a day in any case, and with its person."""

import time
from collections.abc import Callable
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse

from console.access.models import User

_SEEN, _BEGAN = "sluice_seen", "sluice_began"
_WRITE_EVERY = 60  # seconds: not every click writes the session


class SessionLimitsMiddleware:
    """Idle and absolute limits. (Django refuses inactive users by itself: ModelBackend.get_user.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            request.session.setdefault(_BEGAN, now)
            if _is_over(request.session, now):
                logout(request)
            elif _SEEN not in request.session or (
                now - request.session[_SEEN] > _WRITE_EVERY and not _is_by_itself(request)
            ):
                request.session[_SEEN] = now
        return self.get_response(request)


def signed_in_user(session_key: str) -> User | None:
    """Return whose session this still is; None when it was ended, has run out, or its person's password changed."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    request = HttpRequest()
    request.session = session
    user = get_user(request)
    if not isinstance(user, User) or _is_over(session, int(time.time())):
        return None
    return user


def end_sessions_of(user: User) -> None:
    """End every session of the person, so that none comes back to life with a deactivated account."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def _is_over(session: SessionBase, now: int) -> bool:
    idle = now - session.get(_SEEN, now)
    return bool(idle > settings.SESSION_IDLE_SECONDS or now - session.get(_BEGAN, now) > settings.SESSION_COOKIE_AGE)


def _is_by_itself(request: HttpRequest) -> bool:
    """An open page asks for its news without anybody at it: the event stream, and htmx's reading."""
    return request.method == "GET" and (
        "HX-Request" in request.headers or request.headers.get("Accept") == "text/event-stream"
    )
