"""What devices watch: event subscriptions outlive the process."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    texts = (
        "call_id",
        "local",
        "remote",
        "device",
        "package",
        "resource",
        "target",
        "routes",
        "peer",
        "event",
        "accept",
    )
    op.create_table(
        "subscriptions",
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("expires_at", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("cseq", "remote_cseq", "version")),
        sa.PrimaryKeyConstraint("call_id", "local"),
    )
