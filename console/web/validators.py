"""Answers that a page has not changed: 304 for who names, in If-None-Match, the validator of what they have.

A validator is made of the facts that a page shows, before anything is rendered, and of whose page it is: it never holds
for another person, session, language or part of the page. Pages stay `no-store`, so no browser keeps their bodies, with
masked tokens and a nonce of theirs, to use them again: what asks is the script of the page that shows the facts.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, get_conditional_response, patch_vary_headers
from django.utils.translation import get_language

from console.web.context import frame_facts
from console.web.requests import ConsoleRequest

VALIDATOR_BYTES = 16


def answer(
    request: ConsoleRequest,
    template: str,
    context: dict[str, Any],
    *,
    part: Iterable[object],
    around: Callable[[], Iterable[object]],
) -> HttpResponse:
    """Return the page, or 304 where the request has the validator of what it shows now.

    `part`: all that the live region shows, which htmx fetches again; the template gets its validator as `validator`.
    `around`: what the page shows besides, without its frame.
    """
    known = list(part)
    tag = validator(request, known)
    whole = tag if request.htmx else validator(request, [*known, *around(), *frame_facts(request)])
    unchanged = get_conditional_response(request, etag=whole)
    response = unchanged or render(request, template, {**context, "validator": tag})
    response["ETag"] = whole
    add_never_cache_headers(response)
    patch_vary_headers(response, ("Cookie", "HX-Request"))
    return response


def validator(request: ConsoleRequest, facts: Iterable[object]) -> str:
    """Return the weak validator of what this person sees of the facts: the same ones may be sent in other bytes."""
    digest = hashlib.blake2b(digest_size=VALIDATOR_BYTES)
    whose = (request.user.pk, request.session.session_key, get_language(), request.get_full_path())
    for fact in (*whose, *facts):
        digest.update(repr(fact).encode() + b"\0")
    return f'W/"{digest.hexdigest()}"'
