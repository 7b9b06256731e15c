"""The prompts that ship with the switch, and the script that renders them."""
