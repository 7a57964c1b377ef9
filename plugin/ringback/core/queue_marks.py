"""What a form of a queue was shown with, so that saving it whole does not undo what somebody else changed meanwhile."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from ringback.core.queue_forms import Known, write_plan
from ringback.core.text_queues import Plan, VoiceName

NAME, MEMBERS, VOICE, NUMBERS = "name", "members", "voice", "numbers"
"""What is said of a queue beside the words of its plan."""
LONGEST_MARK = 8000


def all_of(
    name: str,
    plan: Plan,
    members: Sequence[int],
    voice: Iterable[VoiceName],
    numbers: Iterable[str],
    known: Known,
) -> dict[str, str]:
    """All that is said of a queue, each thing as text that is the same when it is."""
    beside = {
        NAME: name,
        MEMBERS: repr(sorted(set(members))),
        VOICE: repr(sorted({(one.pbx, one.queue) for one in voice})),
        NUMBERS: repr(sorted(set(numbers))),
    }
    return beside | write_plan(plan, known)


def mark_of(said: Mapping[str, str]) -> str:
    """The mark of it: each word with a digest."""
    return " ".join(f"{word}={_digest(value)}" for word, value in said.items())


def turned_meanwhile(seen: str, now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """What is not as it was shown any more, and not as it is wanted now either."""
    shown = dict(part.partition("=")[::2] for part in seen[:LONGEST_MARK].split())
    return tuple(
        word for word, value in now.items() if shown.get(word) != _digest(value) and value != wanted.get(word, "")
    )


def _digest(value: str) -> str:
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
