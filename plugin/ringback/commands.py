"""What the running daemon does for a command at the shell, over the control socket. `status` is the house's own."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial

from ringback import control
from ringback.assembly import expected_of, known_pause, make_reader, names_to_pause, surroundings_of, wanted_of
from ringback.asterisk.checks import check_line
from ringback.asterisk.feed import AmiFeed
from ringback.config import Settings
from ringback.core.permissions import Principal, at_the_shell
from ringback.errors import ConfigFault, RingbackError
from ringback.flow import dispute, keys
from ringback.flow.bulks import Runs, say_off
from ringback.flow.departments_by_words import change_departments_by_words
from ringback.flow.grants_by_words import allowance_by_words, grant_by_words
from ringback.flow.holds import Holding
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.mending import mend_by_words
from ringback.flow.numbers_by_words import change_numbers_by_words
from ringback.flow.pauses import Pause, Paused, Turn
from ringback.flow.people_by_words import change_by_words
from ringback.flow.recordkeeping import note_export
from ringback.flow.restoring import note_backup
from ringback.flow.retention import Retention
from ringback.flow.settling import settle_for_shell
from ringback.front import Front
from ringback.list_parcels import told_of, unpack
from ringback.ports import Carrier, Clock
from ringback.ports.exchange import Exchange
from ringback.staffing import PeopleCommand, make_askers
from ringback.store.database import Database


@dataclass(frozen=True, slots=True)
class Commands:
    """What they need of the house. `turn` pauses or resumes, and returns what is paused then."""

    settings: Settings
    clock: Clock
    database: Database
    carriers: Mapping[str, Carrier]
    feeds: Mapping[str, AmiFeed]
    exchanges: Mapping[str, Exchange]
    holding: Holding
    lists: ListKeeper
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
            "wrote-out": self._wrote_out,
            "exported": self._exported,
            "check": self._check,
            "dialplan": self._dialplan,
            "user": self._user,
            "department": self._department,
            "number": self._number,
            "queue": self._queue,
            "queue-map": self._queue_map,
            "people": PeopleCommand(
                self.settings, self.database, self.clock, make_askers(self.feeds), self.front.guard.forget
            ),
            "mend": self._mend,
            "key": self._key,
            "secrets": self._secrets,
            "bulk": self._bulk,
            "grant": self._grant,
            "allowance": self._allowance,
            "settle": self._settle,
            "carrier": self._carrier,
            "list": self._list,
            "backup": self._backup,
            "trust-clock": self._trust_clock,
        }

    async def _settle(self, words: control.Words) -> control.Words:
        """Say what became of a text, or ask its carrier; `settled` is what came of it."""
        return {"settled": await settle_for_shell(words, self.carriers, self.database, self.clock)}

    async def _carrier(self, words: control.Words) -> control.Words:
        """Hold a carrier back, or let it go on; `said` is what became of it."""
        return {"said": await self.holding.change(words, at_the_shell(words.get("by", "control")))}

    async def _list(self, words: control.Words) -> control.Words:
        """Change a list or staging, or put everybody of a file on a list; `said` is what became of it."""
        who = at_the_shell(words.get("by", "control"))
        if words.get("change") == "import":
            parcel = partial(unpack, self.settings.paths.state, words.get("file", ""))
            list_, rows, source = await asyncio.to_thread(parcel)
            return {"said": told_of(list_, await self.lists.bring_in(who, list_, rows, source))}
        return {"said": await self.lists.change(words, who)}

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

    async def _dialplan(self, _words: control.Words) -> control.Words:
        """Ask every PBX how its dialplan uses our routines; `report PBX`, or `problem PBX`."""
        from ringback.asterisk.dialplan import look, told  # noqa: PLC0415  # asked for by hand, and rarely

        status = await self.status({})
        wanted = wanted_of(self.settings, int(status.get("dialplan_port", "0")), int(status.get("agi_port", "0")))
        said: dict[str, str] = {}
        for pbx in self.settings.asterisk:
            try:
                said[f"report {pbx.name}"] = told(await look(expected_of(pbx), wanted, self.feeds[pbx.name].ami))
            except RingbackError as problem:
                said[f"problem {pbx.name}"] = str(problem)
        return said

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

    async def _secrets(self, words: control.Words) -> control.Words:
        """Seal every secret with a new key; `said` is what came of it."""
        return {"said": await self.front.rotate(words.get("by", "control"))}

    async def _grant(self, words: control.Words) -> control.Words:
        """Change a grant; `said` is what became of it. It holds at once, open pages included."""
        said = await self.database.commit(partial(grant_by_words, words, self.clock.now()))
        self.front.guard.forget()
        return {"said": said}

    async def _allowance(self, words: control.Words) -> control.Words:
        """Set an allowance; `said` is what became of it."""
        said = await self.database.commit(partial(allowance_by_words, words, self.clock.now()))
        self.front.guard.forget()
        return {"said": said}

    async def _mend(self, words: control.Words) -> control.Words:
        """Make folds anew that the doctor found wrong; `said` has a line for each."""
        return {"said": await self.database.commit(partial(mend_by_words, words, self.clock.now()))}

    async def _user(self, words: control.Words) -> control.Words:
        """Change an account; `said` is what became of it. Browsers it is logged in with are looked up anew."""
        said = await self.database.commit(
            partial(change_by_words, words, self.settings.business.default_country, self.clock.now())
        )
        self.front.guard.forget()
        return {"said": said}

    async def _department(self, words: control.Words) -> control.Words:
        """Change the tree of departments, or who is in it; `said` is what became of it."""
        said = await self.database.commit(partial(change_departments_by_words, words, self.clock.now()))
        self.front.guard.forget()
        return {"said": said}

    async def _number(self, words: control.Words) -> control.Words:
        """Change what is said of a number, or its groups; `said` is what became of it."""
        said = await self.database.commit(partial(change_numbers_by_words, words, self.clock.now()))
        self.front.guard.forget()
        return {"said": said}

    async def _queue(self, words: control.Words) -> control.Words:
        """Change a text queue, or what an agent carries; `said` is what became of it."""
        from ringback.flow.queues_by_words import change_queues_by_words  # noqa: PLC0415  # asked for by hand

        around = surroundings_of(self.settings)
        said = await self.database.commit(partial(change_queues_by_words, words, around, self.clock.now()))
        return {"said": said}

    async def _queue_map(self, words: control.Words) -> control.Words:
        """Say what text queues would come of Asterisk's, or make them; `said` has a line for each."""
        from ringback.flow.queue_mapping import heard, map_by_words  # noqa: PLC0415  # asked for by hand

        voices, known = heard(self.exchanges, words.get("pbx", "")), surroundings_of(self.settings).known
        away = [f"PBX {name} is not heard now, so its queues are not known" for name in self._unheard()]
        said = await self.database.commit(partial(map_by_words, words, voices, known, self.clock.now()))
        return {"said": "\n".join([*away, *said])}

    def _unheard(self) -> list[str]:
        return [name for name, exchange in self.exchanges.items() if not exchange.heard]

    async def _trust_clock(self, words: control.Words) -> control.Words:
        """The clock is right; `said` is what came of it."""
        return {"said": await self.retention.trust_clock(at_the_shell(words.get("by", "control")))}

    async def _wrote_out(self, words: control.Words) -> control.Words:
        """Note that a person was written out, before the file is there."""
        who, number, size = at_the_shell(words.get("by", "control")), words.get("number", ""), words.get("size", "")
        await self.database.commit(partial(dispute.note, who, number, size, self.clock.now()))
        return {}

    async def _exported(self, words: control.Words) -> control.Words:
        """Note that a table was taken away."""
        who, what, detail = (words.get(name, "") for name in ("by", "what", "detail"))
        await self.database.commit(partial(note_export, at_the_shell(who), what, detail, self.clock.now()))
        return {}

    async def _erase(self, words: control.Words) -> control.Words:
        """Take a person out of everything; `texts`, `calls` and `stopped` say what there was."""
        number = make_reader(self.settings)("", words.get("number", ""))
        if number.e164 is None:
            raise ConfigFault([f"{words.get('number', '')!r} is no phone number"])
        erased = await self.retention.erase(number.e164, at_the_shell(words.get("by", "control")))
        return {"texts": str(erased.texts), "calls": str(erased.calls), "stopped": "yes" if erased.stopped else ""}
