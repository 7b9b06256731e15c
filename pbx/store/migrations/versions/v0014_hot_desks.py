"""Where users are logged in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("own_settings", sa.Column("desk", sa.Text(), nullable=False, server_default=""))
