"""Settings of the console, all from the environment. docs/operations.md has the table of every CONSOLE_* variable."""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from console.logging import logging_config
from console.queue import TaskName
from console.start_checks import (
    is_loopback,
    proxy_networks,
    refuse_plain_issuer,
    refuse_unfit_prefixes,
    refuse_unsafe_start,
)

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# Where the embedded default keeps its database, keys and sockets.
STATE_DIR = Path(env.str("CONSOLE_STATE_DIR", default=str(BASE_DIR / "var")))

# --- Identity of this installation -------------------------------------------------------------
DEBUG = False
DEMO = env.bool("CONSOLE_DEMO", default=False)
DEMO_HISTORY = env.bool("CONSOLE_DEMO_HISTORY", default=True)
SECRET_KEY = env.str("CONSOLE_SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "CONSOLE_SECRET_KEY is not set. `make run` generates one; a deployment must set its own."
    )
SECRET_KEY_FALLBACKS = env.list("CONSOLE_SECRET_KEY_FALLBACKS", default=[])
# Newest first: the first encrypts, all decrypt, so a key can be rotated. Empty: derived from SECRET_KEY.
ENCRYPTION_KEYS = env.list("CONSOLE_ENCRYPTION_KEYS", default=[])
ALLOWED_HOSTS = env.list("CONSOLE_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CONSOLE_TRUSTED_ORIGINS", default=[])
EXTERNAL_URL = env.str("CONSOLE_URL", default="http://localhost:8000")
# Whom people without rights or with a problem can ask, as pages name them: "the platform team (#platform)".
CONTACT = env.str("CONSOLE_CONTACT", default="")
HTTPS = EXTERNAL_URL.startswith("https://")
refuse_unsafe_start({urlsplit(EXTERNAL_URL).hostname or "", *ALLOWED_HOSTS}, demo=DEMO, secret_key=SECRET_KEY)
# How many proxies are in front, and from which addresses they connect: X-Forwarded-For is accepted only from there.
TRUSTED_PROXIES = env.int("CONSOLE_TRUSTED_PROXIES", default=0)
PROXY_NETWORKS = proxy_networks(env.list("CONSOLE_PROXY_NETWORKS", default=[]), TRUSTED_PROXIES)
# Whether the proxy sets X-Request-ID itself, on every request; else a client would choose what the audit log keeps.
PROXY_REQUEST_ID = env.bool("CONSOLE_PROXY_REQUEST_ID", default=False)

# How many processes of web share one socket (console.serve); what one of them may hold is divided by it.
WEB_PROCESSES = env.int("CONSOLE_WEB_PROCESSES", default=1)

# --- Clusters ----------------------------------------------------------------------------------
# JSON or empty; console.cluster.connections documents the forms.
CLUSTERS = env.str("CONSOLE_CLUSTERS", default="")
IMPERSONATE = env.bool("CONSOLE_IMPERSONATE", default=False)
# How people and their teams are called in a cluster that they are impersonated in.
IMPERSONATE_USER_PREFIX = env.str("CONSOLE_IMPERSONATE_USER_PREFIX", default="")
IMPERSONATE_GROUP_PREFIX = env.str("CONSOLE_IMPERSONATE_GROUP_PREFIX", default="sluice:")
# The identity provider's people are named there: without a prefix, one could get the name of a cluster's own user.
IMPERSONATE_OIDC_PREFIX = env.str("CONSOLE_IMPERSONATE_OIDC_PREFIX", default="sluice:")
refuse_unfit_prefixes(IMPERSONATE_USER_PREFIX, IMPERSONATE_GROUP_PREFIX, IMPERSONATE_OIDC_PREFIX)
# Whether clusters that are added in the console may be on this machine; for trying the console.
LOOPBACK_CLUSTERS = env.bool("CONSOLE_LOOPBACK_CLUSTERS", default=False)

# --- Audit -------------------------------------------------------------------------------------
# Newest first: the first signs checkpoints, all are known. Empty: derived from SECRET_KEY.
AUDIT_KEYS = env.list("CONSOLE_AUDIT_KEYS", default=[])
# Where entries are sent as JSON lines: stdout, syslog (the machine's), syslog://host:port, syslog+tcp://host:port.
AUDIT_FORWARD = env.str("CONSOLE_AUDIT_FORWARD", default="")

