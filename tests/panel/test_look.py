"""The visual language keeps its promises: contrast, one dark theme, nothing inline, no icon missing."""

import re
from pathlib import Path

import pytest

from ringback.panel.words import PART_ICON
from ringback.resources import shipped

CSS = (shipped("web/static") / "panel.css").read_text(encoding="utf-8")
ICONS = set(re.findall(r'<symbol id="([\w-]+)"', (shipped("web/static") / "icons.svg").read_text(encoding="utf-8")))
TEMPLATES = sorted(shipped("web/templates").glob("*.j2"))
SCRIPTS = sorted(shipped("web/static").glob("*.js"))


def tokens(start: str) -> dict[str, str]:
    """The colours of one block of the style sheet."""
    inside = CSS.index("{", CSS.index(start) + len(start) - 1)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", CSS[inside : CSS.index("\n}", inside)]))


THEMES = {"light": tokens(":root {"), "dark": tokens(':root[data-theme="dark"] {')}

TEXT_PAIRS = [
    *[("ink", ground) for ground in ("bg", "surface")],
    *[(ink, ground) for ink in ("ink-2", "ink-3") for ground in ("bg", "surface", "sunken", "hover", "accent-soft")],
    *[("accent", ground) for ground in ("bg", "surface", "accent-soft")],
    *[("on-accent", ground) for ground in ("accent", "accent-hover")],
    *[(kind, ground) for kind in ("ok", "bad", "warn", "doubt") for ground in (f"{kind}-soft", "surface", "bg")],
    *[("ink-2", f"{kind}-soft") for kind in ("ok", "bad", "warn", "doubt")],
    *[("on-chip", chip) for chip in ("chip-ok", "chip-bad")],
]
DRAWN_PAIRS = [
    *[(line, ground) for line in ("edge", "chip-ok", "focus") for ground in ("bg", "surface")],
    ("chip-bad", "surface"),
    ("focus", "sunken"),
    ("warn", "surface"),
]


def brightness(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((brightness(one), brightness(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(theme: str, ink: str, ground: str):
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("line", "ground"), DRAWN_PAIRS)
def test_what_is_drawn_can_be_seen(theme: str, line: str, ground: str):
    assert contrast(THEMES[theme][line], THEMES[theme][ground]) >= 3


def test_the_dark_theme_is_the_same_chosen_or_from_the_system():
    assert tokens(':root:not([data-theme="light"]) {') == THEMES["dark"]
    assert set(THEMES["dark"]) == set(THEMES["light"])


def test_colours_stand_only_in_the_tokens():
    after = CSS[CSS.index("/* 2. Base") : CSS.index("/* 9. Paper")]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", after) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_inline_style_or_script(template: Path):
    source = template.read_text(encoding="utf-8")
    assert re.findall(r"\s(style|on\w+)\s*=", source) == []
    assert re.findall(r"<style|<script(?![^>]* src=)|javascript:|\|\s*safe", source) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_that_cannot_be_translated(template: Path):
    source = re.sub(r"{#.*?#}|{%-? *trans .*?endtrans *-?%}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    # what is pasted or pressed is the same in every language
    source = re.sub(r"<(pre|code|kbd)\b.*?</\1>", "", source, flags=re.DOTALL)
    shown = re.sub(r"{%.*?%}|{{.*?}}|<[^>]*>", "", source, flags=re.DOTALL)
    # a macro may write attributes only
    shown = re.sub(r"[\w-]+=\"[^\"]*\"|autofocus", "", shown)
    # the product's own name stays
    assert re.findall(r"[^\W\d_]{2,}", shown.replace("Ringback", "")) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_uses_classes_that_exist(template: Path):
    source = template.read_text(encoding="utf-8")
    used = {name for names in re.findall(r'class="([^"{]*)', source) for name in names.split()}
    assert {name for name in used if f".{name}" not in CSS} == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_uses_icons_that_exist(template: Path):
    used = set(re.findall(r"icon\('([\w-]+)'", template.read_text(encoding="utf-8")))
    assert used <= ICONS


def test_parts_have_icons_that_exist():
    assert set(PART_ICON.values()) <= ICONS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_makes_html_only_through_the_policy(script: Path):
    source = script.read_text(encoding="utf-8")
    assert (
        re.findall(r"eval\(|new Function|document\.write|insertAdjacentHTML|outerHTML|setAttribute\(.style", source)
        == []
    )
    assert set(re.findall(r"innerHTML = (.*);", source)) <= {"policy.createHTML(html)"}
