"""Kubernetes quantities in their canonical form, which Go writes whatever was typed: `1000m` becomes `1`.

As apimachinery's resource.Quantity has it: no digit is lost that matters (parts below nano are rounded up), the
mantissa is whole, and the suffix the largest possible of its family.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

# Go takes a number without digits for 0, as in `m`, but nothing at all for none.
_PATTERN = re.compile(r"(?=.)([+-]?)([0-9]*)(\.[0-9]*)?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?[0-9]+))?")
_FORM = re.compile(r"[+-]?[0-9]*(\.[0-9]*)?[eEinumkKMGTP]*[+-]?[0-9]*")
_FORM_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_SUFFIX_RULE = "unable to parse quantity's suffix"
BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
EXPONENTS = {suffix: exponent for exponent, suffix in DECIMAL.items()}


def canonical(value: Any) -> Any:
    """The quantity as the API writes it; what is none stays for the validation to refuse."""
    match = _match(value)
    if match is None:
        return value
    *_, binary, _, power = match.groups()
    return _binary(_exact(match)) if binary else _decimal(_exact(match), exponents=bool(power))


def problem(text: str) -> str:
    """Why the text is not a quantity, in Go's words; empty when it is one."""
    text = text.strip()
    if _PATTERN.fullmatch(text):
        return ""
    return _SUFFIX_RULE if text and _FORM.fullmatch(text) else _FORM_RULE


def amount(value: Any) -> Fraction:
    """What the quantity amounts to; 0 for what is none."""
    match = _match(value)
    return _exact(match) if match else Fraction(0)


def _match(value: Any) -> re.Match[str] | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return _PATTERN.fullmatch(str(value).strip())


def _exact(match: re.Match[str]) -> Fraction:
    sign, whole, rest, binary, decimal, power = match.groups()
    number = f"{sign}{whole or 0}{rest or ''}".removesuffix(".")
    if binary:
        return Fraction(number) * Fraction(1024) ** BINARY.index(binary)
    return Fraction(number) * Fraction(10) ** (int(power) if power else EXPONENTS[decimal or ""])


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
