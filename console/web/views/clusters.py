"""The clusters of this installation: which there are, how they are, and adding, changing and removing them."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from console.access.actors import actor_from
from console.access.decorators import administrators_only
from console.mirror import capabilities, read
from console.operations.queries import under_way
from console.registry import ProbeResult, Report, changes, listing, reports
from console.registry.listing import Entry
from console.registry.models import Cluster
from console.web.cluster_capabilities import Serving
from console.web.cluster_words import verdict
from console.web.forms.cluster import ClusterForm, KubeconfigForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged


@dataclass(frozen=True, slots=True)
class Row:
    """A cluster with what the mirror and the newest test say of it."""

    entry: Entry
    freshness: read.Freshness
    services: int | None  # None: not known yet
    report: Report | None

    @property
    def verdict(self) -> str:
        return verdict(self.report) if self.report else ""


@administrators_only
def clusters(request: ConsoleRequest) -> HttpResponse:
    """Every cluster, wherever it is configured."""
    return render(request, "clusters/list.html", {"rows": [_row(entry) for entry in listing.entries()]})


@administrators_only
def cluster(request: ConsoleRequest, name: str) -> HttpResponse:
    """One cluster: where it is, how it answers, how old each part of the copy is, what its Knative allows."""
    entry = _entry(name)
    serving = Serving(capabilities.known(name), timezone.now().date())
    context = {"row": _row(entry), "states": sorted(read.states(name).items()), "serving": serving}
    return render(request, "clusters/cluster.html", context)


@administrators_only
def test(request: ConsoleRequest, name: str) -> HttpResponse:
    """Try the connection now."""
    entry = _entry(name)
    if request.method == "POST":
        changes.test_again(entry.name, actor=actor_from(request))
    return redirect("cluster", name=entry.name)


@administrators_only
@keeps_typed
def add(request: ConsoleRequest) -> HttpResponse:
    """A form to fill in by hand, or from a pasted kubeconfig."""
    if request.method == "POST" and "read" in request.POST:
        pasted = KubeconfigForm(request.user, request.POST)
        if pasted.is_valid() and not pasted.contexts:
            return _page(request, None, pasted.form())
        status = 422 if pasted.errors else 200
        return _page(request, None, ClusterForm(request.user, None), pasted=pasted, status=status)
    return _form(request, None)


@administrators_only
@keeps_typed
def edit(request: ConsoleRequest, name: str) -> HttpResponse:
    """The same form for a cluster that was added here; without a new credential the kept one stays."""
    return _form(request, get_object_or_404(Cluster, name=name))


@administrators_only
def remove(request: ConsoleRequest, name: str) -> HttpResponse:
    """Forget a cluster that was added here, after a question; not while something is being changed there."""
    found = get_object_or_404(Cluster, name=name)
    count = under_way(found.name)
    if request.method == "POST" and not count:
        changes.remove(found.pk, actor=actor_from(request))
        messages.success(request, _("%(name)s was removed.") % {"name": found.name})
        return redirect("clusters")
    context = {"cluster": found, "under_way": count, "services": len(read.services(found.name))}
    return render(request, "clusters/remove.html", context, status=409 if request.method == "POST" else 200)


def _form(request: ConsoleRequest, found: Cluster | None) -> HttpResponse:
    initial = {name: getattr(found, name) for name in ("url", "ca", "ingress", "impersonates")} if found else None
    form = ClusterForm(request.user, found, typed(request), initial=initial)
    if request.method != "POST":
        unjudged(request, form)
        return _page(request, found, form)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    actor = actor_from(request)
    report = changes.test(form.wanted, found, actor=actor)
    accepts = "anyway" in request.POST and report.result != ProbeResult.ADDRESS
    if "test" in request.POST or not (report.is_usable or accepts):
        is_refused = "test" not in request.POST
        return _page(request, found, form, report=report, status=422 if is_refused else 200)
    try:
        saved = changes.change(found.pk, form.wanted, actor=actor) if found else changes.add(form.wanted, actor=actor)
    except IntegrityError:
        form.add_error("name", _("A cluster with this name already exists."))
        return _page(request, found, form, status=422)
    reports.keep(saved.name, report)
    messages.success(
        request, _("%(name)s was saved. Its services appear as soon as they are listed.") % {"name": saved.name}
    )
    return redirect("cluster", name=saved.name)


def _page(
    request: ConsoleRequest,
    found: Cluster | None,
    form: ClusterForm,
    *,
    pasted: KubeconfigForm | None = None,
    report: Report | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "cluster": found,
        "form": form,
        "pasted": None if found else pasted or KubeconfigForm(request.user),
        "report": report,
        "verdict": verdict(report) if report else "",
        "may_save_anyway": report is not None and not report.is_usable and report.result != ProbeResult.ADDRESS,
    }
    return render(request, "clusters/form.html", context, status=status)


def _entry(name: str) -> Entry:
    """The cluster that is used under this name; raises Http404."""
    for entry in listing.entries():
        if entry.name == name and not entry.is_hidden:
            return entry
    raise Http404


def _row(entry: Entry) -> Row:
    if entry.is_hidden:
        return Row(entry, read.Freshness(None), None, None)
    count = len(read.services(entry.name)) if read.is_whole(entry.name, "services") else None
    return Row(entry, read.freshness(entry.name), count, reports.last(entry.name))
