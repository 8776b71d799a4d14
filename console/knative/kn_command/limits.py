"""What kn cannot express, by reason."""

from enum import StrEnum


class KnLimit(StrEnum):
    """Why no kn command has the effect of a change (knative/client, pkg/commands/service and pkg/flags, July 2026)."""

    OTHER_CONTAINER = "other-container"
    NAMED_TEMPLATE = "named-template"
    NO_FLAG = "no-flag"
    NO_REMOVAL = "no-removal"
    VARIABLES = "variables"
    ENV_FROM = "env-from"
    PROBE = "probe"
    PULL_SECRETS = "pull-secrets"
    ANNOTATION_ON_BOTH = "annotation-on-both"
    TOLERATIONS = "tolerations"
    MOUNT = "mount"
    TRAFFIC = "traffic"


class NotInKn(Exception):
    """kn cannot express the change; `limit` says why."""

    def __init__(self, limit: KnLimit) -> None:
        super().__init__(limit.value)
        self.limit = limit


def refuse(limit: KnLimit, *, when: object) -> None:
    """Raise NotInKn for this limit when it is met."""
    if when:
        raise NotInKn(limit)
