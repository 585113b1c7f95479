"""Jobs that refine: they can be paused, and go on from a checkpoint, but wait for their turn again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("method", sa.String(length=20), server_default="magenta", nullable=False))
    op.add_column("jobs", sa.Column("losses", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("checkpoint", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("pausing", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("jobs", sa.Column("queued", sa.Double(), server_default="0", nullable=False))
    op.execute("UPDATE jobs SET queued = created")
