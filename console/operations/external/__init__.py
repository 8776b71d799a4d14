"""Changes made outside the console, and writes of its own that arrived after their operation had ended."""
