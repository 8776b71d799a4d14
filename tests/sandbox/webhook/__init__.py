"""Creates and updates of Knative's objects, and what Serving's own webhook said of each: the sandbox is held to it."""
