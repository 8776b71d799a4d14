"""Structured logs: one line an event, past tense, with fields; values that may be secret never pass."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_FIELD = re.compile(
    r"(password|passwd|secret|token|authorization|cookie|api_?key|credential|env_value)", re.IGNORECASE
)
_LINK = re.compile(r"(/(?:first-administrator|invitations)/)[^/\s]+")  # the link is all that is needed to sign in
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def redact_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event with secret-looking fields and one-time links masked, control characters (escapes) removed."""
    for key, value in event.items():
        if _SECRET_FIELD.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _LINK.sub(r"\1***", _CONTROL.sub(" ", value))
    return event


def levels(level: str) -> dict[str, str]:
    """Return the level of each logger, by name; of all others by the empty one.

    `level` is the console's own. Libraries log nothing below INFO, whatever it is: at DEBUG they repeat what they are
    given, as Django's templates do with the objects of a page.
    """
    libraries = "INFO" if level == "DEBUG" else level
    quiet = {"uvicorn.access": "WARNING", "django.server": "WARNING"}
    quiet["celery"] = "WARNING"  # else two lines for each turn at an operation
    return {"": libraries, "console": level, **quiet}


def logging_config(*, level: str, form: str) -> None:
    """Send structlog and the standard library's loggers to stderr as JSON lines ("json") or readable text ("text")."""
    of_each = levels(level)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact_fields,
    ]
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        renderer,
                    ],
                },
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": of_each.pop("")},
            "loggers": {
                **{name: {"level": of_one} for name, of_one in of_each.items()},
                # uvicorn brings handlers of its own; its lines should look like all others.
                "uvicorn": {"handlers": [], "propagate": True},
                "uvicorn.access": {"handlers": [], "propagate": True, "level": of_each["uvicorn.access"]},
            },
        }
    )
