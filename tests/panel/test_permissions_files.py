"""Grants as files: out, in again, and what is said of one that cannot be taken."""

import pytest
from aiohttp import FormData

from ringback.core.grants import Effect, Way
from ringback.sheets import read_sheet
from tests.panel.permission_house import (
    MAIN,
    MIAMI,
    SALES,
    House,
    Looker,
    Told,
    apply,
    preview,
    words,
)

ALLOW, DENY = Effect.ALLOW, Effect.DENY


async def bring(who: Looker, data: bytes, name: str = "grants.csv"):
    form = FormData()
    form.add_field("csrf", who.csrf)
    form.add_field("file", data, filename=name)
    return await who.session.post("/permissions/import", data=form, headers={"Origin": who.base}, allow_redirects=False)


async def test_grants_go_out_and_come_in_again(house: House, boss: Looker):
    await house.grant("ana", Way.SEND, MAIN)
    await house.grant("Night desk", Way.SEND, "*", DENY, "promotional")
    for kind in ("csv", "xlsx"):
        data = await (await boss.get(f"/permissions/export?as={kind}")).read()
        assert read_sheet(data)[0][:3] == ["for", "who", "name"]
        assert "There is nothing to change." in await (await bring(boss, data, f"x.{kind}")).text()
        await house.grant("ana", Way.SEND, MAIN, DENY)
        assert (await bring(boss, data, f"x.{kind}")).headers["Location"] == "/permissions/preview"
        await apply(boss)
        assert await house.said("ana", Way.SEND, MAIN) is ALLOW


async def test_a_file_with_faults_changes_nothing_and_says_why_line_by_line(house: House, boss: Looker):
    lines = [
        "for,who,right,numbers,kind,says",
        f"user,ana,send,{MAIN},,allow",
        f"user,=HYPERLINK(1),send,{MAIN},,allow",
        f"user,nobody,send,{MAIN},,allow",
        "user,ana,send,+19995550000,,allow",
        f"user,101,send,{MAIN},,deny",
    ]
    answer = await bring(boss, "\n".join(lines).encode())
    page = Told(await answer.text())
    assert answer.status == 422
    told = words(page)
    assert "grants.csv: 4 lines are wrong" in told
    assert "3 who “=HYPERLINK(1)” is a formula. Write plain text." in told
    assert "4 who Nobody has the login or extension “nobody”." in told
    assert "5 numbers “+19995550000” is none of our numbers." in told
    assert "6 who Line 2 is about the same already." in told
    assert await house.office.read.drafts(house.people["boss"].id) == []


async def test_what_is_taken_away_stands_in_the_record_before_it_goes(house: House, boss: Looker):
    assert (await boss.get("/permissions/export?as=csv")).status == 200
    asked = "SELECT about, detail FROM audit WHERE action = 'grant_export'"
    assert await house.database.read(lambda db: [tuple(row) for row in db.exec_driver_sql(asked)]) == [
        ("grants", "csv")
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04nonsense", b"\x00\x01", b"a,b\n1,2", b'"'],
    ids=["empty", "broken xlsx", "binary", "other columns", "a lone quote"],
)
async def test_what_is_no_table_is_refused(boss: Looker, data: bytes):
    answer = await bring(boss, data)
    assert answer.status == 422
    assert (await boss.post("/permissions/import")).status == 422


async def test_what_is_no_table_is_refused_in_the_language_of_whoever_brings_it(house: House, boss: Looker):
    now = house.clock.now()
    await house.database.commit(lambda tx: tx.accounts.set_language(house.people["boss"].id, "es", now))
    assert "Esto no es CSV ni XLSX" in await (await bring(boss, b"\x00\x01")).text()


async def test_five_thousand_lines_come_in_at_once(house: House, boss: Looker):
    for n in range(25):
        await house.department(f"Desk {n}")
    for n in range(40):
        await house.number(f"+1415555{n:04d}")
    lines = [
        f"department,Desk {d},{way},+1415555{n:04d},{kind},allow"
        for d in range(25)
        for n in range(40)
        for way, kind in (("send", ""), ("receive", ""), ("bulk", ""), ("mms", ""), ("send", "promotional"))
    ]
    assert len(lines) == 5_000
    answer = await bring(boss, "\n".join(["for,who,right,numbers,kind,says", *lines]).encode())
    assert answer.status == 303, await answer.text()
    assert "5,000 changes" in words(await preview(boss))
    assert (await apply(boss)).status == 303
    assert len((await house.office.read.book()).written) == 5_000


async def test_names_that_look_like_formulas_leave_as_text(house: House, boss: Looker):
    await house.add("evil", '=cmd|"/c calc"!A1')
    await house.grant("evil", Way.SEND, MAIN)
    data = await (await boss.get("/permissions/export?as=csv")).read()
    assert b"'=cmd" in data
    assert f"'{MAIN}".encode() in data
    assert b"\n=cmd" not in data
    effective = read_sheet(await (await boss.get("/permissions/export?effective=1&way=send")).read())
    assert effective[0][3:] == [f"send {number}" for number in (MAIN, SALES, MIAMI)]
    assert next(line for line in effective if line[0] == "evil")[3:] == ["allow", "deny", "deny"]
