"""From a form to an operation: preview, drafts, submission, and the changes that are made of other operations."""
