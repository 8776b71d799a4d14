"""What Knative's validating webhook refuses, word for word: the rules of Serving's pkg/apis as tables and functions.

All of them look at objects that the defaulting webhook has written: a field is there exactly when Go's types hold it.
"""
