"""An empty database is made by one script; it is the same as the one that came through every migration."""

import itertools
import sqlite3
from contextlib import closing

import psycopg
import pytest

from ringback.errors import StoreFault
from ringback.store.addresses import sqlite_path
from ringback.store.schema import HEAD, make, prepare, schema_version
from tools.schema import DIALECTS, path, script

LITE = {
    "columns": """SELECT t.name, c.name, c.type, c.[notnull], c.dflt_value, c.pk
    FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table'""",
    "references": """SELECT t.name, f.[from], f.[table], f.[to], f.on_delete
    FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'""",
    "indexes": """SELECT t.name, i.[unique], i.partial, i.origin, CASE i.origin WHEN 'c' THEN i.name END,
    (SELECT group_concat(k.name || k.desc) FROM pragma_index_xinfo(i.name) k WHERE k.key),
    (SELECT substr(s.sql, instr(s.sql, 'WHERE')) FROM sqlite_master s WHERE s.name = i.name AND i.partial)
    FROM sqlite_master t, pragma_index_list(t.name) i WHERE t.type = 'table'""",
    "triggers": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
}
POST = {
    "columns": """SELECT table_name, column_name, data_type, is_nullable, column_default, character_maximum_length
    FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": """SELECT t.tgname, pg_get_triggerdef(t.oid), pg_get_functiondef(t.tgfoid) FROM pg_trigger t
    WHERE NOT t.tgisinternal""",
}
_numbers = itertools.count()


def lite(path):
    with closing(sqlite3.connect(path)) as database:
        found = {what: sorted(map(repr, database.execute(question))) for what, question in LITE.items()}
        made = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    return found | {"constraints": {name: sorted(_constraints(sql)) for name, sql in made}}


def _constraints(sql):
    """Their names: SQLite keeps them nowhere but in the words of CREATE TABLE."""
    words = sql.replace('"', "").split()
    return [name for word, name in itertools.pairwise(words) if word == "CONSTRAINT"]


def post(conninfo):
    with psycopg.connect(conninfo) as database:
        return {what: sorted(map(repr, database.execute(question))) for what, question in POST.items()}


@pytest.fixture
def empty(request, url, tmp_path):
    """The address of a database with nothing in it, of the same kind as `url`."""
    if sqlite_path(url):
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("postgres").create(f"empty{next(_numbers)}")


@pytest.mark.parametrize("kind", sorted(DIALECTS))
def test_the_script_is_what_the_tables_say(kind):
    assert path(kind).read_text() == script(kind), "run python -m tools.schema"


def test_what_the_script_makes_is_what_the_migrations_make(url, empty):
    make(empty)
    structure = lite if sqlite_path(url) else post
    made = structure(sqlite_path(empty) or empty)
    assert len(made["triggers"]) > 1
    assert all(len(rows) > 10 for what, rows in made.items() if what != "triggers")
    assert made == structure(sqlite_path(url) or url)
    assert schema_version(empty) == HEAD


def test_a_script_that_fails_leaves_nothing(url, empty, monkeypatch, tmp_path):
    for kind in DIALECTS:
        whole = path(kind).read_text()
        (tmp_path / f"schema.{kind}.sql").write_text(
            whole.replace("COMMIT;", "INSERT INTO nowhere VALUES (1);\nCOMMIT;")
        )
    with monkeypatch.context() as patched:
        patched.setattr("ringback.store.schema.SCHEMAS", tmp_path)
        with pytest.raises(StoreFault, match="nowhere"):
            prepare(empty)
    assert schema_version(empty) is None
    prepare(empty)
    assert schema_version(empty) == HEAD


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_character_is_refused(postgres, encoding):
    name = f"encoded_{encoding.lower()}"
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreFault, match=f"as {encoding}.*--encoding=UTF8"):
        prepare(postgres.conninfo(name))
    postgres.drop(name)
