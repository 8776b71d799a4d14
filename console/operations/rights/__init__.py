"""What a change needs its author to be allowed, judged by what it does."""
