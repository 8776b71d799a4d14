"""The ASGI entry point that uvicorn serves."""

import os
import resource

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# Before the settings are read: web has more threads than need the database at the same moment.
os.environ.setdefault("CONSOLE_DATABASE_CONNECTIONS", "12")
django.setup()

from console.body_limit import BodyLimit  # noqa: E402  after the set-up
from console.bounded_threads import BoundedHandler  # noqa: E402  after the set-up

# Each event stream is an open file; many systems give 1,024 to a process that does not ask for more.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))

application = BodyLimit(BoundedHandler())
