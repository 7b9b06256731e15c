"""The first tables: bindings, messages, call records, directories, runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    text, number, real = sa.Text, sa.Integer, sa.Float

    def columns(kind: type[Any], *names: str) -> list[sa.Column[Any]]:
        return [sa.Column(name, kind(), nullable=False) for name in names]

    op.create_table(
        "bindings",
        *columns(text, "device", "contact", "extension", "peer"),
        *columns(real, "expires_at"),
        *columns(text, "call_id"),
        *columns(number, "cseq"),
        *columns(text, "instance", "user_agent"),
        sa.PrimaryKeyConstraint("device", "contact"),
    )
    op.create_table(
        "messages",
        *columns(text, "box", "id", "folder", "recording"),
        *columns(real, "seconds"),
        *columns(text, "caller_number", "heard"),
        *columns(real, "at"),
        sa.PrimaryKeyConstraint("box", "id"),
    )
    op.create_table(
        "records",
        *columns(real, "started_at"),
        *columns(text, "call", "caller_number", "caller_name", "device", "dialled", "answered_by", "disposition"),
        *columns(text, "direction"),
        *columns(real, "answered_at", "ended_at", "talk_s"),
        *columns(number, "cause"),
        *columns(text, "path"),
        sa.PrimaryKeyConstraint("started_at", "call"),
    )
    op.create_table(
        "directories",
        *columns(text, "domain"),
        *columns(number, "revision"),
        *columns(text, "document"),
        sa.PrimaryKeyConstraint("domain"),
    )
    op.create_table(
        "runs",
        *columns(text, "id", "plan"),
        *columns(real, "started_at"),
        *columns(text, "results", "report"),
        sa.PrimaryKeyConstraint("id"),
    )
