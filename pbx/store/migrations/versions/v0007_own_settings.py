"""What users set at their telephones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    flags = ("do_not_disturb", "rejects_anonymous", "call_waiting", "always_on", "busy_on", "no_answer_on")
    op.create_table(
        "own_settings",
        sa.Column("extension", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in flags),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("always_to", "busy_to", "no_answer_to")),
    )
