"""Who calls, how often and with what: strange names and numbers, the same person again, returned calls, SIPp."""

from lab.phone import Behaviour, answer
from lab.sip import Header
from tests.stories.acts import gives_up
from tests.stories.scene import Act, Scene


def shows(*headers: Header, number: str = "", **more: str) -> Act:
    """Somebody calls who shows this, and gives up. `number` may have `{}` where the story's own number stands."""

    async def act(s: Scene) -> None:
        await s.phone()
        given = [(key, value.format(s.number)) for key, value in headers]
        await s.gives_up(given, number=number.format(s.number), **more)

    return act


def says(name: str) -> Act:
    """Somebody with this name calls."""
    return shows(name=name)


async def calls_in_many_forms(s: Scene) -> None:
    """The same person four times, as trunks write the number: E.164, eleven digits, ten, with the access code."""
    await s.phone()
    for form in (s.number, s.number[1:], s.number[2:], f"011{s.number[1:]}"):
        await s.gives_up(number=form)


async def calls_twice(s: Scene) -> None:
    await s.phone()
    await s.gives_up()
    await s.gives_up()


async def is_called_back(s: Scene) -> None:
    """The call is returned, and answered, before the text is due."""
    await gives_up(s)
    s.carrier.behaviours[s.number] = answer()
    colleague = await s.phone(2)
    call = await colleague.call(s.number)
    await call.answered()
    await call.hang_up()
    await s.spoken()


async def is_called_back_in_vain(s: Scene) -> None:
    await gives_up(s)
    colleague = await s.phone(2)
    call = await colleague.call(s.number)
    await call.ringing()
    await call.cancel()
    await s.spoken()


async def calls_again_and_is_answered(s: Scene) -> None:
    phone = await s.phone()
    await s.gives_up()
    await phone.incoming()
    again = await s.call()
    await (await phone.incoming()).answer()
    await again.answered()
    await again.hang_up()


async def colleagues_talk(s: Scene) -> None:
    """A call between two phones, then one from outside."""
    phone, other = await s.phones(1, 2)
    talk = await other.call(f"1{s.line}")
    await (await phone.incoming()).answer()
    await talk.answered()
    await talk.hang_up()
    await s.gives_up()


# -- SIPp


def sipp(scenario: str, *, phone: Behaviour | None = None) -> Act:
    """The line is called by SIPp, a caller that shares no code with ours."""

    async def act(s: Scene) -> None:
        if phone is not None:
            await s.phone(behaviour=phone)
        await s.sipp(scenario)

    return act
