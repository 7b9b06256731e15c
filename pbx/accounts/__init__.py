"""People who log in: passwords, passes shown instead of them, and what each has changed."""
