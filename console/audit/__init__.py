"""The append-only log: who did what to which object, before and after, with what result; its hash chain and export.

`record()` is called in the same transaction as what it records. Secret values never come here: callers pass differences
that console.knative.diff has masked. May import cluster and knative.
"""

from typing import TYPE_CHECKING, Any

from console.audit.outcomes import Outcome

__all__ = ["Outcome", "record"]


if TYPE_CHECKING:
    from console.audit.chain import record
else:

    def record(*args: Any, **kwargs: Any) -> Any:
        """Append an entry; see console.audit.chain.record."""
        from console.audit.chain import record as append  # models load after the apps

        return append(*args, **kwargs)
