"""Changing clusters: operations, their timelines, the engine and its tasks.

May import access, audit, cluster and knative; only web imports it.
"""
