"""The kinds of columns our tables have."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only a column that is declared INTEGER, whose values are 64 bits wide all the same.
_Big = BigInteger().with_variant(Integer(), "sqlite")


def identifier() -> Column[int]:
    return Column("id", _Big, primary_key=True)


def words(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def moment(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def maybe_moment(name: str) -> Column[int]:
    return Column(name, BigInteger)


def flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def count(name: str, default: str = "0") -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=default)


def ref(name: str, target: str, nullable: str = "never") -> Column[int]:
    return Column(name, BigInteger, ForeignKey(f"{target}.id"), nullable=nullable == "maybe")
