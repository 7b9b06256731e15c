"""What is kept of a domain beside its configuration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "documents",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("domain", "kind", "key")),
        sa.Column("text", sa.Text(), nullable=False),
    )
