"""A carrier's id of a text, however it writes it: in the answer in one form, in the receipt perhaps in another.

Some carriers count their texts, answer with the number in hexadecimal and name it in receipts in decimal, or the other
way round, in capitals, or filled up with zeros (SMPP carriers are known for it). Of other carriers an id is only text.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

_HEX = re.compile(r"(?:0[xX])?0*([0-9a-fA-F]{1,40})")
_DECIMAL = re.compile(r"[0-9]+")


class Ids(StrEnum):
    """What a carrier's ids are."""

    TEXT = "text"
    NUMBER = "number"


def key(provider_id: str, ids: Ids) -> str:
    """The form under which an id is kept: without capitals, without zeros in front. The base is not known yet."""
    found = _HEX.fullmatch(provider_id) if ids is Ids.NUMBER else None
    return provider_id if found is None else found[1].lower()


def candidates(provider_id: str, ids: Ids) -> tuple[str, ...]:
    """Keys under which the same text may stand, the likeliest first: as it is, read as hexadecimal, as decimal."""
    same = key(provider_id, ids)
    if ids is Ids.TEXT or _HEX.fullmatch(same) is None:
        return (same,)
    others = [str(int(same, 16))]
    if _DECIMAL.fullmatch(same):
        others.append(f"{int(same):x}")
    return (same, *(other for other in dict.fromkeys(others) if other != same))


def pick(provider_id: str, found: Sequence[tuple[str, str]], ids: Ids) -> int | None:
    """Which of the attempts found under the candidates is meant, as a place in `found`; None if that is not certain.

    `found` are (id as the carrier wrote it, key), the newest first: the very same id is taken before the same number in
    the same base, and that before another base. Two texts that fit equally well are two texts, and neither is taken.
    """
    same = key(provider_id, ids)
    grades = [0 if name == provider_id else 1 if form == same else 2 for name, form in found]
    fitting = [place for place, grade in enumerate(grades) if grade == min(grades)]
    texts = {found[place][0] for place in fitting}
    return fitting[0] if len(texts) == 1 else None
