"""Faxes, and mail that has their pages with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TEXTS = ("account", "direction", "status", "number", "document", "sender", "station", "over", "problem", "call")


def upgrade() -> None:
    op.create_table(
        "faxes",
        sa.Column("id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("at", "seconds", "due_at")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("pages", "done", "bit_rate", "tries")),
        sa.Column("error_correction", sa.Boolean(), nullable=False),
    )
    for name in ("document", "attach"):
        op.add_column("notices", sa.Column(name, sa.Text(), nullable=False, server_default=""))
