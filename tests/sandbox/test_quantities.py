"""Quantities as apimachinery writes them (the examples are those of its own tests and documentation)."""

from __future__ import annotations

import pytest

from console.sandbox.crd.quantities import canonical


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("1.5", "1500m"),
        ("2000", "2k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Mi", "512Ki"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("12E2", "1200"),
        ("128000000", "128M"),
        ("100u", "100u"),
        ("0.0000000001", "1n"),
        ("0", "0"),
        ("-1000m", "-1"),
        (1, "1"),
        (0.1, "100m"),
        ("banana", "banana"),
        ("1 Gi", "1 Gi"),
        (None, None),
    ],
)
def test_a_quantity_is_kept_in_its_canonical_form(typed: object, kept: object):
    assert canonical(typed) == kept
