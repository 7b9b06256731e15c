"""More of a message; prompts and greetings, how mailboxes stand, mail on its way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    for name in ("caller_name", "forwarded_by", "comment", "transcription"):
        op.add_column("messages", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "prompts",
        *_texts("owner", "name", "recording", "origin", "text"),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name"),
    )
    op.create_table(
        "boxes",
        sa.Column("box", sa.Text(), primary_key=True),
        sa.Column("greeting", sa.Integer(), nullable=False),
        *_texts("pin", "instead_of"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Float(), nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), primary_key=True),
        *_texts("box", "message", "to", "subject", "text", "recording", "transcriber", "problem"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
    )
