"""What the parts cost: `make bench`."""
