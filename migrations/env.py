"""Alembic's entry: runs the migrations on the connection handed over by inventory.database."""

from alembic import context
from sqlmodel import SQLModel

import infra.models  # noqa: F401
import inventory.models_findings  # noqa: F401
import monitor.configs.models
import monitor.models  # noqa: F401

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
