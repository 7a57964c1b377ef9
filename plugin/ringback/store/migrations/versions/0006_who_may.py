"""Who may text whom: departments, grants, allowances, lists; what accounts, keys, numbers and the audit need for it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITS = sa.text("waits_since_at IS NOT NULL")
OUTSIDE = sa.text("outside <> ''")
UNANSWERED = sa.text(
    "direction = 'inbound' AND ended_at IS NOT NULL"
    " AND coalesce(outcome, '') NOT IN ('deflected', 'answered', 'answered_elsewhere', 'failed')"
)
WITH_TEXT = sa.text("decision IN ('send', 'defer')")
WITHOUT_TEXT = sa.text(f"{UNANSWERED.text} AND decision IN ('suppress', 'none')")
BROUGHT = sa.text("batch <> ''")
DUE = sa.text("done_at IS NULL AND due_at IS NOT NULL")
UNDATED = sa.text("done_at IS NULL AND due_at IS NULL")
DONE = sa.text("done_at IS NOT NULL")


def words(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def count(name: str, default: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def moment(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def maybe(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def row(name: str) -> sa.Column[int]:
    """A number that is part of a key and is not counted up."""
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


NEW_WORDS = {
    "account": ("extension", "endpoint", "mail", "mobile", "source", "outside", "totp", "codes"),
    "login": ("method",),
    "audit": ("source", "request", "before", "after"),
    "task": ("did",),
}
NEW_INDEXES = {
    "ix_account_extension": ("account", ["extension"], None),
    "ix_account_outside": ("account", ["outside"], OUTSIDE),
    "ix_audit_who_id": ("audit", ["who", "id"], None),
    "ix_audit_action_id": ("audit", ["action", "id"], None),
    "ix_audit_at_id": ("audit", ["at", "id"], None),
    "ix_thread_number_id_changed_at_id": ("thread", ["number_id", "changed_at", "id"], None),
    "ix_thread_number_waiting": ("thread", ["number_id", "changed_at", "id"], WAITS),
    "ix_call_did_started_at_id": ("call", ["did", "started_at", "id"], None),
    "ix_call_did_unanswered": ("call", ["did", "started_at", "id"], UNANSWERED),
    "ix_call_did_with_text": ("call", ["did", "started_at", "id"], WITH_TEXT),
    "ix_call_did_without_text": ("call", ["did", "started_at", "id"], WITHOUT_TEXT),
    "ix_task_did_due": ("task", ["did", "due_at", "id"], DUE),
    "ix_task_did_undated": ("task", ["did", "at", "id"], UNDATED),
    "ix_task_did_done": ("task", ["did", "done_at", "id"], DONE),
}
OF_TASK = """UPDATE task SET did = coalesce(
    (SELECT n.e164 FROM thread t JOIN number n ON n.id = t.number_id WHERE t.id = task.thread_id),
    (SELECT n.e164 FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
      WHERE m.id = task.message_id),
    (SELECT n.e164 FROM incoming i JOIN thread t ON t.id = i.thread_id JOIN number n ON n.id = t.number_id
      WHERE i.id = task.incoming_id),
    (SELECT c.did FROM call c WHERE c.id = task.call_id), '')"""
NEW_TABLES = (
    "listed",
    "allowance",
    "grant_draft",
    "grant_change",
    "grant_",
    "member",
    "department",
    "reset",
)

STAYS = "the record of who did what stays as it was written"
DOOR = "SELECT 1 FROM setting WHERE key = 'audit:door' AND CAST(value AS BIGINT) >= OLD.id"
GUARDED = {
    "sqlite": (
        f"""CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, '{STAYS}');
END""",
        f"""CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN NOT EXISTS ({DOOR}) BEGIN
    SELECT RAISE(ABORT, '{STAYS}');
END""",
        f"""CREATE TRIGGER audit_unreplaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, '{STAYS}');
END""",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS ({DOOR}) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '{STAYS}';
END
$$""",
        """CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_stays()""",
        """CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()""",
    ),
}
UNGUARDED = {
    "sqlite": ("DROP TRIGGER audit_unchanged", "DROP TRIGGER audit_stays", "DROP TRIGGER audit_unreplaced"),
    "postgresql": (
        "DROP FUNCTION audit_stays() CASCADE",
        "SELECT setval(pg_get_serial_sequence('audit', 'id'), coalesce((SELECT max(id) FROM audit), 0) + 1, false)",
    ),
}


def upgrade() -> None:
    for table, names in NEW_WORDS.items():
        for name in names:
            op.add_column(table, words(name, ""))
    op.add_column("account", maybe("totp_at"))
    op.add_column("account", count("totp_step"))
    _people()
    _numbers()
    _grants()
    _lists()
    op.execute(OF_TASK)
    for name, (table, columns, where) in NEW_INDEXES.items():
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    _keep_what_held()
    for statement in GUARDED[op.get_bind().dialect.name]:
        op.execute(statement)


