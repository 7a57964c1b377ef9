"""Runs migrations for `ringback migrate` and at the first start."""

import sqlite3

from alembic import context
from sqlalchemy import Connection, engine_from_config, event, pool

from ringback.store.tables import metadata

engine = engine_from_config(context.config.get_section("alembic", {}), prefix="sqlalchemy.", poolclass=pool.NullPool)

if engine.dialect.name == "sqlite":
    # Python's driver begins no transaction before DDL, so a stop in the middle would leave half a schema for ever

    @event.listens_for(engine, "connect")
    def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
