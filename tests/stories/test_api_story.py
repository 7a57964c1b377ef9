"""A program's day on the whole daemon, by the commands and addresses that the pages of docs/ name; Asterisk is away."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from lab.demo.browser import Browser
from tests.postgres import free_port
from tests.stories.daemon import Daemon, running

DID = "+12025550101"
ANN, BEN, CAT, DAN = (f"+1512555012{last}" for last in range(4))
CROWD = [ANN, *(f"+1713555{last:04}" for last in range(100, 149))]
SETTINGS = f"""\
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
[hooks]
listen = "127.0.0.1:0"
[carriers.main]
type = "loopback"
answer_within = "1s"
[limits]
per_number_per_minute = 1000
[numbers."{DID}"]
carrier = "main"
[database]
url = "{{url}}"
[[asterisk]]
name = "main"
port = {{ami}}
user = "ringback"
inbound_contexts = ["from-trunk"]
[[rule]]
name = "missed"
when = ["missed"]
text = {{{{ en = "Sorry we missed you. STOP to end" }}}}
"""


@dataclass(frozen=True)
class Answer:
    """What a program got back."""

    status: int
    replay: bool
    told: dict


class Program:
    """A program with a key, and the handsets it writes to."""

    def __init__(self, daemon: Daemon, web: ClientSession, handset: Browser) -> None:
        self._daemon, self._web, self._handset = daemon, web, handset

    async def asks(self, method: str, path: str, key: str = "", **body: object) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        async with self._web.request(method, path, json=body or None, headers=headers) as answer:
            return Answer(answer.status, "Idempotent-Replay" in answer.headers, await answer.json(content_type=None))

    async def sends(self, to: str, text: str, key: str = "", **more: object) -> Answer:
        return await self.asks("POST", "/v1/messages", key, **{"from": DID, "to": to, "text": text, **more})

    async def becomes(self, message: str, state: str) -> dict:
        """Wait until a text is in a state; returns what the API tells of it then."""
        query = f"SELECT state FROM message WHERE public_id = '{message}'"
        await self._daemon.become(lambda: self._daemon.rows(query), [(state,)])
        return (await self.asks("GET", f"/v1/messages/{message}")).told

    async def on_handset(self, number: str, form: str, **filled: str) -> None:
        page = await self._handset.open(f"/handset/{number}")
        await self._handset.submit(page, form, **filled)


@asynccontextmanager
async def a_program(daemon: Daemon, key: str) -> AsyncIterator[Program]:
    port, _ = await daemon.ports()
    url = f"http://127.0.0.1:{port}"
    async with ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as web, Browser(url) as handset:
        yield Program(daemon, web, handset)


async def says(daemon: Daemon, *words: str) -> str:
    """What a command prints; it has to succeed."""
    ran = await daemon.do(*words)
    assert ran.code == 0, ran
    return ran.out


def arrived(daemon: Daemon) -> Counter[tuple[str, str]]:
    """How often each text of ours came to a handset, as the carrier wrote it down: (message, handset)."""
    lines = map(json.loads, (daemon.state / "handset.jsonl").read_text().splitlines())
    return Counter((line["message"], line["to"]) for line in lines if line["kind"] == "text")


@pytest.fixture
def daemon(tmp_path: Path, url: str) -> Iterator[Daemon]:
    made = Daemon(tmp_path, SETTINGS.format(url=url, ami=free_port()), {"main": "nobody asks"})
    made.database = url
    yield made
    made.look_anew()


async def test_a_programs_day(daemon, tmp_path):
    file = str(tmp_path / "day.backup")
    with running(daemon):
        await daemon.until(ready=False)
        key = (await says(daemon, "key", "add", "shop", *("--scope", "send", "--scope", "bulk"))).strip()
        async with a_program(daemon, key) as shop:
            await once_and_delivered(shop)
            await stopped_and_refused(shop, daemon)
            await scheduled_and_called_off(shop)
            await a_run_leaves_out_who_said_stop(shop, daemon)
            await in_doubt_and_settled(shop, daemon)
            waits = await backed_up_while_one_waits(shop, daemon, file)
        assert daemon.stop() == 0
        await put_back_and_held(daemon, file, waits)
        async with a_program(daemon, key) as shop:
            await let_go(shop, daemon, waits)
    came = arrived(daemon)
    assert set(came.values()) == {1}, "a text came twice"
    # Ann has the first text and the answer to her STOP
    assert Counter(to for _, to in came) == Counter([ANN, ANN, CAT, DAN, *CROWD[1:]])


async def once_and_delivered(shop: Program) -> None:
    """Asked twice under one key, sent once; the same key for something else is refused."""
    first = await shop.sends(ANN, "Your order is ready.", "order-1001", reference="order-1001")
    again = await shop.sends(ANN, "Your order is ready.", "order-1001", reference="order-1001")
    assert (first.status, first.told["status"], again.status, again.replay) == (201, "accepted", 200, True)
    assert first.told == again.told
    other = await shop.sends(ANN, "Your order is lost.", "order-1001")
    assert (other.status, other.told["code"]) == (422, "idempotency_mismatch")
    text = await shop.becomes(first.told["id"], "delivered")
    assert [each["outcome"] for each in text["attempts"]] == ["accepted"]
    listed = await shop.asks("GET", "/v1/messages?reference=order-1001")
    assert [each["id"] for each in listed.told["messages"]] == [first.told["id"]]


async def stopped_and_refused(shop: Program, daemon: Daemon) -> None:
    """STOP on the handset holds for programs too."""
    await shop.on_handset(ANN, "/texts", text="STOP", to=DID)
    blocked = "SELECT count(*) FROM opt_out_event"
    await daemon.become(lambda: daemon.rows(blocked), [(1,)])
    answer = await shop.sends(ANN, "Your order is still ready.")
    assert (answer.status, answer.told["code"]) == (422, "opted_out")
    assert (await shop.becomes(answer.told["message"], "refused"))["attempts"] == []


async def scheduled_and_called_off(shop: Program) -> None:
    """A text for tomorrow waits and says until when; called off, it never goes."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = await shop.sends(BEN, "See you today.", not_before=tomorrow)
    told = answer.told
    assert (told["status"], told["reason"]) == ("deferred", "scheduled")
    assert datetime.fromisoformat(told["until"]) == datetime.fromisoformat(tomorrow)
    off = [await shop.asks("POST", f"/v1/messages/{told['id']}/cancel") for _ in range(2)]
    assert [(each.status, each.told["state"]) for each in off] == [(200, "cancelled")] * 2


