"""One resource a file; each defines `ROUTES`."""
