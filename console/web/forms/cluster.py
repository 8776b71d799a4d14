"""A cluster to add or change, by hand or from a pasted kubeconfig.

What is secret is never written into a page, also not when the form comes back with a problem: what was typed travels
sealed (the draft), for an hour and for the same person, so that it need not be typed again.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.access.models import User
from console.knative import validation
from console.registry import Credential, InvalidCredential, Kubeconfig, is_host_and_port
from console.registry import credentials as check
from console.registry.changes import Wanted
from console.registry.kubeconfig import Context
from console.registry.listing import is_configured
from console.registry.models import Cluster
from console.sealing import InvalidToken, seal, unseal
from console.web.cluster_words import invalid_credential

DRAFT_SECONDS = 3600


class SecretTextarea(forms.Textarea):
    """A text area that never shows what was typed."""

    def format_value(self, value: Any) -> str:
        return ""


class ClusterForm(forms.Form):
    """All fields of a cluster. Without a new credential a cluster that exists keeps its own."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=63)
    url = forms.CharField(
        label=gettext_lazy("API server"), max_length=500, help_text="https://cluster.example.com:6443"
    )
    ca = forms.CharField(
        label=gettext_lazy("CA certificate"),
        required=False,
        max_length=64 * 1024,
        widget=forms.Textarea,
        help_text=gettext_lazy("PEM. Leave empty to use the system's trusted certificate authorities."),
    )
    token = forms.CharField(
        label=gettext_lazy("Bearer token"), required=False, max_length=16 * 1024, widget=forms.PasswordInput
    )
    certificate = forms.CharField(
        label=gettext_lazy("Client certificate"), required=False, max_length=64 * 1024, widget=SecretTextarea
    )
    key = forms.CharField(
        label=gettext_lazy("Private key"), required=False, max_length=64 * 1024, widget=SecretTextarea
    )
    ingress = forms.CharField(
        label=gettext_lazy("Ingress for test requests"),
        required=False,
        max_length=260,
        help_text=gettext_lazy("host:port. Leave empty to use the address in the service's URL."),
    )
    impersonates = forms.BooleanField(
        label=gettext_lazy("Impersonate the user"),
        required=False,
        help_text=gettext_lazy("The cluster's own access rules then apply to each user and their teams."),
    )

    def __init__(
        self, user: User, cluster: Cluster | None, data: Any = None, *, initial: Any = None, draft: str = ""
    ) -> None:
        super().__init__(data, initial=initial)
        self._user, self._cluster = user, cluster
        self._draft = draft or (str(data.get("draft", "")) if data else "")
        if cluster:
            del self.fields["name"]
        for name, field in self.fields.items():
            checkbox = isinstance(field, forms.BooleanField)
            field.widget.attrs |= {"class": "form-check-input" if checkbox else "form-control"}
            if name in ("ca", "certificate", "key"):
                field.widget.attrs |= {"spellcheck": "false", "rows": "4", "placeholder": "-----BEGIN …"}
        self.fields["token"].widget.attrs |= {"autocomplete": "off"}

    @property
    def draft(self) -> str:
        """The credential that was typed so far, sealed; empty when none was."""
        return self._draft

    @property
    def wanted(self) -> Wanted:
        """The cluster as the valid form says."""
        data = self.cleaned_data
        name = self._cluster.name if self._cluster else data["name"]
        return Wanted(name, data["url"], data["ca"], data["ingress"], data["impersonates"], self._credential)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if validation.service_name(name):
            raise forms.ValidationError(_("Use at most 63 lowercase letters, digits and “-”, starting with a letter."))
        if is_configured(name) or Cluster.objects.filter(name=name).exists():
            raise forms.ValidationError(_("A cluster with this name already exists."))
        return name

    def clean_url(self) -> str:
        try:
            return check.address(str(self.cleaned_data["url"]).strip(), loopback=settings.LOOPBACK_CLUSTERS)
        except InvalidCredential as error:
            raise forms.ValidationError(invalid_credential(error)) from error

    def clean_ca(self) -> str:
        ca = str(self.cleaned_data["ca"]).strip()
        try:
            check.check_authority(ca)
        except InvalidCredential as error:
            raise forms.ValidationError(invalid_credential(error)) from error
        return ca

    def clean_ingress(self) -> str:
        ingress = str(self.cleaned_data["ingress"]).strip()
        if ingress and not is_host_and_port(ingress):
            raise forms.ValidationError(_("Use the format host:port, for example 10.0.0.1:80."))
        return ingress

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        typed = Credential(*(str(data.get(name, "")).strip() for name in ("token", "certificate", "key")))
        if typed:
            self._draft = seal({"user": self._user.pk, "credential": typed.to_data()}).decode()
        self._credential = typed or opened(self._draft, self._user)
        if self._credential:
            self._check_credential("certificate" if typed.certificate or typed.key else "token")
        elif self._cluster is None:
            self.add_error("token", invalid_credential(InvalidCredential("credential-missing")))
        elif "url" in data and data["url"] != self._cluster.url:
            self.add_error(
                "token",
                _("The address has changed. Enter the credential again; the stored one is not sent elsewhere."),
            )
        return data

    def _check_credential(self, field: str) -> None:
        try:
            self._credential.check()
        except InvalidCredential as error:
            self._draft = ""
            self.add_error(field, invalid_credential(error))


