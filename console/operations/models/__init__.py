"""The tables of operations: an operation with its timeline, previews and drafts, and protection."""

from console.operations.models.operation import SEALED, Draft, OnService, Operation, Preview, Proposed, TimelineLine
from console.operations.models.protection import Approval, FreezeWindow, ProtectionRule

__all__ = [
    "SEALED",
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
