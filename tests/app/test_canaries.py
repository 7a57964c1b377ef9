"""A hundred people and their words through everything that can go wrong: the log knows none of them (S24)."""

import io
import json
import logging

import pytest
import structlog

from ringback.errors import Rejected, Unreachable
from ringback.logs import LogFormat, LogLevel, hide_numbers, start_logging, trace
from ringback.running import keep_running, no_parts
from tests.flow.world import World, a_call, life_of

PEOPLE = [f"+1512555{1000 + n}" for n in range(100)]


def words_of(number):
    return f"canary-{number[-4:]}-words"


@pytest.fixture
def log():
    root = logging.getLogger()
    handlers, rank, before = root.handlers[:], root.level, structlog.get_config()
    root.handlers.clear()
    out = io.StringIO()
    start_logging(LogFormat.JSON, LogLevel.DEBUG, out)
    structlog.configure(cache_logger_on_first_use=False)  # the next test has a stream of its own
    yield out
    root.handlers[:] = handlers
    root.setLevel(rank)
    structlog.configure(**before)


def failures():
    """What a carrier may do with a text, in turn; all but the first quote it."""
    while True:
        yield lambda text: None
        yield lambda text: Rejected(f"status 400: {text.peer} is no valid number")
        yield lambda text: ValueError(f"cannot send {text.text!r} to {text.peer}")
        yield lambda text: Unreachable(f"{text.peer}: refused")


async def test_no_person_and_no_word_gets_into_the_log(store, clock, tmp_path, log):
    world = World(store, clock, tmp_path)
    send, ways = world.carrier.send, failures()

    async def fails(text):
        problem = next(ways)(text)
        if problem is not None:
            raise problem
        return await send(text)

    world.carrier.send = fails
    async with world.running():
        for number in PEOPLE:
            await world.happens(*life_of(a_call(f"call {number[-2:]}", caller=number)))
            await world.says(words_of(number), sender=number)
        for number in PEOPLE[:10]:
            # what no database takes: the failure quotes it
            await world.says(f"{words_of(number)} \udcff", sender=number)
            await world.arrivals.quarantine("main", f"From={number}".encode(), f"what is {number}?")
    said = log.getvalue()
    events = {json.loads(line)["event"] for line in said.splitlines()}
    assert {"text handed over", "call ended", "text came in", "carrier failed"} <= events
    assert "***" in said
    assert [number for number in PEOPLE if number in said or number[1:] in said] == []
    assert [number for number in PEOPLE if words_of(number) in said] == []


class Over(Exception):
    pass


async def test_a_part_that_fails_quotes_nobody(clock, log):
    async def part():
        try:
            raise KeyError(words_of(PEOPLE[0]))
        except KeyError as problem:
            raise ExceptionGroup(PEOPLE[0], [ValueError(words_of(PEOPLE[1]))]) from problem

    class Once:
        def __getattr__(self, name):
            return getattr(clock, name)

        async def sleep_until(self, _moment):
            raise Over

    with pytest.raises(Over):
        await keep_running("part", part, no_parts(Once()))
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["event"] == "part failed"
    assert "test_canaries.py" in line["exception"]
    assert "canary" not in json.dumps(line)


def test_a_library_that_logs_its_failure_quotes_nobody(log):
    try:
        raise ValueError(words_of(PEOPLE[0]))
    except ValueError:
        logging.getLogger("aiohttp.server").exception("cannot answer %s", PEOPLE[0])
    assert "canary" not in log.getvalue()
    assert PEOPLE[0] not in log.getvalue()
    assert "ValueError" in log.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("to +15125550123: no", "to +1512***23: no", id="in a sentence"),
        pytest.param("+442079460101", "+4420***01", id="alone"),
        pytest.param("+15125550123,+15125550124", "+1512***23,+1512***24", id="several"),
        pytest.param("2026-11-22T05:00:00+00:00", "2026-11-22T05:00:00+00:00", id="a time is none"),
        pytest.param("1+12345", "1+12345", id="too short to be one"),
    ],
)
def test_numbers_are_masked(text, shown):
    assert hide_numbers(text) == shown


def test_our_own_words_stay_in_a_trace():
    assert "Rejected: no such account" in trace(Rejected("no such account"))
