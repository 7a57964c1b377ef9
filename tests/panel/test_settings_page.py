"""The settings page: every key in words, where it stands, and no secret anywhere."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringback.config import callers, logins, read, rules, sections
from ringback.core.permissions import Role
from ringback.panel.settings_page import CALENDAR, CARRIER, RULE, SettingsPages
from ringback.panel.settings_words import ANY, KEYS, SECTIONS
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page
from tests.panel.visiting import client_as

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TOML = """\
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
languages = ["en", "es"]

[[asterisk]]
name = "main"
user = "ringback"
inbound_contexts = ["from-trunk", "from-pstn"]
trust_caller_id = true

[carriers.main]
type = "loopback"
validity = "90m"

[numbers."+12025550101"]
carrier = "main"
language = "es"

[calendar.main]
open = { mon-tue = ["09:00-12:00", "13:00-17:00"] }
callback = { mon = ["14:00-15:00"] }
closed = ["2026-12-25"]

[countries.GB]
caller_initiated = "off"

[[rule]]
name = "missed"
when = ["missed", "busy"]
hours = "open"
cool_down = "12h"
text = { en = "Sorry from {{ business }}{% if windows %}, we call {{ windows }}{% endif %}", es = "Perdón {{ queue }}" }
"""
SECRETS = {
    "RINGBACK_ASTERISK__MAIN__SECRET": "hunter2-of-asterisk",
    "RINGBACK_DATABASE__URL": "postgresql://ringback:hunter2-of-rows@db.example/ringback",
}


def settings_of(folder: Path, text: str = TOML):
    return read(text, folder / "ringback.toml", SECRETS)


async def page_of(folder: Path, text: str = TOML) -> Page:
    settings = settings_of(folder, text)
    async with client_as(Role.ADMINISTRATOR, lambda shell: SettingsPages(shell, settings, lambda: MONDAY)) as visitor:
        return await visitor.page("/settings")


def cards(page: Page) -> dict[str, dict[str, str]]:
    """Each card by its heading, with what stands beside each label."""
    found = {}
    for card in page.by_class("card"):
        heading = next(one.words for one in card.inside if one.tag == "h2")
        labels = [" ".join(one.words.split()) for one in card.inside if one.tag == "dt"]
        values = [" ".join(one.words.split()) for one in card.inside if one.tag == "dd"]
        found[heading] = dict(zip(labels, values, strict=True))
    return found


async def test_every_section_has_its_card(tmp_path: Path):
    assert list(cards(await page_of(tmp_path))) == [
        "Business",
        "These pages",
        "Where carriers call",
        "Where the dialplan asks",
        "What programs may ask",
        "Logins",
        "Our mail",
        "Database",
        "Folders",
        "Asterisk: main",
        "Carrier: main",
        "Number: +1 202 555 0101",
        "Calendar: main",
        "Limits",
        "The first text somebody sends us",
        "When nobody knows whether a text was sent",
        "How long things are kept",
        "Country: GB",
        "Rule: missed",
    ]


@pytest.mark.parametrize(
    ("card", "label", "value"),
    [
        pytest.param("Business", "Time zone", "America/New_York zone · ringback.toml", id="from the file"),
        pytest.param("Limits", "Parts of the longest text", "10 max_segments · default", id="a default"),
        pytest.param(
            "Asterisk: main",
            "Secret of the account",
            "set, and not shown secret · RINGBACK_ASTERISK__MAIN__SECRET",
            id="a secret",
        ),
        pytest.param(
            "Database",
            "Where rows are kept",
            "postgresql+psycopg://db.example/ringback url · RINGBACK_DATABASE__URL",
            id="an address without its account",
        ),
        pytest.param(
            "Asterisk: main",
            "Calls from outside start in",
            "from-trunk, from-pstn inbound_contexts · ringback.toml",
            id="a list",
        ),
        pytest.param(
            "Asterisk: main",
            "Texts callers although the dialplan does not say whether they hide their number",
            "yes trust_caller_id · ringback.toml",
            id="a switch",
        ),
        pytest.param(
            "Carrier: main", "A text waits for it at most", "1 h 30 min validity · ringback.toml", id="a span"
        ),
        pytest.param(
            "Calendar: main",
            "Open",
            "Monday 09:00-12:00, Monday 13:00-17:00, Tuesday 09:00-12:00, Tuesday 13:00-17:00 open · ringback.toml",
            id="opening hours",
        ),
        pytest.param("Calendar: main", "Closed on", "2026-12-25 closed · ringback.toml", id="a day"),
        pytest.param("Country: GB", "Callers are texted back without having asked", "no", id="a code in words"),
        pytest.param("Rule: missed", "After calls that ended as", "Busy, Missed when · ringback.toml", id="outcomes"),
        pytest.param(
            "Rule: missed", "For calls in the queues", "any queue, or none queue · default", id="nothing chosen"
        ),
        pytest.param("Rule: missed", "Calendar", "main calendar · default", id="the only calendar"),
        pytest.param("Rule: missed", "When the calendar is", "open hours · ringback.toml", id="a word of ours"),
    ],
)
async def test_a_value_is_shown_in_words(tmp_path: Path, card: str, label: str, value: str):
    assert cards(await page_of(tmp_path))[card][label].startswith(value)


async def test_a_rule_s_texts_are_filled_in_for_an_example(tmp_path: Path):
    rule = cards(await page_of(tmp_path))["Rule: missed"]
    texts = [value for label, value in rule.items() if label.startswith("Text (")]
    assert texts == ["Sorry from Northlight, we call today 14:00-15:00", "Perdón Sales"]


async def test_no_secret_is_on_the_page(tmp_path: Path):
    settings = settings_of(tmp_path)
    async with client_as(Role.ADMINISTRATOR, lambda shell: SettingsPages(shell, settings, lambda: MONDAY)) as visitor:
        text = await (await visitor.get("/settings")).text()
    assert "hunter2" not in text


async def test_what_lies_among_the_secrets_is_never_shown(tmp_path: Path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "business.contact").write_text("hidden contact")
    (tmp_path / "secrets" / "business.contact").chmod(0o600)
    value = cards(await page_of(tmp_path))["Business"]["Contact in the answer to HELP"]
    assert value == "set, and not shown contact · secrets/business.contact"


async def test_an_agent_does_not_see_it(tmp_path: Path):
    settings = settings_of(tmp_path)
    async with client_as(Role.AGENT, lambda shell: SettingsPages(shell, settings, lambda: MONDAY)) as visitor:
        assert (await visitor.get("/settings")).status == 403


@pytest.mark.parametrize("words", [words for words in HOSTILE if words.isprintable() and len(words) <= 60])
async def test_a_hostile_name_is_shown_as_text(tmp_path: Path, words: str):
    written = words.replace("\\", "\\\\").replace('"', '\\"')
    page = await page_of(tmp_path, TOML.replace('name = "Northlight"', f'name = "{written}"'))
    (name,) = [one for one in page.by_tag("bdi") if one.words == words]
    assert name.inside == []
    assert [one.attributes.get("type") for one in page.by_tag("script")] == ["module"]


MODELS = {
    "business": sections.Business,
    "web": sections.Web,
    "hooks": sections.Hooks,
    "api": sections.Api,
    "dialplan": callers.Dialplan,
    "consent": callers.Consent,
    "login": logins.Login,
    "login.oidc": logins.Oidc,
    "login.ldap": logins.Ldap,
    "mail": logins.Mail,
    "database": sections.Database,
    "paths": sections.Paths,
    "asterisk": sections.Asterisk,
    "carriers": sections.CarrierTable,
    "numbers": sections.OurNumber,
    "campaigns": sections.CampaignLimits,
    "destinations": sections.DestinationLimits,
    "calendar": rules.CalendarTable,
    "limits": sections.Limits,
    "doubts": sections.Doubts,
    "retention": sections.Retention,
    "countries": sections.CountryRules,
    "rule": rules.RuleTable,
}


def test_every_key_has_its_words_and_no_other_is_named():
    known = {f"{section}.{key}" for section, model in MODELS.items() for key in model.model_fields}
    assert set(KEYS) == known - {"asterisk.name", "rule.name", "rule.text"}
    assert set(ANY) <= known
    assert set(SECTIONS) == set(MODELS)


def test_every_key_of_a_named_table_is_shown():
    assert set(RULE) == set(rules.RuleTable.model_fields) - {"name", "text"}
    assert set(CALENDAR) == set(rules.CalendarTable.model_fields)
    assert set(CARRIER) == set(sections.CarrierTable.model_fields)
