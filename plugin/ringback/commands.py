"""What the running daemon does for a command at the shell, over the control socket. `status` is the house's own."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial

from ringback import control
from ringback.assembly import expected_of, known_pause, make_reader, names_to_pause
from ringback.asterisk.checks import check_line
from ringback.asterisk.feed import AmiFeed
from ringback.config import Settings
from ringback.core.permissions import Principal, at_the_shell
from ringback.errors import ConfigFault
from ringback.flow import keys
from ringback.flow.bulks import Runs, say_off
from ringback.flow.holds import Holding
from ringback.flow.mending import mend_by_words
from ringback.flow.pauses import Pause, Paused, Turn
from ringback.flow.people import change_by_words
from ringback.flow.restoring import note_backup
from ringback.flow.retention import Retention
from ringback.flow.settling import settle_for_shell
from ringback.front import Front
from ringback.ports import Carrier, Clock
from ringback.store.database import Database


@dataclass(frozen=True, slots=True)
class Commands:
    """What they need of the house. `turn` pauses or resumes, and returns what is paused then."""

    settings: Settings
    clock: Clock
    database: Database
    carriers: Mapping[str, Carrier]
    feeds: Mapping[str, AmiFeed]
    holding: Holding
    retention: Retention
    runs: Runs
    front: Front
    turn: Callable[[Pause, Turn, Principal], Awaitable[tuple[Paused, ...]]]
    status: control.Command

    def all(self) -> Mapping[str, control.Command]:
        """Each command by the word that asks for it."""
        return {
            "pause": self._pause,
            "status": self.status,
            "erase": self._erase,
            "check": self._check,
            "user": self._user,
            "mend": self._mend,
            "key": self._key,
            "bulk": self._bulk,
            "settle": self._settle,
            "carrier": self._carrier,
            "backup": self._backup,
            "trust-clock": self._trust_clock,
        }

    async def _settle(self, words: control.Words) -> control.Words:
        """Say what became of a text, or ask its carrier; `settled` is what came of it."""
        return {"settled": await settle_for_shell(words, self.carriers, self.database, self.clock)}

    async def _carrier(self, words: control.Words) -> control.Words:
        """Hold a carrier back, or let it go on; `said` is what became of it."""
        return {"said": await self.holding.change(words, at_the_shell(words.get("by", "control")))}

    async def _backup(self, words: control.Words) -> control.Words:
        """Note that a backup was made, and where it went."""
        await self.database.commit(partial(note_backup, words.get("file", ""), self.clock.now()))
        return {}

    async def _bulk(self, words: control.Words) -> control.Words:
        """Call a run off; `said` is what became of it."""
        public_id = words.get("cancel", "")
        return {"said": say_off(public_id, await self.runs.call_off(at_the_shell(words.get("by", "")), public_id))}

    async def _check(self, _words: control.Words) -> control.Words:
        """Ask every PBX over the line we have; `checked` is a JSON list of what was found."""
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(check_line(expected_of(pbx), self.feeds[pbx.name].ami, self.clock))
                for pbx in self.settings.asterisk
            ]
        return {"checked": json.dumps([asdict(checked) for task in asked for checked in task.result()])}

    async def _pause(self, words: control.Words) -> control.Words:
        """`scope`, `name`, `off`, `by`: the answer lists what is paused now, a line each."""
        what = known_pause(names_to_pause(self.settings), words)
        way = Turn.RESUME if words.get("off") else Turn.PAUSE
        paused = await self.turn(what, way, at_the_shell(words.get("by", "control")))
        return {"paused": "\n".join(str(one.pause) for one in paused)}

    async def _key(self, words: control.Words) -> control.Words:
        """Make or revoke a key of the API; `said` is what became of it. It holds, or no longer does, at once."""
        said = await self.database.commit(partial(keys.change_by_words, words, self.clock.now()))
        self.front.programs.forget()
        return {"said": said}

    async def _mend(self, words: control.Words) -> control.Words:
        """Make folds anew that the doctor found wrong; `said` has a line for each."""
        return {"said": await self.database.commit(partial(mend_by_words, words, self.clock.now()))}

    async def _user(self, words: control.Words) -> control.Words:
        """Change an account; `said` is what became of it. Browsers it is logged in with are looked up anew."""
        said = await self.database.commit(partial(change_by_words, words, self.clock.now()))
        self.front.guard.forget()
        return {"said": said}

    async def _trust_clock(self, words: control.Words) -> control.Words:
        """The clock is right; `said` is what came of it."""
        return {"said": await self.retention.trust_clock(at_the_shell(words.get("by", "control")))}

    async def _erase(self, words: control.Words) -> control.Words:
        """Take a person out of everything; `texts`, `calls` and `stopped` say what there was."""
        number = make_reader(self.settings)("", words.get("number", ""))
        if number.e164 is None:
            raise ConfigFault([f"{words.get('number', '')!r} is no phone number"])
        erased = await self.retention.erase(number.e164, at_the_shell(words.get("by", "control")))
        return {"texts": str(erased.texts), "calls": str(erased.calls), "stopped": "yes" if erased.stopped else ""}
