"""A small Knative Serving: its webhook, controllers, autoscaler, activator and ingress, and a simulated kubelet.

The API machinery around this folder calls `admission.admit` before it writes, starts `run.run` beside the server and
fills the store with `seed.seed`. Everything else here is private to the folder. Behavior by image name is
in `registry`; differences from a real cluster are in docs/sandbox.md.
"""