async def a_run_leaves_out_who_said_stop(shop: Program, daemon: Daemon) -> None:
    """Fifty people, one of whom said STOP; asked twice, it is one run."""
    run = {
        "from": DID,
        "text": "Hello {{ name }}, we open at nine.",
        "recipients": [{"to": to, "name": to[-2:]} for to in CROWD],
    }
    first = await shop.asks("POST", "/v1/messages/bulk", "run-1", **run)
    again = await shop.asks("POST", "/v1/messages/bulk", "run-1", **run)
    assert (first.status, first.told["accepted"], again.status, again.replay) == (201, 50, 200, True)
    assert first.told["id"] == again.told["id"]
    states = "SELECT state, count(*) FROM message WHERE bulk_id IS NOT NULL GROUP BY state ORDER BY state"
    await daemon.become(lambda: daemon.rows(states), [("delivered", 49), ("refused", 1)])
    seen = (await shop.asks("GET", first.told["links"]["self"])).told
    assert (seen["state"], seen["texts"]) == ("done", {"delivered": 49, "refused": 1})


async def in_doubt_and_settled(shop: Program, daemon: Daemon) -> None:
    """It arrives, the carrier says nothing: nobody knows, until a person does. It is not sent again."""
    await shop.on_handset(CAT, "/behaviour", behaviour="silent")
    asked = (await shop.sends(CAT, "The table is free.")).told["id"]
    (tried,) = (await shop.becomes(asked, "unconfirmed"))["attempts"]
    assert tried["outcome"] == "unconfirmed"
    assert await says(daemon, "settle", asked, "sent") == f"{asked}: done\n"
    assert len((await shop.becomes(asked, "accepted"))["attempts"]) == 1


async def backed_up_while_one_waits(shop: Program, daemon: Daemon, file: str) -> str:
    """Somebody holds the carrier, a text waits for it, and a copy is made. Returns the text."""
    await says(daemon, "carrier", "hold", "main", "--why", "Their line is bad.")
    asked = (await shop.sends(DAN, "The soup is on.")).told["id"]
    await shop.becomes(asked, "queued")
    assert "56 texts, 1 that came in" in await says(daemon, "backup", file)
    return asked


async def put_back_and_held(daemon: Daemon, file: str, waits: str) -> None:
    """The database is put back and started: the restore holds the carrier, whoever held it before."""
    assert "ringback carrier release main" in await says(daemon, "restore", file, "--force")
    daemon.look_anew()
    daemon.start()
    await daemon.until(ready=False)
    held = await says(daemon, "carrier", "list")
    assert "by restore" in held and "Their line is bad." in held


async def let_go(shop: Program, daemon: Daemon, waits: str) -> None:
    """A person lets the carrier go on. What waited may have been sent since the copy was made: it needs a word more."""
    assert "waiting on, since they may have been sent already: 1." in await says(daemon, "carrier", "release", "main")
    assert (await shop.becomes(waits, "held"))["reason"] == "put_back"
    await says(daemon, "carrier", "release", "main", "--all")
    await shop.becomes(waits, "delivered")
