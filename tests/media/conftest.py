"""Puts this directory on the path, so that its tests find `two_engines`."""
