"""What each box holds of its own files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    names = ("name", "sha256", "protocol", "address", "user_agent")
    op.create_table(
        "served_files",
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("mac", "file"),
    )