class KubeconfigForm(forms.Form):
    """A pasted kubeconfig, and which of its contexts is meant."""

    kubeconfig = forms.CharField(
        label=gettext_lazy("Kubeconfig"),
        required=False,
        max_length=256 * 1024,
        widget=SecretTextarea(attrs={"class": "form-control paste", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Paste the output of “kubectl config view --raw --flatten --minify”. The console runs no plugin and "
            "reads no file that it refers to."
        ),
    )
    context = forms.CharField(label=gettext_lazy("Context"), required=False, max_length=500)

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self._user = user
        self._found: Context | None = None
        self.draft = ""  # the pasted text, sealed, while a context is still to be chosen
        self.contexts: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        text = str(data.get("kubeconfig", "")) or self._kept()
        config: Kubeconfig | None = None
        try:
            if not text.strip():
                raise forms.ValidationError({"kubeconfig": _("Paste a kubeconfig.")})
            config = Kubeconfig(text)
            if not data.get("context") and len(config.names) > 1:
                self.contexts = config.names
            else:
                self._found = config.context(data.get("context") or config.names[0])
        except InvalidCredential as error:
            self.contexts = config.names if config and error.facts.get("name") and len(config.names) > 1 else ()
            self.add_error("kubeconfig", invalid_credential(error))
        if self.contexts:
            self.draft = seal({"user": self._user.pk, "kubeconfig": text}).decode()
        return data

    def form(self) -> ClusterForm:
        """The other form, filled in from the chosen context; call it when this one is valid and asks for none."""
        if self._found is None:
            raise ValueError("no context was chosen")
        sealed = seal({"user": self._user.pk, "credential": self._found.credential.to_data()}).decode()
        initial = {"name": suggested_name(self._found.name), "url": self._found.url, "ca": self._found.ca}
        return ClusterForm(self._user, None, initial=initial, draft=sealed if self._found.credential else "")

    def _kept(self) -> str:
        return str(_opened(str(self.data.get("draft", "")), self._user).get("kubeconfig", ""))


def opened(draft: str, user: User) -> Credential:
    """Return the credential of a draft of this person's; an empty one when it is too old, or none."""
    return Credential(**(_opened(draft, user).get("credential") or {}))


def _opened(draft: str, user: User) -> dict[str, Any]:
    try:
        data = unseal(draft.encode(), seconds=DRAFT_SECONDS)
    except InvalidToken:
        return {}
    return data if isinstance(data, dict) and data.get("user") == user.pk else {}


def suggested_name(context: str) -> str:
    """Return a name that may be used, made of a context's: of `admin@prod.example.com` `admin-prod-example-com`."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in context.lower())
    return "-".join(filter(None, kept.split("-")))[:63].strip("-")
