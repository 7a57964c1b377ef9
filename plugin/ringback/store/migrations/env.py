"""Runs migrations for `ringback migrate` and at the first start."""

from alembic import context
from sqlalchemy import engine_from_config, pool

from ringback.store.tables import metadata

engine = engine_from_config(context.config.get_section("alembic", {}), prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
