"""Prompts somebody gives the house: sound files that are read, text that is spoken."""
