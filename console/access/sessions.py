"""A session ends after an hour without a click and after half a day in any case, and with its person."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

_SEEN, _BEGAN = "sluice_seen", "sluice_began"
_WRITE_EVERY = 60  # seconds: not every click writes the session


class SessionLimitsMiddleware:
    """Idle and absolute limits. (Django refuses inactive users by itself: ModelBackend.get_user.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            began = request.session.setdefault(_BEGAN, now)
            seen = request.session.get(_SEEN, now)
            if now - seen > settings.SESSION_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif now - seen > _WRITE_EVERY or _SEEN not in request.session:
                request.session[_SEEN] = now
        return self.get_response(request)
