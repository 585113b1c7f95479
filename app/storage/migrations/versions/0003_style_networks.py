"""Styles that have a network of their own, and how it was trained."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("styles", sa.Column("network", sa.String(length=64), nullable=True))
    op.add_column("styles", sa.Column("training", sa.JSON(), nullable=True))
