"""Prompts: spoken once with flite's voice slt, shipped as 8 kHz µ-law WAV."""