# --- Operations --------------------------------------------------------------------------------
OPERATION_DEADLINE = env.float("CONSOLE_OPERATION_DEADLINE", default=600.0)  # seconds; kn's --wait-timeout
OPERATION_ERROR_WINDOW = env.float("CONSOLE_OPERATION_ERROR_WINDOW", default=2.0)  # seconds; kn's --wait-window

# --- Django ------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "console.access",
    "console.audit",
    "console.mirror",
    "console.operations",
    "console.demo",
    "console.doctor",
    "console.registry",
    "console.request_tests",
    "console.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # the templates of its inputs, for FORM_RENDERER
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "console.access.oidc",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    "console.web.measuring.MeasuringMiddleware",  # first: what the others take is part of what clients wait for
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.web.compression.CompressionMiddleware",
    "console.web.middleware.RequestContextMiddleware",
    "csp.middleware.CSPMiddleware",
    "console.web.api.middleware.ApiMiddleware",
    "console.web.unstorable.UnstorableMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "console.web.middleware.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.access.sessions.SessionLimitsMiddleware",
    "console.web.unsent.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.web.middleware.ErrorPageMiddleware",
]
ROOT_URLCONF = "console.urls"
ASGI_APPLICATION = "console.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "console.web.context.console",
            ],
        },
    },
]
FORM_RENDERER = "console.web.forms.rendering.FormRenderer"

# --- Database: SQLite by default, PostgreSQL if configured -------------------------------------
DATABASES = {"default": env.db_url("CONSOLE_DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'console.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # A deferred BEGIN cannot upgrade a read to a write under contention; IMMEDIATE can (docs/decisions/0004).
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None  # a thread keeps its own: console.bounded_threads
else:
    # Connections belong to a pool of the process and are given back after each request, task or check of a stream.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        connect_timeout=5,
        pool={
            "min_size": 0,
            "max_size": env.int("CONSOLE_DATABASE_CONNECTIONS", default=40),  # a worker's threads may all need one
            "timeout": 5.0,  # seconds that somebody waits for one
            "max_idle": 30.0,
            "reconnect_timeout": 5.0,  # then the next use tries again, without the pool's growing pauses
        },
    )
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis and Celery --------------------------------------------------------------------------
REDIS_URL = env.str("CONSOLE_REDIS_URL", default=f"unix://{STATE_DIR / 'redis.sock'}")
# kombu calls a unix socket redis+socket://; redis-py calls it unix://.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 20,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 15,
    "retry_on_timeout": True,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "sluice:celery:",
}
if REDIS_URL.startswith("unix://"):
    del CELERY_BROKER_TRANSPORT_OPTIONS["socket_keepalive"]  # a unix socket has no TCP keepalive
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0.2, "interval_max": 1}
CELERY_TIMEZONE = "UTC"
# What may take long and hurries nobody has a queue and a worker of its own, so that changes never wait behind it.
BACKGROUND_QUEUE = "background"
CELERY_TASK_ROUTES = {
    name.value: {"queue": BACKGROUND_QUEUE}
    for name in (
        TaskName.CHECK_RIGHTS,
        TaskName.EXAMINE_CLUSTERS,
        TaskName.EXPORT_ENTRIES,
        TaskName.FORWARD_ENTRIES,
        TaskName.SEND_REQUESTS,
        TaskName.SWEEP_EXPORTS,
        TaskName.SWEEP_REQUEST_TESTS,
        TaskName.TIDY,
    )
}

