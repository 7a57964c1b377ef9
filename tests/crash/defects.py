"""Twelve planted defects, each a mistake that such software has been seen to make, in a copy of the program.

A harness that cannot catch them proves nothing. Each is an exact replacement of lines: one that no longer applies
fails its test, so that the table stays true while the program changes.
"""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash import scenes
from tests.crash.house import ROOT, House

OUTCOMES, ATTEMPTS, RECEIPTS = "store/outcomes.py", "flow/attempts.py", "flow/receipts.py"


@dataclass(frozen=True, slots=True)
class Cut:
    """Lines of a file, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong, how it comes to light, and which invariant says so."""

    cuts: tuple[Cut, ...]
    scene: Callable[[House], Awaitable[None]]
    caught_by: str
    environ: tuple[tuple[str, str], ...] = ()


class DoesNotApply(Exception):
    """The lines of a planted defect are not in the program any more: plant it anew."""


def plant(defect: Defect, folder: Path) -> Path:
    """Copy the program and put the defect in; returns what goes on the path."""
    for part in ("plugin", "web", "dialplan"):
        shutil.copytree(ROOT / part, folder / part)
    for cut in defect.cuts:
        file = folder / "plugin" / "ringback" / cut.file
        text = file.read_text("utf-8")
        if text.count(cut.old) != 1:
            raise DoesNotApply(f"{cut.file} has {text.count(cut.old)} times: {cut.old}")
        file.write_text(text.replace(cut.old, cut.new), "utf-8")
    return folder / "plugin"


SYNC = Cut("store/sqlite.py", '"PRAGMA synchronous = FULL"', '"PRAGMA synchronous = NORMAL"')
"""The first of the twelve. What it loses only a power cut shows, so the check of the order of flushes looks for it."""

DEFECTS: dict[str, Defect] = {
    "ack before commit": Defect(
        (
            Cut(
                "flow/arrivals.py",
                "            results = await self.store.commit_all([",
                """            import asyncio
            def later(steps):
                asyncio.ensure_future(self.store.commit_all(steps))
            return asyncio.get_running_loop().call_later(0.05, later, [""",
            ),
        ),
        scenes.killed_before_a_text_is_stored,
        "I1",
    ),
    "requeue on disconnect": Defect(
        (
            Cut(
                ATTEMPTS,
                "return in_doubt(order, str(result), now, tx)",
                "return wait_and_retry(order, result, now, tx)",
            ),
        ),
        scenes.line_cut_after_the_text,
        "I3",
    ),
    "dedupe in memory": Defect(
        (
            Cut("store/inbound.py", "PIECE = insert(", "_SEEN: set[tuple[str, str]] = set()\nPIECE = insert("),
            Cut(
                "store/inbound.py",
                """        row = self._run.one(
            JOURNAL,""",
                """        if (carrier, provider_id) in _SEEN:
            return Arrival(False, same=True)
        _SEEN.add((carrier, provider_id))
        provider_id = ""
        row = self._run.one(
            JOURNAL,""",
            ),
        ),
        scenes.killed_after_a_text_is_stored,
        "I1",
    ),
    "STOP checked only at enqueue": Defect(
        (
            Cut(
                "core/policy.py",
                "    opt_out,\n    consent,\n    length,\n    allowance,\n    rate,\n",
                "    consent,\n    length,\n    allowance,\n    rate,\n",
            ),
            Cut("flow/opt_outs.py", "return _call_off_queued(thread, now, tx) + ", "return 0 and "),
        ),
        scenes.stop_while_a_text_waits,
        "I7",
    ),
    "naive local time": Defect(
        (
            Cut(
                "flow/outbound.py",
                "    on_doubt = wanted.on_doubt or house.policy(wanted.class_)\n",
                """    if wanted.not_before is not None:
        import dataclasses
        naive = wanted.not_before.replace(tzinfo=None)
        wanted = dataclasses.replace(wanted, not_before=naive.astimezone())
    on_doubt = wanted.on_doubt or house.policy(wanted.class_)
""",
            ),
        ),
        scenes.text_for_a_later_moment,
        "I8",
        (("TZ", "Asia/Tokyo"),),
    ),
    "lease without fencing": Defect(
        (Cut(OUTCOMES, "WHERE id = :id AND outcome IS NULL RETURNING", "WHERE id = :id RETURNING"),),
        scenes.receipt_before_the_line_is_cut,
        "I6",
    ),
    "receipt mapping stored after the answer": Defect(
        (
            Cut(RECEIPTS, "        tx.outcomes.park(carrier, receipt, now, ids)\n", ""),
            Cut(OUTCOMES, "looks = (self._by_provider, self._by_attempt) if", "looks = (self._by_provider,) if"),
        ),
        scenes.receipt_before_the_answer,
        "I1",
    ),
    "pop instead of lease": Defect(
        (
            Cut(
                ATTEMPTS,
                """    return give_up(left, "crash", "Ringback stopped""",
                """    return 0 and give_up(left, "crash", "Ringback stopped""",
            ),
        ),
        scenes.killed_before_the_answer,
        "I2",
    ),
    "outcome written without attempt id": Defect(
        (
            Cut(
                OUTCOMES,
                "WHERE id = :id AND outcome IS NULL RETURNING",
                "WHERE message_id = (SELECT message_id FROM attempt WHERE id = :id) RETURNING",
            ),
        ),
        scenes.busy_first,
        "I4",
    ),
    "AMI reader swallowing parse errors": Defect(
        (
            Cut(
                "asterisk/wire.py",
                """            log.warning("pbx %s: %s", self._owner.pbx, problem)
            heard = decoder.feed(b"")
""",
                """            del problem
            decoder.reset()
            heard = []
""",
            ),
        ),
        scenes.calls_round_a_message_without_end,
        "I1",
    ),
    "list endpoint without a scope check": Defect(
        (
            Cut(
                "api/messages.py",
                'own = "" if Scope.READ in who.scopes else who.label',
                'own = ""',
            ),
        ),
        scenes.somebody_else_looks,
        "I12",
    ),
}
