"""What every template may use without asking."""

from functools import partial
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest

from console.access.authorization import Rights, rights_of
from console.access.demo_sign_in import sign_in_choices
from console.access.models import User
from console.access.permissions import Permission
from console.operations.protection import approvals
from console.web.live.hub import hub
from console.web.requests import ConsoleRequest
from console.web.topics import topic_of_part
from console.web.typed import typed

THEMES = ("auto", "light", "dark")


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the facts of this installation and of this person that the page frame shows.

    `frame_template` is what pages extend: the whole frame for a browser, the bare content for htmx.
    """
    htmx = getattr(request, "htmx", None)
    rights = getattr(request, "rights", None)
    return {
        "demo": settings.DEMO,
        "demo_users": sign_in_choices,  # asked only by the sign-in page
        "contact": settings.CONTACT,
        "request_id": getattr(request, "request_id", ""),
        "theme": theme_of(request),
        "typed": partial(typed, cast("ConsoleRequest", request)),
        "here_encoded": quote(request.get_full_path(), safe="/"),
        "rights": rights,
        "may_audit_somewhere": partial(_may_audit, request, rights),  # asked only where somebody is signed in
        "waiting_for_me": partial(_waiting_count, request, rights) if rights else 0,  # counted where it is shown
        "waiting_topic": topic_of_part("waiting", "") if rights and rights.allows(Permission.APPROVE) else "",
        "waiting_position": _waiting_position(request),
        "shows_tour": _shows_tour(request),
        "single_keys": request.COOKIES.get("sluice_keys") != "off",
        "frame_template": "_bare.html" if htmx else "base.html",
    }


def frame_facts(request: ConsoleRequest) -> tuple[object, ...]:
    """Return what the frame of a page shows besides the page itself, and may change from one request to the next."""
    rights = request.rights
    waiting, may_audit = _waiting_count(request, rights), _may_audit(request, rights)
    keys = request.COOKIES.get("sluice_keys")
    return (theme_of(request), keys, waiting, may_audit, _shows_tour(request), request.user.get_username())


def theme_of(request: HttpRequest) -> str:
    """Return which of THEMES the browser has chosen."""
    theme = request.COOKIES.get("sluice_theme", "auto")
    return theme if theme in THEMES else "auto"


def _shows_tour(request: HttpRequest) -> bool:
    """The services list leads people of a demo with a history through it, until they close the tour."""
    is_list = request.resolver_match is not None and request.resolver_match.url_name == "services"
    if not (is_list and settings.DEMO_HISTORY):
        return False
    user = request.user
    return isinstance(user, User) and user.is_demo and user.tour_closed_at is None


def _may_audit(request: HttpRequest, rights: Rights | None) -> bool:
    """The log is worth a place in the menu; pages of accounts have not read the person's rights yet."""
    held = rights or rights_of(cast(User, request.user))
    return held.allows(Permission.AUDIT)


def _waiting_position(request: HttpRequest) -> str:
    """Until which change the page shows how many wait: where this process's viewers were told until, at no cost."""
    return getattr(request, "position", "") or hub.position


def _waiting_count(request: Any, rights: Rights) -> int:
    """How many changes wait for this person; asked for once, though a page is compared by it and shows it."""
    if getattr(request, "waiting_count", None) is None:
        request.waiting_count = len(approvals.waiting_for(request.user, rights))
    count: int = request.waiting_count
    return count
