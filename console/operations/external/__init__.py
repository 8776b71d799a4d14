"""Changes made outside the console, and the console's writes that arrived after their operation had ended."""
