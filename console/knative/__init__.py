"""What a Knative object means. Pure Python: no Django, no network, no clock of its own.

Objects are thin views over the JSON that the API returned; a change is data with one verb, `apply`.
Facts come from the Knative Serving specification and from the recording of a real control plane.
"""
