"""Which clients each revision changed, so that a worker reads no others."""

import os

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The history begins with the revision of now; a process of an older version, still at work, leaves gaps in it."""
    op.create_table(
        "changes",
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("client_ids", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"]),
        sa.PrimaryKeyConstraint("revision"),
    )
    begin = sa.text(
        "INSERT INTO changes (revision, site_id, mark, client_ids) SELECT number, 1, :mark, '[]' FROM revision"
    )
    op.execute(begin.bindparams(mark=os.urandom(16)))
