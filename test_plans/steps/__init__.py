"""Plan verbs, one a file: each defines `VERB`, `ARGUMENTS`, and `run(context, step)`, a script."""
