"""The site's route templates, which tell what a parameter of a route is called."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Unknown until the site is looked at again: by the next `connect` or change of a client, or while it is used."""
    op.add_column("sites", sa.Column("route_templates", sa.Text(), nullable=True))
