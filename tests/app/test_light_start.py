"""The first start and every later one reach the first call without what only pages and migrations need."""

import subprocess
import sys

HEAVY = ("sqlalchemy", "alembic", "mako", "jinja2", "argon2", "babel", "liquid", "holidays", "prometheus_client")
FIRST_CALL = f"""
import asyncio, sys
import ringback.cli.commands
from ringback.clock import SystemClock
from ringback.store.database import Database
from ringback.store.schema import prepare

async def start():
    database = Database(sys.argv[1], SystemClock())
    await database.open()
    await database.close()

prepare(sys.argv[1])
asyncio.run(start())
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_an_empty_database_is_made_and_opened_with_light_imports(tmp_path):
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    command = [sys.executable, "-c", FIRST_CALL, f"sqlite:///{tmp_path / 'db'}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.strip() == "[]"
