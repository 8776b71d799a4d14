"""What workers do with an operation, a turn at a time: write the change, follow it, finish with its outcome."""
