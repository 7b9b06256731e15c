"""Conversations that were recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "call_recordings",
        sa.Column("recording", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("call", "extension", "left", "right", "why")),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("begun_at", "seconds")),
    )
