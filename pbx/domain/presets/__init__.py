"""Presets of platforms, one file each; read by `pbx.domain.platform`."""
