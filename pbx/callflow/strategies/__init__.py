"""Queue strategies, one a file: each has `choose(free, tried, busy_at)` and a docstring for the table."""
