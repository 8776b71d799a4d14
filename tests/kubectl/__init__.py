"""What kubectl prints of the sandbox and of a real Knative, line by line.

`python -m tests.kubectl.record` writes what a real one of each release printed to tests/recordings. test_outputs.py
holds the sandbox to that (`make test-kubectl`), tests/real_cluster/test_kubectl_outputs.py the recording to a real one.
"""
