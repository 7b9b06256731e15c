"""Calls back that callers in queues were promised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "callbacks",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("queue", "number")),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("asked_at", "until")),
    )
