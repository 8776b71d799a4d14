"""Protected services: rules that ask for a second person, freeze windows, and breaking the glass.

`gate` decides what a change must wait for, `approvals` keeps the requests, `windows` is the arithmetic of freezes.
"""
