"""docs/configuration.md has every section and every key, with its default, and nothing else."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from ringback.config import callers, logins, rules, sections, write_duration
from ringback.config.sources import SECTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")

MODELS = {
    "[business]": sections.Business,
    "[web]": sections.Web,
    "[hooks]": sections.Hooks,
    "[dialplan]": callers.Dialplan,
    "[api]": sections.Api,
    "[login]": logins.Login,
    "[login.oidc]": logins.Oidc,
    "[login.ldap]": logins.Ldap,
    "[mail]": logins.Mail,
    "[database]": sections.Database,
    "[paths]": sections.Paths,
    "[[asterisk]]": sections.Asterisk,
    "[carriers.NAME]": sections.CarrierTable,
    '[numbers."+..."]': sections.OurNumber,
    "[campaigns.NAME]": sections.CampaignLimits,
    "[destinations.NAME]": sections.DestinationLimits,
    "[[rule]]": rules.RuleTable,
    "[calendar.NAME]": rules.CalendarTable,
    "[limits]": sections.Limits,
    "[consent]": callers.Consent,
    "[doubts]": sections.Doubts,
    "[retention]": sections.Retention,
    "[countries.XX]": sections.CountryRules,
}

ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.*?) \| (.+) \|$", re.MULTILINE)


def documented(heading):
    """The rows under a heading, as key -> (default, example)."""
    _, _, below = PAGE.partition(f"\n## `{heading}`\n")
    return {key: (default, example) for key, default, example, _ in ROW.findall(below.partition("\n## ")[0])}


# what reads as something else than the type of its default
WRITTEN = {"callback": "{}", "introduction": "{}", "roles": "{}", "departments": "{}"}


def written(value):
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case timedelta():
            return f'"{write_duration(value)}"'
        case tuple() if not hasattr(value, "_fields"):
            return f"[{', '.join(written(item) for item in value)}]"
        case frozenset():
            return str(sorted(value))
        case None:
            return '""'
    return f'"{value}"'


def test_every_section_is_there():
    assert {re.split(r"[.\]]", heading.strip("["))[0] for heading in MODELS} == set(SECTIONS)
    assert re.findall(r"\n## `(.+)`\n", PAGE) == list(MODELS)


@pytest.mark.parametrize("heading", MODELS)
def test_every_key_is_there_with_its_default_and_an_example(heading):
    fields = MODELS[heading].model_fields
    rows = documented(heading)
    assert list(rows) == list(fields)
    for key, field in fields.items():
        default = "required" if field.default is PydanticUndefined else f"`{WRITTEN.get(key, written(field.default))}`"
        assert rows[key][0] == default, key
        assert rows[key][1], key


def test_the_example_loads(place):
    (example,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    place.write(example)
    assert place.load().rules[0].name == "missed"


NAMES = {"NAME": "main", '"+..."': '"+12025550101"', "XX": "GB"}


SECRETS = {"secret", "client_secret", "bind_password", "password", "token"}
"""What must not stand in the file."""


def whole(choose):
    """A configuration with every key of the page."""
    lines = ["[carriers.spare]", 'type = "loopback"']
    for heading in MODELS:
        lines.append(re.sub("|".join(map(re.escape, NAMES)), lambda found: NAMES[found[0]], heading))
        rows = documented(heading).items()
        lines += [f"{key} = {choose(*cells).strip('`')}" for key, cells in rows if key not in SECRETS]
    return "\n".join(lines)


def test_the_examples_of_all_keys_load_together(place):
    place.write(whole(lambda _, example: example))
    (rule,) = place.load().rules
    assert rule.cool_down == timedelta(hours=12)


def test_the_defaults_written_out_load_together(place):
    place.write(whole(lambda default, example: example if default == "required" else default))
    settings = place.load()
    assert settings.rules[0].calendar == settings.calendars["main"]
    assert settings.numbers["+12025550101"].language == "en"


def test_the_faults_shown_are_ours(place, good):
    place.write(good.replace("America/New_York", "America/NewYork"))
    (place.secrets / "asterisk.main.secret").unlink()
    shown = re.search(r"```\n(ringback\.toml: business\.zone.+?)\n```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1].splitlines() == place.faults()
