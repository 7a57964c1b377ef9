"""Cells of a table that a table program would reckon with: seen when they come in, made harmless when they go out."""

FORMULAS = ("=", "@", "+", "-", "\t", "\r", "\uff1d", "\uff20", "\uff0b", "\uff0d")
"""How a formula begins; the last four are the full-width forms, which some programs take for the same."""


def defused(cell: str) -> str:
    """A cell that no table program reckons with, with the apostrophe before it that they all know."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def tame(cell: str) -> str:
    """Take that apostrophe off again."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULAS) else cell


def is_formula(cell: str) -> bool:
    """Whether a table program would reckon with it. A plus before digits is a phone number, a lone hyphen nothing."""
    if not cell.startswith(FORMULAS) or cell in ("-", "+"):
        return False
    digits = cell[1:].translate(_NO_GROUPS)
    return not (cell[0] == "+" and digits.isdecimal())


_NO_GROUPS = str.maketrans("", "", " -().")
