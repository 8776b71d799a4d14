"""The OpenAPI v3 documents: kinds with their fields, for `kubectl explain`, and the parameters of each verb."""
