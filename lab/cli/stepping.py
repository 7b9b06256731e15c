"""`run --step`: what becomes of each case, asked of who sits before the terminal."""

from __future__ import annotations

from test_plans.runner import GO, LEAVE_OUT, STOP

_ANSWERS = {"": GO, "g": GO, "s": LEAVE_OUT, "q": STOP}


def asked_of(case: str) -> str:
    """Ask what becomes of a case; whoever is not there any more (the end of the input) ends the run."""
    while True:
        print(f" next  {case}   [Enter] run it, s leave it out, q end  ", end="", flush=True)
        try:
            answer = input().strip().lower()[:1]
        except EOFError:
            print()
            return STOP
        if answer in _ANSWERS:
            return _ANSWERS[answer]
