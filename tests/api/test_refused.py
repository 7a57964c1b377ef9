"""A program that is turned away is in the log and in the record: which one, what it asked for, from where."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ringback.core.permissions import Scope
from tests.api.test_keys import rows

COLUMNS = "who, action, detail, source"


async def noted(api):
    await api.store.commit(lambda tx: None)
    return [row for row in await api.store.read(rows("audit", COLUMNS)) if row[1] in ("denied", "key_refused")]


async def test_a_key_without_the_scope(api):
    reader = await api.program(Scope.READ, name="reader")
    with capture_logs() as logged:
        assert (await reader.send()).status == 403
    assert [line["event"] for line in logged if line["log_level"] == "warning"] == ["not permitted"]
    assert await noted(api) == [(reader.label, "denied", "send: POST /v1/messages", "127.0.0.1")]


@pytest.mark.parametrize(("token", "words"), [("", "key none"), ("rb_x", "key ")], ids=["none", "a wrong one"])
async def test_a_key_that_is_none(api, shop, token, words):
    stranger = replace(shop, token=token)
    with capture_logs() as logged:
        for _ in range(3):
            assert (await stranger.send()).status == 401
    assert [line["event"] for line in logged] == ["wrong key"] * 3
    ((who, action, detail, source),) = await noted(api)
    assert (who, action, source) == ("nobody", "key_refused", "127.0.0.1")
    assert detail.startswith(f"api: {words}")
    assert not token or token not in detail
