"""The live copy of every cluster in Redis: the watcher writes it, views read it, browsers are told of changes."""
