"""A mount names what is mounted: a volume's own name tells nobody which secret it is."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative.containers import Container
from console.knative.volumes import Mount, mounts


@pytest.mark.parametrize(
    ("volume", "source"),
    [
        ({"secret": {"secretName": "db"}}, "secret db"),
        ({"configMap": {"name": "flags"}}, "config map flags"),
        ({"persistentVolumeClaim": {"claimName": "disk"}}, "claim disk"),
        ({"emptyDir": {}}, "empty directory"),
        (
            {"projected": {"sources": [{"secret": {"name": "db"}}, {"configMap": {"name": "flags"}}]}},
            "secret db, config map flags",
        ),
        ({"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}, "service account token"),
        ({"image": {"reference": "r.example.com/model:1"}}, "image r.example.com/model:1"),
        ({"ephemeral": {"volumeClaimTemplate": {}}}, "ephemeral volume"),
        ({"csi": {"driver": "vault"}}, "files"),
        ({"projected": {"sources": [{"clusterTrustBundle": {}}]}}, "files"),
        ({"secret": None}, "files"),
    ],
)
def test_a_mount_names_the_source_or_else_the_volume(volume: dict[str, Any], source: str) -> None:
    container = Container({"volumeMounts": [{"name": "files", "mountPath": "/etc/files", "readOnly": True}]})
    assert mounts({"volumes": [{"name": "files", **volume}]}, container) == (Mount("/etc/files", source, True),)


def test_a_mount_without_its_volume_and_a_container_without_mounts() -> None:
    container = Container({"volumeMounts": [{"name": "gone", "mountPath": "/x"}]})
    assert mounts({}, container) == (Mount("/x", "gone", False),)
    assert mounts({}, Container({})) == ()
