"""Tests of a service: requests through the cluster's ingress, counted by the revision that answered."""
