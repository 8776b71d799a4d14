"""Kubernetes quantities in their canonical form, which Go writes whatever was typed: `1000m` becomes `1`.

As apimachinery's resource.Quantity has it: no digit is lost that matters (parts below nano are rounded up), the
mantissa is whole, and the suffix the largest possible of its family.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

PATTERN = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?[0-9]+))?")
BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
EXPONENTS = {suffix: exponent for exponent, suffix in DECIMAL.items()}


def canonical(value: Any) -> Any:
    """The quantity as the API writes it; what is none stays for the validation to refuse."""
    match = PATTERN.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if match is None or isinstance(value, bool):
        return value
    number, binary, decimal, power = match.groups()
    if binary:
        return _binary(Fraction(number) * 1024 ** BINARY.index(binary))
    if power:
        return _decimal(Fraction(number) * Fraction(10) ** int(power), exponents=True)
    return _decimal(Fraction(number) * Fraction(10) ** EXPONENTS[decimal or ""])


def _binary(value: Fraction) -> str:
    if abs(value) < 1024:
        return _decimal(value)
    whole, step = math.ceil(value), 0
    while whole % 1024 == 0 and step < len(BINARY) - 1:
        whole, step = whole // 1024, step + 1
    return f"{whole}{BINARY[step]}"


def _decimal(value: Fraction, *, exponents: bool = False) -> str:
    whole, exponent = math.ceil(value * 10**9), -9
    if not whole:
        return "0"
    while whole % 1000 == 0 and exponent < 18:
        whole, exponent = whole // 1000, exponent + 3
    if exponents:
        return f"{whole}e{exponent}" if exponent else str(whole)
    return f"{whole}{DECIMAL[exponent]}"
