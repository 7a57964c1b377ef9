"""Runs to many people as the panel shows them: how far each is, what holds it, and the three things to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from ringback.core.grants import Way
from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action
from ringback.core.reasons import SENTENCES
from ringback.flow.bulks import GIVES_UP, Runs, Turn, outlook
from ringback.panel import api_words as words
from ringback.panel.doing import done
from ringback.panel.shell import Shell
from ringback.panel.thread_words import STATES
from ringback.ports import Clock
from ringback.ports.bulks import ReadBulks, Run, RunState, Tallied
from ringback.ports.keys import KeyRing

HERE = "/api/runs"
LATEST = 50


@dataclass(frozen=True, slots=True)
class Office:
    """What stands behind the pages of runs. `per_minute` is how many segments a number of ours may send."""

    told: ReadBulks
    runs: Runs
    keys: KeyRing
    per_minute: int
    clock: Clock


class RunPages:
    """The routes under /api/runs."""

    def __init__(self, shell: Shell, office: Office) -> None:
        self._shell = shell
        self._office = office

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.index),
            web.get(f"{HERE}/{{id}}", self.show),
            web.post(f"{HERE}/{{id}}/cancel", self.cancel),
            web.post(f"{HERE}/{{id}}/{{way:pause|resume}}", self.turn),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """The latest runs, the newest first."""
        self._shell.allow(request, Action.SEND_BULK)
        runs = await self._office.told.latest(self._shell.reach(request), LATEST)
        return self._shell.page(
            request,
            "api_runs",
            runs=runs,
            names=await self._names(),
            most=LATEST,
            now=self._office.clock.now(),
            W=words,
        )

    async def show(self, request: web.Request) -> web.Response:
        """One run; with `?ask=cancel` the question whether to call it off."""
        self._shell.allow(request, Action.SEND_BULK)
        told, now = await self._told(request), self._office.clock.now()
        return self._shell.page(
            request,
            "api_run",
            told=told,
            run=told.run,
            ahead=outlook(told, self._office.per_minute, now),
            can=ways(told) if self._may_act(request, told.run) else frozenset(),
            to_come=told.run.state is RunState.OPEN and told.run.plan.not_before > now,
            asks=request.query.get("ask") == "cancel",
            names=await self._names(),
            done=_said(told.run, request.query.get("done", "")),
            STATES=STATES,
            SENTENCES=SENTENCES,
            W=words,
        )

    async def turn(self, request: web.Request) -> web.Response:
        """Make no more texts of it for now, or go on."""
        who, told = self._shell.allow(request, Action.SEND_BULK), await self._told(request)
        way = Turn(request.match_info["way"])
        await done(self._office.runs.turn(who, told.run.public_id, way))
        raise _see(told.run, way)

    async def cancel(self, request: web.Request) -> web.Response:
        """Call it off for good."""
        who, told = self._shell.allow(request, Action.SEND_BULK), await self._told(request)
        await done(self._office.runs.call_off(who, told.run.public_id))
        raise _see(told.run, "cancel")

    def _may_act(self, request: web.Request, run: Run) -> bool:
        return self._shell.rights(request).right(Way.BULK, run.plan.did, run.plan.class_).allowed

    async def _told(self, request: web.Request) -> Tallied:
        wanted = request.match_info["id"]
        told = (
            await self._office.told.show(self._shell.reach(request), wanted) if kind_of(wanted) is Kind.BULK else None
        )
        if told is None:
            raise web.HTTPNotFound
        return told

    async def _names(self) -> Mapping[str, str]:
        """Which program asked, by how runs name it."""
        return {key.principal.label: key.name for key in await self._office.keys.all()}


def ways(told: Tallied) -> frozenset[str]:
    """What can be done to a run as it is now."""
    state = told.run.state
    turns = {RunState.OPEN: {"pause"}, RunState.PAUSED: {"resume"}}.get(state, set())
    waits = state in GIVES_UP or (state is RunState.DONE and bool(told.held))
    return frozenset(turns | ({"cancel"} if waits else set()))


def _said(run: Run, what: str) -> str | None:
    """What was done, as long as it is so: somebody else may have been faster, and an address stays."""
    return words.DONE[what] if run.state in words.AFTER.get(what, ()) else None


def _see(run: Run, what: str) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"{HERE}/{run.public_id}?done={what}")
