"""Who works here, how they get in, and who may text whom."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from ringback.store.tables.columns import count, flag, identifier, maybe_moment, metadata, moment, ref, words

_OUTSIDE = text("outside <> ''")

# Somebody who works here; who has no `password` cannot log in with one. `role` has roles with spaces between them.
# `totp` is the sealed secret of their second factor, good from `totp_at`; `outside` is who they are to a directory.
account = Table(
    "account",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("login", Text, nullable=False, unique=True),
    words("name"),
    words("role"),
    words("password"),
    words("language", ""),
    moment("created_at"),
    moment("changed_at"),
    maybe_moment("disabled_at"),
    words("extension", ""),
    words("endpoint", ""),
    words("mail", ""),
    words("mobile", ""),
    words("source", ""),
    words("outside", ""),
    words("totp", ""),
    maybe_moment("totp_at"),
    count("totp_step"),
    words("codes", ""),
    Index("ix_account_extension", "extension"),
    Index("ix_account_outside", "outside", sqlite_where=_OUTSIDE, postgresql_where=_OUTSIDE),
)

# Who is logged in. Only hashes of the two tokens are kept.
login = Table(
    "login",
    metadata,
    identifier(),
    Column("token_hash", Text, nullable=False, unique=True),
    ref("account_id", "account"),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
    maybe_moment("ended_at"),
    words("address", ""),
    words("browser", ""),
    words("method", ""),
    Index("ix_login_account_id", "account_id"),
    Index("ix_login_expires_at", "expires_at"),
)

# A program that may ask us. Only the hash of its key is kept; `scopes` and `numbers` are words with spaces
# between them; `account_id` is the user it acts for.
api_key = Table(
    "api_key",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("token_hash", Text, nullable=False, unique=True),
    words("name"),
    words("scopes"),
    words("created_by"),
    moment("created_at"),
    maybe_moment("expires_at"),
    maybe_moment("revoked_at"),
    maybe_moment("seen_at"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    words("numbers", ""),
)

# A link that sets a password once. Only the hash of its token is kept.
reset = Table(
    "reset",
    metadata,
    identifier(),
    Column("token_hash", Text, nullable=False, unique=True),
    ref("account_id", "account"),
    moment("created_at"),
    moment("expires_at"),
    maybe_moment("used_at"),
    words("created_by"),
    Index("ix_reset_account_id", "account_id"),
)

department = Table(
    "department",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("parent_id", BigInteger, ForeignKey("department.id")),
    moment("created_at"),
    Index("ix_department_parent_id", "parent_id"),
    # an id that went is never given again: the history and counters of a month know it
    sqlite_autoincrement=True,
)

# `main` is the department under which they stand in lists.
member = Table(
    "member",
    metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    Column("department_id", BigInteger, ForeignKey("department.id"), primary_key=True, autoincrement=False),
    flag("main"),
    moment("since_at"),
    Index("ix_member_department_id", "department_id"),
)

number_group = Table(
    "number_group",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    # an id that went is never given again: the history and counters of a month know it
    sqlite_autoincrement=True,
)

# What an administrator decided. `subject_id` is the row of the user or department, 0 for everyone; `scope` is a number
# in E.164, `group:ID` or `*`; `class_` is empty for every kind of text.
grant_ = Table(
    "grant_",
    metadata,
    identifier(),
    words("level"),
    Column("subject_id", BigInteger, nullable=False),
    words("way"),
    words("scope"),
    words("class_"),
    words("effect"),
    words("note", ""),
    words("set_by"),
    moment("set_at"),
    UniqueConstraint("level", "subject_id", "way", "scope", "class_"),
)

# What grants were and became, for the history and for taking a change back. `batch` are those that were made at once;
# `effect` is empty where nothing was said.
grant_change = Table(
    "grant_change",
    metadata,
    identifier(),
    words("batch"),
    moment("at"),
    words("by_"),
    words("level"),
    Column("subject_id", BigInteger, nullable=False),
    words("way"),
    words("scope"),
    words("class_"),
    words("before"),
    words("after"),
    words("note", ""),
    Index("ix_grant_change_batch", "batch"),
    Index("ix_grant_change_level_subject_id_id", "level", "subject_id", "id"),
)

# Changes that somebody has in mind and did not apply yet. `seen` is what the cell said when they touched it.
grant_draft = Table(
    "grant_draft",
    metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    Column("level", Text, primary_key=True),
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
    Column("way", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("class_", Text, primary_key=True),
    words("effect"),
    words("seen"),
    moment("at"),
)

# How many segments a month: `level` is user, department, number or everyone. 0 is no limit. What is used is in `meter`.
allowance = Table(
    "allowance",
    metadata,
    Column("level", Text, primary_key=True),
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
    count("soft"),
    count("hard"),
    words("set_by"),
    moment("set_at"),
)

# People who are never texted, the only ones who are, those who said STOP to the whole business. `key` is the number, or
# its keyed hash once the person was erased. `batch` names the import that brings the row, until that is merged.
_BROUGHT = text("batch <> ''")
listed = Table(
    "listed",
    metadata,
    Column("key", Text, primary_key=True),
    Column("list", Text, primary_key=True),
    Column("batch", Text, primary_key=True, server_default=""),
    words("reason", ""),
    words("source", ""),
    words("by_"),
    moment("at"),
    Index("ix_listed_list_at_key", "list", "at", "key"),
    Index("ix_listed_batch", "batch", "key", sqlite_where=_BROUGHT, postgresql_where=_BROUGHT),
)