# --- Sign-in -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "console.access.adapter.AccountAdapter"
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True  # a connected account opens this one from then on
SOCIALACCOUNT_ADAPTER = "console.access.oidc.adapter.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_NOTIFICATIONS = False
# Five wrong passwords for a name (codes for a person), or twenty from an address, lock it for five minutes; in Redis.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "20/5m/ip,5/5m/key", "back_channel_logout": "20/m/ip"}
MFA_ADAPTER = "console.access.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Sluice"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # no mail is sent, and a mail address opens nothing here
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"login_webauthn": "console.access.passkeys.PasskeyForm"}
# Browsers call http://localhost a secure place and no other plain one.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS and is_loopback(urlsplit(EXTERNAL_URL).hostname or "")
USERSESSIONS_ADAPTER = "console.access.adapter.UserSessionsAdapter"
OIDC_GROUPS_CLAIM = env.str("CONSOLE_OIDC_GROUPS_CLAIM", default="groups")
# The claim that names new people of the identity provider; empty: a name derived from issuer and subject.
OIDC_USERNAME_CLAIM = env.str("CONSOLE_OIDC_USERNAME_CLAIM", default="preferred_username")
# Whether signing out here ends the session at the identity provider too, and with it at the company's other programs.
OIDC_LOGOUT = env.bool("CONSOLE_OIDC_LOGOUT", default=True)
SOCIALACCOUNT_PROVIDERS = {}
if oidc_issuer := env.str("CONSOLE_OIDC_ISSUER", default=""):
    refuse_plain_issuer(oidc_issuer)
    SOCIALACCOUNT_PROVIDERS["oidc"] = {
        "APPS": [
            {
                "provider_id": "oidc",  # accounts are kept under the issuer: see OidcProvider.sub_id
                "name": env.str("CONSOLE_OIDC_NAME", default="single sign-on"),
                "client_id": env.str("CONSOLE_OIDC_CLIENT_ID"),
                "secret": env.str("CONSOLE_OIDC_CLIENT_SECRET"),
                "settings": {"server_url": oidc_issuer},
            }
        ],
    }
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "sluice:cache",
        "VERSION": 2,  # 1 was pickled
        "OPTIONS": {
            "serializer": "console.cache.JsonSerializer",
            "pool_class": "console.redis_client.TimedPool",
            "socket_timeout": 5.0,  # seconds, as console.redis_client
            "socket_connect_timeout": 5.0,
        },
    }
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "sluice_session"
CSRF_FAILURE_VIEW = "console.web.unsent.csrf_failed"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "sluice_csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = env.int("CONSOLE_SESSION_IDLE_SECONDS", default=3600)
TOKEN_MAX_DAYS = min(env.int("CONSOLE_TOKEN_MAX_DAYS", default=365), 365)
# A person of the identity provider must have signed in through it within so many days, or their tokens rest.
OIDC_TOKEN_DAYS = env.int("CONSOLE_OIDC_TOKEN_DAYS", default=30)
# Empty: /metrics does not exist.
METRICS_TOKEN = env.str("CONSOLE_METRICS_TOKEN", default="")

# --- Safety headers ----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_SSL_REDIRECT = False  # TLS ends at the proxy in front; the health probes speak plain HTTP
# W008: the line above. W021: whether a domain is preloaded for all its hosts is its owner's decision.
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W021"]
if env.bool("CONSOLE_BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# --- Languages, time, files --------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("CONSOLE_STATIC_ROOT", default=str(STATE_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "console.web.joined_files.JoiningStorage"},
}

LOGGING_CONFIG = None
LOG_LEVEL = env.str("CONSOLE_LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("CONSOLE_LOG_FORMAT", default="json")
logging_config(level=LOG_LEVEL, form=LOG_FORMAT)

CELERY_BEAT_SCHEDULER = "console.heartbeat:Scheduler"

# --- What beat starts --------------------------------------------------------------------------
# name: (seconds between two messages, seconds after which a message that nobody took is void)
CELERY_BEAT_SCHEDULE = {
    name.value: {"task": name.value, "schedule": every, "options": {"expires": expires}}
    for name, every, expires in (
        (TaskName.SWEEP, 2.0, 6),
        (TaskName.DETECT_EXTERNAL, 5.0, 10),
        (TaskName.FORWARD_ENTRIES, 5.0, 10),
        (TaskName.SWEEP_EXPORTS, 5.0, 10),
        (TaskName.SWEEP_REQUEST_TESTS, 10.0, 20),
        (TaskName.EXAMINE_CLUSTERS, 60.0, 50),
        (TaskName.CHECK_RIGHTS, 60.0, 50),
        (TaskName.TIDY, 3600.0, 600),
    )
}
CELERY_BEAT_MAX_LOOP_INTERVAL = 2
