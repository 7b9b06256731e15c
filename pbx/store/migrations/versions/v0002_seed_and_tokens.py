"""The seed a directory grew from; which one-time tokens are spent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("directories", sa.Column("seed", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "spent_tokens",
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mac"),
    )
