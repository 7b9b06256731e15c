"""What a phone sends back after a boot: the log of it, under the name its maker uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.phones.boot import Part
from lab.phones.by_manifest import agent_of, folder_of, named
from lab.phones.family import Box, Fetch, joined
from provisioning_server.families import shipped_families


def logs(family: str, box: Box, url: str, strip: Sequence[Part]) -> Iterator[Fetch]:
    """Yield a PUT for each log the family sends to where it booted from; none by TFTP."""
    manifest = shipped_families().by_id.get(family)
    if manifest is None or url.startswith("tftp:"):
        return
    told = "".join(f"{part.name:<10}{part.result:<5}{part.seconds:7.3f} s  {part.note}\n" for part in strip)
    for upload in manifest.uploads:
        if upload.kind == "log":
            to = joined(folder_of(manifest, url), named(manifest, box, upload.name))
            yield Fetch(to, agent_of(manifest, box), method="PUT", body=told.encode())