def _people() -> None:
    op.create_table(
        "reset",
        sa.Column("id", BIG, nullable=False),
        words("token_hash"),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        moment("created_at"),
        moment("expires_at"),
        maybe("used_at"),
        words("created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_reset"),
        sa.UniqueConstraint("token_hash", name="uq_reset_token_hash"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_reset_account_id"),
    )
    op.create_index("ix_reset_account_id", "reset", ["account_id"])
    op.create_table(
        "department",
        sa.Column("id", BIG, nullable=False),
        words("public_id"),
        words("name"),
        maybe("parent_id"),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_department"),
        sa.UniqueConstraint("public_id", name="uq_department_public_id"),
        sa.UniqueConstraint("name", name="uq_department_name"),
        sa.ForeignKeyConstraint(["parent_id"], ["department.id"], name="fk_department_parent_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_department_parent_id", "department", ["parent_id"])
    op.create_table(
        "member",
        row("account_id"),
        row("department_id"),
        flag("main"),
        moment("since_at"),
        sa.PrimaryKeyConstraint("account_id", "department_id", name="pk_member"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_member_account_id"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_member_department_id"),
    )
    op.create_index("ix_member_department_id", "member", ["department_id"])
    with op.batch_alter_table("api_key") as table:
        table.add_column(maybe("account_id"))
        table.add_column(words("numbers", ""))
        table.create_foreign_key("fk_api_key_account_id", "account", ["account_id"], ["id"])
    with op.batch_alter_table("bulk") as table:
        table.add_column(maybe("account_id"))
        table.create_foreign_key("fk_bulk_account_id", "account", ["account_id"], ["id"])


def _numbers() -> None:
    op.create_table(
        "number_group",
        sa.Column("id", BIG, nullable=False),
        words("public_id"),
        words("name"),
        sa.PrimaryKeyConstraint("id", name="pk_number_group"),
        sa.UniqueConstraint("public_id", name="uq_number_group_public_id"),
        sa.UniqueConstraint("name", name="uq_number_group_name"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("number") as table:
        table.add_column(words("label", ""))
        table.add_column(maybe("group_id"))
        table.add_column(words("owner", ""))
        table.add_column(words("fallback", ""))
        table.add_column(flag("outbound"))
        table.create_foreign_key("fk_number_group_id", "number_group", ["group_id"], ["id"])


def _grants() -> None:
    cell = ("way", "scope", "class_")
    op.create_table(
        "grant_",
        sa.Column("id", BIG, nullable=False),
        words("level"),
        moment("subject_id"),
        *(words(name) for name in (*cell, "effect")),
        words("note", ""),
        words("set_by"),
        moment("set_at"),
        sa.PrimaryKeyConstraint("id", name="pk_grant_"),
        sa.UniqueConstraint("level", "subject_id", *cell, name="uq_grant__level_subject_id_way_scope_class_"),
    )
    op.create_table(
        "grant_change",
        sa.Column("id", BIG, nullable=False),
        words("batch"),
        moment("at"),
        words("by_"),
        words("level"),
        moment("subject_id"),
        *(words(name) for name in (*cell, "before", "after")),
        words("note", ""),
        sa.PrimaryKeyConstraint("id", name="pk_grant_change"),
    )
    op.create_index("ix_grant_change_batch", "grant_change", ["batch"])
    op.create_index("ix_grant_change_level_subject_id_id", "grant_change", ["level", "subject_id", "id"])
    op.create_table(
        "grant_draft",
        row("account_id"),
        words("level"),
        row("subject_id"),
        *(words(name) for name in (*cell, "effect", "seen")),
        moment("at"),
        sa.PrimaryKeyConstraint("account_id", "level", "subject_id", *cell, name="pk_grant_draft"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_grant_draft_account_id"),
    )
    op.create_table(
        "allowance",
        words("level"),
        row("subject_id"),
        count("soft"),
        count("hard"),
        words("set_by"),
        moment("set_at"),
        sa.PrimaryKeyConstraint("level", "subject_id", name="pk_allowance"),
    )


def _lists() -> None:
    op.create_table(
        "listed",
        words("key"),
        words("list"),
        words("batch", ""),
        words("reason", ""),
        words("source", ""),
        words("by_"),
        moment("at"),
        sa.PrimaryKeyConstraint("key", "list", "batch", name="pk_listed"),
    )
    op.create_index("ix_listed_list_at_key", "listed", ["list", "at", "key"])
    op.create_index("ix_listed_batch", "listed", ["batch", "key"], sqlite_where=BROUGHT, postgresql_where=BROUGHT)


def _keep_what_held() -> None:
    """Whoever had an account could read and answer everything; an upgrade takes nothing away."""
    op.execute(
        """INSERT INTO grant_ (level, subject_id, way, scope, class_, effect, note, set_by, set_at)
        SELECT 'everyone', 0, ways.way, '*', '', 'allow', 'as it was before there were permissions', 'upgrade',
          (SELECT min(created_at) FROM account)
        FROM (SELECT 'send' AS way UNION ALL SELECT 'receive') AS ways
        WHERE EXISTS (SELECT 1 FROM account)"""
    )


def downgrade() -> None:
    for statement in UNGUARDED[op.get_bind().dialect.name]:
        op.execute(statement)
    for name, (table, _columns, _where) in NEW_INDEXES.items():
        op.drop_index(name, table)
    for table in NEW_TABLES[:-2]:
        op.drop_table(table)
    with op.batch_alter_table("number") as batch:
        batch.drop_constraint("fk_number_group_id", type_="foreignkey")
        for name in ("label", "group_id", "owner", "fallback", "outbound"):
            batch.drop_column(name)
    with op.batch_alter_table("api_key") as batch:
        batch.drop_constraint("fk_api_key_account_id", type_="foreignkey")
        for name in ("account_id", "numbers"):
            batch.drop_column(name)
    with op.batch_alter_table("bulk") as batch:
        batch.drop_constraint("fk_bulk_account_id", type_="foreignkey")
        batch.drop_column("account_id")
    for table in ("number_group", *NEW_TABLES[-2:]):
        op.drop_table(table)
    for table, names in NEW_WORDS.items():
        with op.batch_alter_table(table) as batch:
            for name in (*names, *(("totp_at", "totp_step") if table == "account" else ())):
                batch.drop_column(name)
