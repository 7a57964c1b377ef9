"""Short scenes, each of which one planted defect does not survive. A sound program does."""

from contextlib import suppress

from bench import stream
from tests.crash.cells import RECEIVE
from tests.crash.house import NUMBERS, House, Stuck
from tests.crash.points import arm

PEER, DID = "+15125550123", NUMBERS[0]
LONG = 20.0


async def starts(house: House) -> None:
    await house.start(CRASH_ARMED=str(house.folder / "armed"))


async def crashes_while_a_text_comes_in(house: House, moment: str) -> None:
    await starts(house)
    arm(house.folder / "armed", RECEIVE, moment)
    await house.write_in([(PEER, DID, "is my order ready?")])
    await house.until(lambda: not house.running, f"dies {moment} it stores a text", LONG)
    house.fault("kill")
    (house.folder / "armed").unlink()
    await starts(house)
    await house.settles(LONG)


async def killed_before_a_text_is_stored(house: House) -> None:
    await crashes_while_a_text_comes_in(house, "before")


async def killed_after_a_text_is_stored(house: House) -> None:
    await crashes_while_a_text_comes_in(house, "after")


async def line_cut_after_the_text(house: House) -> None:
    """The carrier takes a text and cuts the line; a little later it would take another."""
    await house.tell("knobs", {"receipts": 0})
    await house.tell("ways", {PEER: ["cut", "takes"]})
    await starts(house)
    await house.write_in([(PEER, DID, "HELP")])
    await house.until(lambda: house.arrived > 0, "the text arrives", LONG)
    await house.settles(LONG)


async def stop_while_a_text_waits(house: House) -> None:
    await house.tell("ways", {PEER: ["away", "takes"]})
    await starts(house)
    assert house.programs is not None
    await house.programs.send("one", DID, PEER, "It is ready.")
    await house.until(lambda: house.ask("SELECT count(*) AS n FROM attempt")[0]["n"] == 1, "it was tried", LONG)
    await house.write_in([(PEER, DID, "STOP")])
    await house.settles(LONG)


async def text_for_a_later_moment(house: House) -> None:
    await starts(house)
    assert house.programs is not None
    await house.programs.send("later", DID, PEER, "It is ready.", 3.0)
    await house.settles(LONG)


async def receipt_before_the_line_is_cut(house: House) -> None:
    await house.tell("odds", {"early": 1.0})
    await house.tell("ways", {PEER: ["cut", "takes"]})
    await starts(house)
    await house.write_in([(PEER, DID, "HELP")])
    await house.until(lambda: house.arrived > 0, "the text arrives", LONG)
    await house.settles(LONG)


async def receipt_before_the_answer(house: House) -> None:
    await house.tell("odds", {"early": 1.0})
    await starts(house)
    await house.write_in([(PEER, DID, "HELP")])
    await house.until(lambda: house.arrived > 0, "the text arrives", LONG)
    await house.settles(LONG)


async def killed_before_the_answer(house: House) -> None:
    await house.tell("knobs", {"receipts": 0, "hold": 3.0})
    await house.tell("ways", {PEER: ["hold"]})
    await starts(house)
    await house.write_in([(PEER, DID, "HELP")])
    await house.until(lambda: house.arrived > 0, "the text arrives", LONG)
    house.kill()
    await starts(house)
    # what is stuck does not settle; the checker says so
    with suppress(Stuck):
        await house.settles(4)


async def busy_first(house: House) -> None:
    await house.tell("ways", {PEER: ["busy", "takes"]})
    await starts(house)
    await house.write_in([(PEER, DID, "HELP")])
    with suppress(Stuck):
        await house.until(lambda: house.arrived > 1, "the text is tried twice", 10)
    with suppress(Stuck):
        await house.settles(10)


async def calls_round_a_message_without_end(house: House) -> None:
    """A message that goes over every bound, in one breath with the calls before and after it."""
    await starts(house)
    await house.pbx.client()
    calls, house.calls = range(3), 3
    for call in calls:
        house.heard.write("call", uniqueid=stream.uniqueid_of(call), caller=stream.caller_of(call), heard=True)
    told = [stream.beginning(call) + stream.ending(call) for call in calls]
    house.pbx.raw(told[0] + told[1] + b"Event: UserEvent\r\nNoise: " + b"x" * 90_000 + b"\r\n\r\n" + told[2])
    with suppress(Stuck):
        await house.until(lambda: house.ask("SELECT count(*) AS n FROM call")[0]["n"] == len(calls), "calls", 6)
    await house.settles(LONG)


async def somebody_else_looks(house: House) -> None:
    await starts(house)
    assert house.programs is not None
    message = await house.programs.send("mine", DID, PEER, "It is ready.")
    await house.settles(LONG)
    await house.programs.look(message, PEER)


SCENES = {
    scene.__name__: scene
    for scene in (
        killed_before_a_text_is_stored,
        killed_after_a_text_is_stored,
        line_cut_after_the_text,
        stop_while_a_text_waits,
        text_for_a_later_moment,
        receipt_before_the_line_is_cut,
        receipt_before_the_answer,
        killed_before_the_answer,
        busy_first,
        calls_round_a_message_without_end,
        somebody_else_looks,
    )
}
