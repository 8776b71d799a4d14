"""Tracebacks in the browser, templates and static files as they are on disk, and a profiler.

Settings of their own, so that no variable can switch a deployed console to them. Loopback only: tracebacks show values.
"""

import os
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("CONSOLE_LOG_FORMAT", "text")

from console.settings import *  # noqa: F403  all, but for what follows
from console.settings import ALLOWED_HOSTS, EXTERNAL_URL, INSTALLED_APPS, MIDDLEWARE, STORAGES, TEMPLATES
from console.start_checks import is_loopback

if public := sorted(host for host in {urlsplit(EXTERNAL_URL).hostname or "", *ALLOWED_HOSTS} if not is_loopback(host)):
    raise ImproperlyConfigured(f"Debug pages show values: loopback only, not {', '.join(public)}.")

DEBUG = True
ROOT_URLCONF = "console.development.urls"
INTERNAL_IPS = ["127.0.0.1", "::1"]
INSTALLED_APPS = [*INSTALLED_APPS, "debug_toolbar"]
# The profiler is outermost: `?profile` in an address answers with where the time went instead of the page, and without
# the content security policy, which its script would not pass. The toolbar is inside the policy and uses its nonce.
_inside_policy = MIDDLEWARE.index("csp.middleware.CSPMiddleware") + 1
MIDDLEWARE = [
    "pyinstrument.middleware.ProfilerMiddleware",
    *MIDDLEWARE[:_inside_policy],
    "debug_toolbar.middleware.DebugToolbarMiddleware",
    *MIDDLEWARE[_inside_policy:],
]
PYINSTRUMENT_URL_ARGUMENT = "profile"
# Pages change by themselves and by htmx; the toolbar's history would collect each of those requests.
DEBUG_TOOLBAR_CONFIG = {"SHOW_COLLAPSED": True, "UPDATE_ON_FETCH": False}

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
TEMPLATES = [
    {
        **TEMPLATES[0],
        "APP_DIRS": False,
        "OPTIONS": {
            **TEMPLATES[0]["OPTIONS"],  # type: ignore[dict-item]  # a dictionary of several kinds
            # Without Django's cache of templates: a template that was saved is shown by the next request.
            "loaders": [
                "django.template.loaders.filesystem.Loader",
                "django.template.loaders.app_directories.Loader",
            ],
        },
    }
]
