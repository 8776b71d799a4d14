"""The ASGI entry point that uvicorn serves."""

import os

from django.core.asgi import get_asgi_application

from console.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

application = BodyLimit(get_asgi_application())
