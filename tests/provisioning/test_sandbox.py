"""What a template may not do: read a file, reach an object's insides, go on for ever. Each costs its own file alone."""

from __future__ import annotations

import time

import pytest

from pbx.events import ServerFault
from provisioning_server.families import load_sound
from provisioning_server.ledger import Ledger
from provisioning_server.respond import Office
from tests.provisioning.provisioned import AT, POLY, YEALINK, Counter, first, small_shelf

TEMPLATES = {
    "reads a file": "{% include '/etc/passwd' %}",
    "climbs": "{% include '../../defaults.yaml' %}",
    "reaches insides": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "reaches a module": "{{ get.__init__.__globals__ }}",
    "calls open": "{{ open('/etc/passwd') }}",
    "counts for ever": "{% for a in range(10**9) %}x{% endfor %}",
    "multiplies": "{{ 'x' * 1000000000 }}",
    "powers": "{{ 9 ** 9999999 }}",
    "calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "loops in itself": "{% for a in [[1]] recursive %}{{ loop([a]) }}{% endfor %}",
    "names nothing": "{{ nothing.at.all }}",
    "misnames a filter": "{{ 'x'|nofilter }}",
}


@pytest.mark.parametrize("case", TEMPLATES)
def test_it_is_refused_at_once_and_every_other_file_is_served(tmp_path, case):
    shelf = small_shelf(tmp_path)
    (shelf / "poly/vvx/master.cfg.j2").write_text(TEMPLATES[case])
    desk = Counter()
    desk.office = Office(load_sound(shelf), Ledger(b"of this installation"), AT)
    begun = time.process_time()
    answer = desk.ask(f"{POLY}.cfg", first(POLY))
    assert time.process_time() - begun < 2.0
    assert (answer.status, answer.body) == (404, b"404 Not Found\n")
    (fault,) = [event for event in answer.events if isinstance(event, ServerFault)]
    assert fault.message.startswith("poly/vvx master.cfg.j2: ")
    assert desk.ask(f"{POLY}-settings.cfg", first(POLY)).status == 200
    assert desk.ask(f"{YEALINK}.cfg", first(YEALINK)).status == 200
