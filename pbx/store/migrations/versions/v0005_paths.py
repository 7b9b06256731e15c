"""The proxies a binding is reached through (RFC 3327)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("bindings", sa.Column("path", sa.Text(), nullable=False, server_default=""))
