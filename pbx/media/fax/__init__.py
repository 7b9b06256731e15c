"""Fax: UDPTL of our own, T.30 and modems of libspandsp (LGPL 2.1), which may not be installed."""
