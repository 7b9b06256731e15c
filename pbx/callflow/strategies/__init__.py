"""Queue strategies, one a file: each has `choose(hunt)` and a docstring for the table (domain-features 1.7)."""
