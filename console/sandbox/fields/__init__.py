"""Which manager owns which field, and what an apply makes of an object (Kubernetes' structured merge)."""
