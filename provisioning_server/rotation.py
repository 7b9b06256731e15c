"""New credentials for a box: passwords of all its lines and its token, the old ones taken for a while beside them.

A phone goes on with what it has: it registers by the former password, and fetches by the former steady token a file
that holds the new ones. What it holds when the overlap ends opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pbx.domain.directory import Directory
from provisioning_server.families import Families

PASSWORD_CHARACTERS = 24
TOKEN_CHARACTERS = 32


def rotated(
    directory: Directory, families: Families, mac: str, fresh: Callable[[int], str], until: datetime
) -> Directory:
    """Return the domain with new credentials for a box, and the next revision.

    `fresh` makes random hexadecimal digits. A phone that cannot be told another URL keeps its token. KeyError when no
    device has that MAC.
    """
    box = directory.devices_by_mac[mac]
    family = families.by_id.get(box[0].family)
    keeps = family is not None and family.keeps_its_url
    token = box[0].token.get_secret_value() if keeps else fresh(TOKEN_CHARACTERS)
    new = {device.id: device.rotated(fresh(PASSWORD_CHARACTERS), token, until) for device in box}
    return directory.replaced(devices=tuple(new.get(device.id, device) for device in directory.devices))
