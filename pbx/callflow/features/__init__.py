"""Feature codes, one a file: each has `CODE`, `use(call, argument)`, and a docstring for the table."""
