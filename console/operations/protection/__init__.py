"""Protected services: rules that require a second person, freeze windows, and the emergency override.

`gate` decides what a change must wait for, `approvals` keeps the requests, `windows` is the arithmetic of freezes.
"""
