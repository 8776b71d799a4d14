"""A cluster that somebody added in the console."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.cluster.connections import ClusterSettings
from console.registry.credentials import Credential, fingerprint
from console.sealing import seal, unseal


class Cluster(models.Model):
    """Where a cluster is and how the console signs in there. The credential is sealed and never shown."""

    name = models.SlugField(max_length=63, unique=True)
    url = models.CharField(max_length=500)
    ca = models.TextField(blank=True)  # PEM; empty: the system's authorities
    sealed_credential = models.BinaryField()
    ingress = models.CharField(max_length=260, blank=True)
    impersonates = models.BooleanField(default=False)
    version: Any = models.UUIDField(default=uuid4)  # new with each change: how other processes notice
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def ca_fingerprint(self) -> str:
        """The SHA-256 of the CA's certificate, for people to compare; empty for the system's authorities."""
        return fingerprint(self.ca)

    @property
    def credential(self) -> Credential:
        """The credential; raises console.sealing.InvalidToken when no known key opens it."""
        return Credential(**unseal(self.sealed_credential))

    def hold(self, credential: Credential) -> None:
        """Keep the credential, sealed."""
        self.sealed_credential = seal(credential.to_data())

    @property
    def connection_settings(self) -> ClusterSettings:
        """How to connect; raises console.sealing.InvalidToken."""
        credential = self.credential
        return ClusterSettings(
            name=self.name,
            url=self.url,
            ca=self.ca,
            token=credential.token,
            certificate=credential.certificate,
            key=credential.key,
            ingress=self.ingress,
            impersonate=self.impersonates,
            guarded=True,
            loopback=settings.LOOPBACK_CLUSTERS,
        )

    def mark_changed(self) -> None:
        self.version = uuid4()
