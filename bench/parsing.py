"""Events a second through decoder, tracker and rules, beside panoramisk's own parser; one process, no sockets.

Run as a child by run.py: `python -m bench.parsing ROUNDS` prints one JSON object, figure -> subject -> values.
"""

import gzip
import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from bench import stream
from bench.process import ROOT
from ringback.asterisk.codec import WANTED, Answer, Decoder
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import UNANSWERED, Call, CallEnded
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.templates import TextKind, parse
from ringback.core.triggers import Rule
from ringback.flow.calls import prepare
from ringback.flow.house import House

CORPUS = ROOT / "tests" / "scenes" / "big_mixed_200_calls.ami.txt.gz"
CHUNK = 64 * 1024
RULES = 20
NOISE = 20_000
AT_LEAST_S = 1.0

Play = Callable[[bytes], int]
"""Takes a whole stream in; returns how many calls ended."""


def chunks(data: bytes) -> list[bytes]:
    return [data[begin : begin + CHUNK] for begin in range(0, len(data), CHUNK)]


def house() -> House:
    """Twenty rules, of which only the last fits the corpus."""
    template = parse("Sorry we missed your call, {{ business }}. STOP to end", TextKind.CALL_TEXT)
    others = [
        Rule(f"line-{place}", UNANSWERED, {"en": template}, "0", frozenset({f"+120255502{place:02}"}))
        for place in range(RULES - 1)
    ]
    rules = (*others, Rule("missed", UNANSWERED, {"en": template}, "0"))
    return House("Northlight", rules, lambda _pbx, text: read_number(text, NumberFormat.AS_IS, "US"))


def follow(conclude: Callable[[Call], object], data: bytes) -> int:
    """The stream through our decoder and tracker; each finished call is concluded."""
    decoder = Decoder()
    tracker = Tracker("lab", frozenset({"from-carrier"}), frozenset({"lab-phones"}), trust_caller_id=True)
    ended = 0
    for chunk in chunks(data):
        for said in decoder.feed(chunk):
            if isinstance(said, Answer):
                continue
            for happened in tracker.receive(said, datetime.now(UTC)):
                if isinstance(happened, CallEnded):
                    ended += 1
                    conclude(happened.call)
    return ended


def panoramisk(data: bytes) -> int:
    """The stream through panoramisk as it is, with one callback."""
    ended = 0

    def hangup(_manager: object, event: dict[str, str]) -> None:
        nonlocal ended
        ended += event["Uniqueid"] == event["Linkedid"]

    manager = Manager(loop=None)
    manager.register_event("Hangup", hangup)
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory, protocol.encoding = manager, "utf-8"
    for chunk in chunks(data):
        protocol.data_received(chunk)
    return ended


def filtered(data: bytes) -> bytes:
    """What an account with our event filter is sent of a stream."""
    decoder = Decoder(WANTED)
    kept = [message for message in data.split(b"\r\n\r\n") if message and decoder.feed(message + b"\r\n\r\n")]
    return b"".join(message + b"\r\n\r\n" for message in kept)


def rate(play: Play, data: bytes, events: int) -> float:
    """Events a second, playing the stream for about a second."""
    played, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < AT_LEAST_S:
        play(data)
        played += events
    return played / spent


def main(rounds: int) -> None:
    logging.disable(logging.CRITICAL)
    corpus = gzip.decompress(CORPUS.read_bytes())
    noise = b"".join(stream.noise(number) for number in range(NOISE))
    wanted = filtered(corpus)
    track, decide = partial(follow, lambda _call: None), partial(follow, partial(prepare, house()))
    streams = {"corpus": corpus, "corpus, filtered": wanted, "irrelevant events": noise}
    subjects: dict[str, Play] = {
        "Ringback, tracker": track,
        "Ringback, 20 rules": decide,
        "peer panoramisk parser": panoramisk,
    }
    ended = {subject: play(corpus) for subject, play in subjects.items()}
    assert ended["Ringback, tracker"] == ended["Ringback, 20 rules"] > 150, ended
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for name, data in streams.items():
            for subject, play in subjects.items():
                got = rate(play, data, data.count(b"\r\n\r\n"))
                found.setdefault(name, {}).setdefault(subject, []).append(got)
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
