"""`/sipflow`, `/auditlog`, `/accesslog`, `backup` and `/restore`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pbx.access import Thing
from pbx.api.answers import Answer, Refused
from pbx.api.asked import Asked
from pbx.api.forms import TEXT
from pbx.api.routes import Route
from pbx.domain.directory import Directory
from pbx.ownership import domain_thing
from pbx.store.protocol import Document, DocumentSaved

BACKUPS = "backup"
MOST_BACKUPS = 20


async def _flow(asked: Asked) -> Answer:
    """The SIP messages of calls; a text file with `download`."""
    served = asked.house.directory(next(iter(asked.house.names())))  # the one with a switch, whose calls there are
    assert served is not None
    asked.require("view", domain_thing(served, "sip trace"))
    names = [name.strip() for name in asked.query.get("callids", "").split(",") if name.strip()]
    flows = {name: list(asked.house.trace(name)) for name in names[:20]}
    if asked.query.get("download"):
        text = "\n\n".join(message for messages in flows.values() for message in messages)
        return Answer(200, text.encode("utf-8", "replace"), kind="text/plain")
    return Answer(200, {"callids": names, "messages": flows})


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


async def _audit(asked: Asked) -> Answer:
    """Who wrote what, as whom, before and after; newest first."""
    rows: list[dict[str, Any]] = []
    wanted = {name: asked.query.get(name) for name in ("action-type", "target-domain", "target-object", "by-user")}
    sees = asked.sees("audit log")
    for entry in asked.house.store.audit():
        directory = asked.house.directory(entry.domain)
        reseller = directory.reseller.name if directory is not None else ""
        if not sees(Thing("audit log", entry.domain, reseller)):
            continue
        row = {
            "by-ip": entry.origin.rpartition(" ")[2], "timestamp-datetime": _when(entry.at),
            "by-domain": entry.actor.partition("@")[2], "by-user": entry.actor.partition("@")[0],
            "by-client": entry.origin.partition(" ")[0], "action-type": entry.action,
            "target-host": asked.house.hostname, "target-domain": entry.domain, "target-user": entry.as_whom,
            "target-object": f"{entry.kind} {entry.name}",
            "auditlog-details": {"before": _json(entry.before), "after": _json(entry.after)},
        }  # fmt: skip
        if all(value in (None, row[name]) for name, value in wanted.items()):
            rows.append(row)
    return Answer(200, rows[asked.page()])


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text  # one that was cut


# --- backups: a domain's configuration as it was, kept beside it --------------------------------------------


def _domain(asked: Asked) -> Directory:
    if not asked.domain:
        asked.path["domain"] = asked.text("domain") or asked.query.get("domain") or asked.actor.domain
    if not asked.domain:
        asked.path["domain"] = next(iter(asked.house.names()))
    directory = asked.directory
    asked.require("edit", domain_thing(directory, "domain", directory.domain.name))
    return directory


async def _backup(asked: Asked) -> Answer:
    directory = _domain(asked)
    kept = asked.house.documents(asked.domain, BACKUPS)
    index = max((int(key) for key in kept), default=0) + 1
    if len(kept) >= MOST_BACKUPS:
        raise Refused(409, f"{MOST_BACKUPS} backups are kept of a domain: that is all there may be")
    text = directory.model_dump_json(context={"secrets": asked.house.seal})
    row = {"at": asked.now.wall.timestamp(), "directory": text}
    await asked.submit(DocumentSaved(Document(asked.domain, BACKUPS, f"{index}", json.dumps(row))))
    results = {"complete-file-backup-time-ms": 0, "uploaded": 0, "upload-size": len(text), "note": "", "deleted": 0}
    told = {
        "backup-hostname": asked.house.hostname, "backup-index": index, "domain": asked.domain, "type": "domain",
        "backup-log-link": "", "data-sync-results": results,
        "database-backup-results": {"status": "success", "duration-main-loop-ms": 0, "manual-index": index,
                                    "complete-database-backup-time-ms": 0},
    }  # fmt: skip
    return Answer(200, told)


async def _backups(asked: Asked) -> Answer:
    _domain(asked)
    kept = asked.house.documents(asked.domain, BACKUPS)
    rows = [
        {"hostname": asked.house.hostname, "domain": asked.domain, "index": int(key), "type": "domain",
         "created-datetime": _when(json.loads(document.text)["at"])}
        for key, document in kept.items()
    ]  # fmt: skip
    return Answer(200, rows)


async def _restore(asked: Asked) -> Answer:
    _domain(asked)
    index = asked.needed("index")
    found = asked.house.documents(asked.domain, BACKUPS).get(index)
    if found is None:
        raise Refused(404, f"there is no backup {index} of {asked.domain}")
    text = json.loads(found.text)["directory"]

    def edit(directory: Directory) -> Directory:
        earlier = Directory.model_validate_json(text, context={"unseal": asked.house.unseal})
        return earlier.replaced(revision=directory.revision + 1)

    await asked.edit(edit, f"backup {index}")
    return Answer(200, {"domain": asked.domain, "index": int(index), "status": "success"})


_OBJECT = {"type": "object"}
_ROWS = {"type": "array", "items": _OBJECT}
_AUDIT = (
    "datetime-start",
    "datetime-end",
    "action-type",
    "target-domain",
    "target-object",
    "by-user",
    "start",
    "limit",
)
ROUTES = (
    Route("GET", "/sipflow", _flow, "sip trace", "SIP messages of calls", None, _OBJECT,
          ("callids", "servers", "type", "start_time", "end_time", "download")),
    Route("GET", "/auditlog", _audit, "audit log", "Who changed what", None, _ROWS, _AUDIT),
    Route("GET", "/accesslog", _audit, "audit log", "Who changed what", None, _ROWS, _AUDIT),
    Route("POST", "/domains/{domain}/backup", _backup, "domain", "Keep a domain as it is", None, _OBJECT, (), "edit"),
    Route("POST", "/backup", _backup, "domain", "Keep a domain as it is",
          {"type": "object", "properties": {"domain": TEXT.schema}}, _OBJECT, (), "edit"),
    Route("GET", "/restore", _backups, "domain", "What is kept of a domain", None, _ROWS, ("domain",), "edit"),
    Route("PUT", "/restore", _restore, "domain", "Return to what was kept",
          {"type": "object", "properties": dict.fromkeys(("domain", "index"), TEXT.schema), "required": ["index"]},
          _OBJECT),
)  # fmt: skip
