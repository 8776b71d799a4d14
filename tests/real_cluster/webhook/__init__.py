"""Serving's own defaulting and validation as a program (Go), and asking it."""
