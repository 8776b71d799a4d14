"""A stand-in for a node: its kubelet and its network, for pods of Knative revisions only.

A container is a process of this machine in the network namespace of its pod: the real queue-proxy, and for the user's
image a small program that answers as the samples do (images.py). Nothing is pulled, and nothing leaves the machine:
a pod has no route but to the bridge.
"""
