"""Queue strategies, one a file: each has `choose(free, tried, offered_at)` and a docstring for the table."""
