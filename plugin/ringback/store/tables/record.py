"""What keeps the rows of the record as they are: triggers of each database, which SQLAlchemy has no words for.

Nothing changes a row, and none goes but by the door: a setting that stands for the length of a transaction in which
rows go whose time is over. Whoever may drop triggers can get past them; the seals and the anchors show it.
"""

from collections.abc import Mapping

STAYS = "the record of who did what stays as it was written"
_DOOR = "SELECT 1 FROM setting WHERE key = 'audit:door' AND CAST(value AS BIGINT) >= OLD.id"

GUARDED: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        f"""CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, '{STAYS}');
END""",
        f"""CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN NOT EXISTS ({_DOOR}) BEGIN
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
        IF EXISTS ({_DOOR}) THEN
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
"""By database."""

UNGUARDED: Mapping[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"DROP TRIGGER IF EXISTS {name}" for name in ("audit_unchanged", "audit_stays", "audit_unreplaced")
    ),
    "postgresql": ("DROP FUNCTION IF EXISTS audit_stays() CASCADE",),
}
"""What takes them away again."""
