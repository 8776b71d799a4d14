"""The HTTP surface: routes, who asks, whether they may, and each verb's answer."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from console.sandbox import errors
from console.sandbox.answers import CutConnection, json_response, media_type, read_body, with_warnings, written_response
from console.sandbox.calls import APPLY_PATCH, Call, json_object
from console.sandbox.control import Control
from console.sandbox.discovery import OPENAPI_ROOT, VERSION, Discovery
from console.sandbox.faults import Fault, Faults
from console.sandbox.furnishing import Furnisher
from console.sandbox.identity import Tokens, User, impersonated
from console.sandbox.patches import merge_patch
from console.sandbox.paths import attributes_of, located, verb_of
from console.sandbox.pod_logs import log_response
from console.sandbox.rbac import Attributes, Authorizer
from console.sandbox.reading import list_objects
from console.sandbox.resources import Resource
from console.sandbox.reviews import Reviews, issue_token
from console.sandbox.store import Store
from console.sandbox.watch import Watches
from console.sandbox.writing import Admit, Writer, Written

JSON = "application/json"
CREATED = 201
ADMITTED = ("create", "update", "patch")  # the verbs that webhooks see
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PREFIXES = ("/api/{version}", "/apis/{group}/{version}")
OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")

logger = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
Warn = Callable[[str, Resource, dict[str, Any]], tuple[str, ...]]  # of a verb, a kind and what was stored


class Api:
    """The application; its parts are visible so that a server can end what lasts (`watches`)."""

    def __init__(
        self,
        store: Store,
        tokens: Tokens,
        admit: Admit,
        *,
        warn: Warn = lambda *_: (),
        clock: Any = None,
        bookmark_seconds: float = 30,
        authority: str = "",
    ) -> None:
        """`warn` is what a webhook says beside accepting an object.

        `clock` has a settable `speed` (None: the control endpoint refuses to change it).

        `authority` is the certificate that clients inside the cluster are told to trust.
        """
        self.store = store
        self.tokens = tokens
        self.watches = Watches(store, bookmark_seconds=bookmark_seconds)
        self._authorizer = Authorizer(store)
        self._reviews = Reviews(self._authorizer)
        self._discovery = Discovery(self._reviews)
        furnisher = Furnisher(store, authority)
        furnisher.furnish_all()
        self._writer = Writer(store, admit, furnisher)
        self._warn = warn
        self._faults = Faults()
        self._requests: Counter[str] = Counter()
        self._control = Control(store, self._faults, self.watches, clock, self._requests)
        self.app = Starlette(routes=self._routes())

    def end_streams(self) -> None:
        """End the watches and whatever follows a log: the server stops."""
        self.watches.cut()
        self.store.logs.stop_following()

    def _routes(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = [Route(path, self._open) for path in OPEN_PATHS]
        routes += [
            Route("/api", self._document(lambda request: self._discovery.core_versions(request.url.netloc))),
            Route("/apis", self._document(lambda _: self._discovery.groups())),
            Route("/apis/{group}", self._document(lambda request: self._discovery.group(request.path_params["group"]))),
            Route(OPENAPI_ROOT, self._document(lambda _: self._discovery.openapi_paths())),
            Route(
                OPENAPI_ROOT + "/{name:path}",
                self._document(lambda request: self._discovery.openapi_document(request.path_params["name"])),
            ),
            Route("/sandbox/{subject}", self._guarded(self._sandbox), methods=["GET", "POST", "DELETE"]),
        ]
        for prefix in PREFIXES:
            routes.append(Route(prefix, self._document(self._resource_list)))
            routes.append(Route(prefix + "/{path:path}", self._guarded(self._resource), methods=METHODS))
        routes.append(Route("/{path:path}", self._guarded(self._nowhere), methods=METHODS))
        return routes

    # Around every request

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except errors.PageNotFound as error:
                return PlainTextResponse(f"{error.message}\n", error.code)
            except errors.StatusError as error:
                headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
                return with_warnings(json_response(error.body(), error.code, headers), error.warnings)
            except Exception as error:
                logger.exception("request_failed method=%s path=%s", request.method, request.url.path)
                message = f"Internal error occurred: {type(error).__name__}"
                return json_response(errors.StatusError(500, "InternalError", message).body(), 500)

        return answer

    def _document(self, make: Callable[[Request], dict[str, Any]]) -> Endpoint:
        async def answer(request: Request) -> Response:
            user = self._user(request)
            self._requests[f"get {request.url.path}"] += 1
            self._authorizer.require(user, Attributes("get", path=request.url.path))
            return json_response(make(request))

        return self._guarded(answer)

    def _user(self, request: Request) -> User:
        user = self.tokens.authenticate(request.headers.get("authorization", ""))
        return impersonated(user, request.headers.items(), self._may_impersonate)

    def _may_impersonate(self, user: User, group: str, resource: str, namespace: str, name: str) -> None:
        plural, _, subresource = resource.partition("/")
        self._authorizer.require(user, Attributes("impersonate", group, plural, subresource, namespace, name))

    # Paths that are not resources

    async def _open(self, request: Request) -> Response:
        self._requests[f"get {request.url.path}"] += 1
        return json_response(VERSION) if request.url.path == "/version" else PlainTextResponse("ok")

    def _resource_list(self, request: Request) -> dict[str, Any]:
        return self._discovery.resource_list(request.path_params.get("group", ""), request.path_params["version"])

    async def _sandbox(self, request: Request) -> Response:
        user = self._user(request)
        if not user.is_master:
            raise errors.StatusError(403, "Forbidden", "the sandbox's controls are for system:masters", {})
        body = await read_body(request)
        return json_response(self._control.answer(request.method, request.path_params["subject"], body))

    async def _nowhere(self, request: Request) -> Response:
        self._authorizer.require(self._user(request), Attributes(request.method.lower(), path=request.url.path))
        raise errors.page_not_found()

    # Resources

    async def _resource(self, request: Request) -> Response:
        user = self._user(request)
        group, path = request.path_params.get("group", ""), request.path_params["path"]
        if path in self._reviews.kinds(group):
            self._requests[f"create {path}"] += 1
            return await self._review(request, user, group, path)
        call = await self._call_or_refuse(request, user, group, path)
        self._requests[f"{call.verb} {call.resource.qualified}"] += 1
        fault = self._faults.take(call.attributes)
        if fault is not None:
            await self._suffer(fault)
        self._authorizer.require(user, call.attributes)
        if fault is not None and fault.cut == "before":
            return CutConnection()
        if call.content_type == APPLY_PATCH and not self.store.find(call.resource, call.namespace, call.name):
            self._authorizer.require(user, replace(call.attributes, verb="create"))
        answer = self._answer(call if fault is None else _filled(call, fault.fill))
        return CutConnection() if fault is not None and fault.cut == "after" else answer

    async def _review(self, request: Request, user: User, group: str, plural: str) -> Response:
        if request.method != "POST":
            raise errors.method_not_allowed()
        body = json_object(await read_body(request), media_type(request))
        return json_response(self._reviews.answer(user, group, plural, body), 201)

    async def _call_or_refuse(self, request: Request, user: User, group: str, path: str) -> Call:
        """Who may not ask is not told whether the path is there."""
        try:
            return await self._call(request, user)
        except errors.StatusError:
            self._authorizer.require(user, attributes_of(request.method, group, path))
            raise

    async def _call(self, request: Request, user: User) -> Call:
        parameters = request.path_params
        place = located(parameters.get("group", ""), parameters["version"], parameters["path"])
        query = dict(request.query_params)
        return Call(
            user,
            verb_of(request.method, place, query),
            place.resource,
            place.namespace,
            place.name,
            place.subresource,
            query,
            media_type(request),
            b"" if request.method == "GET" else await read_body(request),
            request.headers.get("accept", ""),
            request.headers.get("user-agent", ""),
        )

    async def _suffer(self, fault: Fault) -> None:
        await asyncio.sleep(fault.delay_ms / 1000)
        error = fault.error()
        if error is not None:
            raise error

    def _answer(self, call: Call) -> Response:
        if call.subresource == "log":
            return log_response(self.store, call)
        if call.subresource == "token":
            return json_response(issue_token(self.store, self.tokens, call), 201)
        if call.verb == "get":
            obj, view = self.store.get(call.resource, call.namespace, call.name), call.view
            return json_response(view.of_object(obj) if view else obj)
        if call.verb == "list":
            found, view = list_objects(self.store, call), call.view
            return json_response(view.of_list(found) if view else found)
        if call.verb == "watch":
            return StreamingResponse(self.watches.start(call), media_type=JSON)
        return written_response(self._write(call))

    def _write(self, call: Call) -> Written:
        verbs = {
            "create": self._writer.create,
            "update": self._writer.update,
            "patch": self._writer.patch,
            "delete": self._writer.delete,
            "deletecollection": self._writer.delete_collection,
        }
        try:
            written = verbs[call.verb](call)
        except errors.StatusError as error:
            if error.reason == "AlreadyExists":  # which is found out after the webhooks
                error.warnings = self._warn(call.verb, call.resource, call.json())
            raise
        if call.verb in ADMITTED and not call.subresource:
            warned = self._warn("create" if written.code == CREATED else "update", call.resource, written.body)
            return written._replace(warnings=(*written.warnings, *warned))
        return written


def _filled(call: Call, patch: dict[str, Any]) -> Call:
    """The request as a mutating webhook hands it on."""
    if not patch or call.verb not in ("create", "update"):
        return call
    return replace(call, body=msgspec.json.encode(merge_patch(call.json(), patch)), content_type=JSON)
