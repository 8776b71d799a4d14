"""A generated month of a busy console, and the questions that an auditor asks of it."""
