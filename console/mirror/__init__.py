"""The live copy of every cluster in Redis: the watcher writes it, views read it, browsers are notified of changes.

Redis holds nothing that cannot be listed again. Literal env values never enter it (docs/decisions/0005). May import
cluster and knative; knows no users.
"""
