"""What people do on a line, from the caller's first word to the end of the call. Nothing is judged here."""

import asyncio

from lab.call import Call
from lab.phone import busy, decline, redirect
from tests.stories.scene import Scene

# -- phones that ring


async def nobody_lifts(s: Scene) -> None:
    await s.phone()
    await nobody_is_there(s)


async def nobody_is_there(s: Scene) -> None:
    await (await s.call()).over()


async def gives_up(s: Scene) -> None:
    await s.phone()
    await s.gives_up()


async def is_busy(s: Scene) -> None:
    await s.phone(behaviour=busy)
    await nobody_is_there(s)


async def declines(s: Scene) -> None:
    await s.phone(behaviour=decline)
    await nobody_is_there(s)


async def does_not_disturb(s: Scene) -> None:
    async def away(call: Call) -> None:
        call.reject(480, "Do Not Disturb")

    await s.phone(behaviour=away)
    await nobody_is_there(s)


async def lifts(s: Scene) -> None:
    phone = await s.phone()
    call = await s.call()
    lifted = await phone.incoming()
    await lifted.answer()
    await call.answered()
    await lifted.hang_up()
    await call.over()


async def answered_upstream(s: Scene) -> None:
    await s.phone()
    call = await s.call()
    await call.ringing()
    await call.cancel('Q.850;cause=26;text="Answered elsewhere"')


async def after_an_announcement(s: Scene) -> None:
    phone = await s.phone()
    call = await s.call()
    await (await phone.incoming()).ringing()
    await call.hang_up()


async def one_after_the_other(s: Scene) -> None:
    await s.phones(1, 2)
    await nobody_is_there(s)


# -- groups and queues


async def group_answers(s: Scene) -> None:
    _, two, _ = await s.phones(1, 2, 3)
    call = await s.call()
    await (await two.incoming()).answer()
    await call.answered()
    await call.hang_up()


async def group_is_empty(s: Scene) -> None:
    await s.phones(1, 2, 3)
    await nobody_is_there(s)


async def one_of_three_is_busy(s: Scene) -> None:
    one, two = await s.phones(1, 2)
    await s.phone(3, busy)
    call = await s.call()
    for phone in (one, two):
        await (await phone.incoming()).ringing()
    await s.saw("DialEnd", DialStatus="BUSY")
    await call.cancel()


async def waits_in_vain(s: Scene) -> None:
    phones = await s.phones(1, 2)
    call = await s.call()
    for phone in phones:
        await (await phone.incoming()).ringing()
    await call.hang_up()


async def queue_answers(s: Scene) -> None:
    one, _ = await s.phones(1, 2)
    call = await s.call()
    await (await one.incoming()).answer()
    await s.saw("AgentConnect")
    await s.saw("BridgeEnter")
    await call.hang_up()


async def presses_a_key(s: Scene) -> None:
    one, _ = await s.phones(1, 2)
    call = await s.call()
    await one.incoming()
    await call.press("2")
    await call.over()


# -- menus, voicemail, follow-me, forwards


async def leaves_the_menu(s: Scene) -> None:
    call = await s.call()
    await call.answered()
    await call.hang_up()


async def leaves_a_message(s: Scene) -> None:
    await s.phone(behaviour=decline)
    call = await s.call()
    await call.answered()
    await call.speak(2)
    await call.hang_up()


async def says_nothing_to_the_box(s: Scene) -> None:
    await s.phone(behaviour=decline)
    call = await s.call()
    await call.answered()
    await call.hang_up()


async def follow_me_rings(s: Scene) -> None:
    phone = await s.phone()
    call = await s.call()
    await (await phone.incoming()).ringing()
    await call.hang_up()


async def follow_me_is_accepted(s: Scene) -> None:
    phone = await s.phone()
    call = await s.call()
    lifted = await phone.incoming()
    await lifted.answer()
    joined = asyncio.ensure_future(s.saw("BridgeEnter"))
    while not joined.done():
        await lifted.press("1")  # a key that comes before the question is not heard
    await joined
    await call.hang_up()


async def phone_forwards(s: Scene) -> None:
    await s.phone(1, redirect(f"2{s.line}"))
    other = await s.phone(2)
    call = await s.call()
    await (await other.incoming()).ringing()
    await call.cancel()


# -- what whoever answered does next


async def transferred_to_nobody(s: Scene) -> None:
    phone, other = await s.phones(1, 2)
    call = await s.call()
    first = await phone.incoming()
    await first.answer()
    await first.transfer(f"2{s.line}")
    await (await other.incoming()).ringing()
    await call.hang_up()


async def transferred_with_a_word(s: Scene) -> None:
    phone, other = await s.phones(1, 2)
    call = await s.call()
    first = await phone.incoming()
    await first.answer()
    asking = await phone.call(f"2{s.line}")
    second = await other.incoming()
    await second.answer()
    await asking.answered()
    await first.transfer_to(asking)
    await first.over()
    await call.hang_up()
    await second.over()


async def a_colleague_takes_it(s: Scene) -> None:
    phone, other = await s.phones(1, 2)
    call = await s.call()
    await phone.incoming()
    await (await other.call(f"*81{s.line}")).answered()
    await call.answered()
    await call.hang_up()


async def parked_and_fetched(s: Scene) -> None:
    phone, other = await s.phones(1, 2)
    call = await s.call()
    first = await phone.incoming()
    await first.answer()
    await first.transfer("700")
    parked = await s.ami.wait("ParkedCall", ParkeeCallerIDNum=s.number)
    fetching = await other.call(parked["ParkingSpace"])
    await fetching.answered()
    await s.ami.wait("UnParkedCall", ParkeeCallerIDNum=s.number)
    await call.hang_up()
    await fetching.over()


async def parked_and_forgotten(s: Scene) -> None:
    phone = await s.phone()
    call = await s.call()
    first = await phone.incoming()
    await first.answer()
    await first.transfer("700")
    await s.ami.wait("ParkedCall", ParkeeCallerIDNum=s.number)
    await call.hang_up()
