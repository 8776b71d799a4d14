"""The fields of moments and periods: a day, a time of day and a time zone, the same on every page (console.periods)."""

from collections.abc import Collection
from typing import Any

from django.template import Context, Library
from django.utils.translation import gettext as _

from console import periods

register = Library()


@register.inclusion_tag("components/period.html", takes_context=True)
def period(context: Context, problems: Collection[str] = ()) -> dict[str, Any]:
    """`{% period problems %}`: from when to when, inside a form that is sent with GET."""
    query = context["request"].GET
    fields = [
        _field(query, periods.SINCE, _("From"), problems),
        _field(query, periods.UNTIL, _("To"), problems),
    ]
    return {"fields": fields, **_zone(query, problems)}


@register.inclusion_tag("components/period.html", takes_context=True)
def moments(context: Context, problems: Collection[str] = (), **names: str) -> dict[str, Any]:
    """`{% moments problems at=_("At") %}`: one or several moments, by the names of their parameters."""
    query = context["request"].GET
    return {"fields": [_field(query, *one, problems) for one in names.items()], **_zone(query, problems)}


def _field(query: Any, name: str, label: str, problems: Collection[str]) -> dict[str, Any]:
    day, clock = periods.parts(query, name)
    time_name = f"{name}{periods.TIME}"
    return {"name": name, "time_name": time_name, "label": label, "day": day, "clock": clock, "wrong": name in problems}


def _zone(query: Any, problems: Collection[str]) -> dict[str, Any]:
    return {
        "zone": query.get(periods.ZONE, "") or periods.DEFAULT_ZONE,
        "zones": periods.ZONES,
        "max_zone": periods.MAX_ZONE,
        "zone_is_wrong": periods.ZONE in problems,
    }
