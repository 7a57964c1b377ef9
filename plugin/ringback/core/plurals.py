"""Counts in English, for commands, the log and the audit; pages have their translators."""


def count_of(n: int | str, one: str, many: str = "") -> str:
    """Say how many: `1 text`, `2 texts`. `many` is for what does not only end in s."""
    return f"{n} {one if str(n) == '1' else many or f'{one}s'}"
