"""One contract for the sandbox and for a real Kubernetes with Knative Serving, over plain HTTP.

`pytest tests/contract` asks the sandbox; with CONTRACT_TARGET=real it asks that of tests/real_cluster. What may
differ stands in differences.py with its reason and nowhere else.
"""
