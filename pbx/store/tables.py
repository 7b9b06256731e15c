"""The tables, as SQLAlchemy Core; portable SQL. Migrations make them (`migrations/`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, PrimaryKeyConstraint, Table, TypeDecorator
from sqlalchemy import Text as PlainText

metadata = MetaData()

_ESCAPED = {0xDC00 + byte: 0xEF00 + byte for byte in range(0x80, 0x100)}
_RAW = {private: surrogate for surrogate, private in _ESCAPED.items()}
"""Bytes of SIP text that are not UTF-8 are surrogates in memory, which no database takes: in the tables they are
characters of the private use area."""


def escaped(text: str) -> str:
    """Return text as the tables have it."""
    return text.translate(_ESCAPED)


class Text(TypeDecorator[str]):
    """Text of any peer: whatever it sent is kept, and comes back as it was."""

    impl = PlainText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value if value is None or value.isascii() else escaped(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return value if value is None or value.isascii() else value.translate(_RAW)


bindings = Table(
    "bindings",
    metadata,
    Column("device", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("instance", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("path", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("device", "contact"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("call_id", Text, nullable=False),
    Column("local", Text, nullable=False),
    Column("remote", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("package", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("routes", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("accept", Text, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("remote_cseq", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("call_id", "local"),
)

messages = Table(
    "messages",
    metadata,
    Column("box", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("recording", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("caller_number", Text, nullable=False),
    Column("heard", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("caller_name", Text, nullable=False, server_default=""),
    Column("forwarded_by", Text, nullable=False, server_default=""),
    Column("comment", Text, nullable=False, server_default=""),
    Column("transcription", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("box", "id"),
)

prompts = Table(
    "prompts",
    metadata,
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("recording", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("origin", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    PrimaryKeyConstraint("owner", "name"),
)

boxes = Table(
    "boxes",
    metadata,
    Column("box", Text, primary_key=True),
    Column("greeting", Integer, nullable=False),
    Column("pin", Text, nullable=False),
    Column("instead_of", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Float, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("box", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("recording", Text, nullable=False),
    Column("transcriber", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("document", Text, nullable=False, server_default=""),
    Column("attach", Text, nullable=False, server_default=""),
)
"""Mail that has not been sent; several addresses of one are lines."""

call_recordings = Table(
    "call_recordings",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("call", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("left", Text, nullable=False),
    Column("right", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("begun_at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
)

faxes = Table(
    "faxes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("document", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("over", Text, nullable=False),
    Column("bit_rate", Integer, nullable=False),
    Column("error_correction", Boolean, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("problem", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Float, nullable=False),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("asked_at", Float, nullable=False),
    Column("until", Float, nullable=False),
)

own_settings = Table(
    "own_settings",
    metadata,
    Column("extension", Text, primary_key=True),
    Column("do_not_disturb", Boolean, nullable=False),
    Column("rejects_anonymous", Boolean, nullable=False),
    Column("call_waiting", Boolean, nullable=False),
    Column("always_to", Text, nullable=False),
    Column("always_on", Boolean, nullable=False),
    Column("busy_to", Text, nullable=False),
    Column("busy_on", Boolean, nullable=False),
    Column("no_answer_to", Text, nullable=False),
    Column("no_answer_on", Boolean, nullable=False),
    Column("desk", Text, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("started_at", Float, nullable=False),
    Column("call", Text, nullable=False),
    Column("caller_number", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("answered_by", Text, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("answered_at", Float, nullable=False),
    Column("ended_at", Float, nullable=False),
    Column("talk_s", Float, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("path", Text, nullable=False),
    PrimaryKeyConstraint("started_at", "call"),
)

directories = Table(
    "directories",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("domain", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("domain", "kind", "key"),
)
"""What is kept of a domain beside its configuration, as JSON."""

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("results", Text, nullable=False),
    Column("report", Text, nullable=False),
)

spent_tokens = Table(
    "spent_tokens",
    metadata,
    Column("mac", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)

served_files = Table(
    "served_files",
    metadata,
    Column("mac", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    PrimaryKeyConstraint("mac", "file"),
)
"""What each box holds of its own files."""

credentials = Table(
    "credentials",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("extension", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)

passes = Table(
    "passes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float, nullable=False),
    Column("first", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("more", Text, nullable=False),
)
"""Sessions, links of mails, tokens and keys: digests alone."""

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("as_whom", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
)

life = Table(
    "life",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seen_at", Float, nullable=False),
)
"""One row: when the process that writes here was last seen."""
