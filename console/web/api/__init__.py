"""The read-only JSON API under /api/v1/: what the pages show, for scripts and status boards.

One table (endpoints.py) makes the addresses, the permission of each and the OpenAPI document. A view takes a Call and
returns an answer: a Struct that names every field that leaves the console. A token is the only way in (console.access.
bearer); cookies do not get here. The API speaks English.
"""
