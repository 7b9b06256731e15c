"""Puts this directory on the path, so that tests below it find `plain_lab` and `small_network`."""
