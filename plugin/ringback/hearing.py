"""Hearing the PBXs: their events to the follower, and no account that may do more than we need."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.rights import Rights, dangerous, rights
from ringback.asterisk.standing import State
from ringback.course import Course
from ringback.errors import ConfigFault, PbxAway, PbxRefused
from ringback.flow.following import Follower
from ringback.flow.insist import to_the_end

log = structlog.get_logger("app")

ASK_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Hearing:
    course: Course
    follower: Follower

    async def hear(self, feed: AmiFeed) -> None:
        """One PBX, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.run())
            # what was heard when we are told to stop is still taken: no gap would tell of it
            group.create_task(to_the_end(self.follower.follow(feed)))
            group.create_task(self._mind_account(feed))

    async def _mind_account(self, feed: AmiFeed) -> None:
        """Refuse to go on with an AMI account that may do more than we need (S2)."""
        pbx = next(pbx for pbx in self.course.settings.asterisk if pbx.name == feed.name)
        try:
            too_much = dangerous(await self._rights(feed))
        except PbxRefused as problem:
            log.warning("cannot ask what the account may do", pbx=feed.name, problem=str(problem))
            return
        if too_much and not pbx.allow_dangerous_account:
            fault = (
                f"{self.course.settings.file.name}: asterisk {pbx.name}: the AMI user {pbx.user} may write "
                f"{', '.join(too_much)}: give it write = reporting only, or set allow_dangerous_account = true"
            )
            self.course.failure = ConfigFault([fault])
            self.course.stop.set()

    async def _rights(self, feed: AmiFeed) -> Rights:
        """Ask as soon as the line is live, however long that takes."""
        while True:
            standing = await feed.ami.settled(within=3600)
            if standing.state is State.LIVE:
                with suppress(PbxAway):
                    return await rights(feed.ami)
            await self.course.clock.sleep_until(self.course.clock.now() + ASK_AGAIN)
