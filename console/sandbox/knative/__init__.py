"""A small Knative Serving: what its webhook, controllers, autoscaler, activator and ingress do, and a stand-in kubelet.

The API machinery around this folder calls `admission.admit` before it writes, starts `run.run` beside the server and
fills the store with `seed.seed`. Everything else here is private to the folder. What is told by an image's name stands
in `registry`; what differs from a real cluster stands in docs/sandbox.md.
"""
