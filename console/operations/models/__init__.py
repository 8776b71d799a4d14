"""The tables of operations: an operation with its timeline, previews and drafts, protection, access tests."""

from console.operations.models.operation import (
    SEALED,
    AccessTest,
    Draft,
    OnService,
    Operation,
    Preview,
    Proposed,
    TimelineLine,
)
from console.operations.models.protection import Approval, FreezeWindow, ProtectionRule

__all__ = [
    "SEALED",
    "AccessTest",
    "Approval",
    "Draft",
    "FreezeWindow",
    "OnService",
    "Operation",
    "Preview",
    "Proposed",
    "ProtectionRule",
    "TimelineLine",
]
