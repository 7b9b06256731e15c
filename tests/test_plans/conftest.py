"""Puts this directory on the path, so that tests here and below find `toy_office`."""
