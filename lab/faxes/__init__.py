"""Fax at the edges: pages from and to files, mail that becomes a fax, where pages are kept."""
