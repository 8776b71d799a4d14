"""The fields of Knative's four kinds, as their CustomResourceDefinitions and Go types know them, and what follows.

`tables` holds the fields. From them come the pruning and defaults of an API server (`reading`), the refusal of values
of a wrong type (`decoding`), what is left after Go has read and written an object (`round_trip`), and the refusals of
the schema itself (`validating`).
"""
