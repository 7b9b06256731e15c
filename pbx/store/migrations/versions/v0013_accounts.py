"""Passwords, passes and what people have changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "credentials",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("domain", "extension")),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "passes",
        sa.Column("digest", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "domain", "extension")),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("made_at", "expires_at", "used_at")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("first", "scope")),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("addresses", "by", "description", "more")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("at", sa.Float(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "actor", "scope", "as_whom", "origin", "domain", "kind", "name", "action", "before", "after",
            )
        ),
    )  # fmt: skip
