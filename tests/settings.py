"""The console's settings as the tests use them: a throwaway state folder, fast password hashing, no manifest."""

import os
import tempfile

os.environ.setdefault("CONSOLE_DEMO", "1")
os.environ.setdefault("CONSOLE_SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("CONSOLE_LOG_LEVEL", "WARNING")
os.environ.setdefault("CONSOLE_STATE_DIR", tempfile.mkdtemp(prefix="sluice-tests-"))

from console.settings import *  # noqa: F403  settings are made so

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  WhiteNoise warns of a folder that is not there
