"""A person at a browser without JavaScript: forms and links of the console and of Keycloak, over plain HTTP."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

SECONDS = 60  # for one answer, on a busy machine
LOGIN = "/accounts/oidc/login/"


class Browser(requests.Session):
    """Sends Secure cookies to loopback over plain HTTP, as browsers do."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options["timeout"] = SECONDS
        answer = super().send(request, **options)
        for cookie in self.cookies:
            cookie.secure = False
        return answer


class Visitor:
    def __init__(self, base: str) -> None:
        self.base, self.browser = base, Browser()

    def get(self, path: str) -> requests.Response:
        """Open a page and follow redirects, also the page that goes on to the provider by itself."""
        return self._go_on(self.browser.get(urljoin(self.base, path)))

    def post(self, path: str, **fields: Any) -> requests.Response:
        """Send the form of a page."""
        page = self.browser.get(urljoin(self.base, path))
        return self.send(page, path, **fields)

    def send(self, page: requests.Response, path: str, **fields: Any) -> requests.Response:
        """Send a form that is open to an address of the console."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, f"{page.status_code} {page.url} has no form"
        address = urljoin(self.base, path)
        headers = {"Referer": address, "Origin": self.base}
        return self._go_on(self.browser.post(address, {"csrfmiddlewaretoken": token[1], **fields}, headers=headers))

    def sign_in(self, name: str) -> requests.Response:
        """Sign in at the provider, from the console's button and back."""
        return self.give_password(self.post(LOGIN), name)

    def give_password(self, page: requests.Response, name: str) -> requests.Response:
        """Fill in the provider's form."""
        assert asks_for_password(page), f"{page.status_code} {page.url}"
        action = re.search(r'action="([^"]+)"', page.text)
        assert action
        fields = {"username": name, "password": f"{name}-password-1"}
        return self._go_on(self.browser.post(unescape(action[1]), fields))

    def sign_out(self) -> requests.Response:
        return self.post("/accounts/logout/")

    def is_signed_in(self) -> bool:
        answer = self.browser.get(urljoin(self.base, "/operations/"), allow_redirects=False)
        return answer.status_code == 200

    def _go_on(self, answer: requests.Response) -> requests.Response:
        onward = re.search(r'id="leave" href="([^"]+)"', answer.text)
        return self.browser.get(unescape(onward[1])) if onward else answer


def asks_for_password(page: requests.Response) -> bool:
    """Whether this is Keycloak's sign-in form."""
    return "/realms/company/" in urlsplit(page.url).path and 'name="password"' in page.text
