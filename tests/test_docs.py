"""The pages keep up with the project: dependencies, commands, exit codes, links."""

import re
import tomllib
from pathlib import Path

import pytest
import typer.main

from ringback import cli
from ringback.cli import commands

ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / "docs" / "commands.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])


def names(requirements: list[str]) -> set[str]:
    """Package names, without versions and extras."""
    return {re.split(r"[^a-z0-9-]", line)[0] for line in requirements if line and not line.startswith(("#", "-r"))}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_every_dependency_has_its_reason_and_no_other_is_named():
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE
    )
    assert [name for name, _, _ in rows] == sorted(names(PROJECT["dependencies"]))
    assert len(rows) <= 25


def test_what_is_locked_is_what_the_project_names():
    asked = (ROOT / "requirements" / "run.in").read_text().splitlines()
    assert [line for line in asked if not line.startswith("#")] == PROJECT["dependencies"]
    for lock in ("run", "test", "bench"):
        text = (ROOT / "requirements" / f"{lock}.txt").read_text()
        locked = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))
        assert names(PROJECT["dependencies"]) <= set(locked)
        assert "://" not in text


def test_tests_and_bench_run_on_the_versions_that_run():
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE))

    assert pins("run") <= pins("test")
    assert pins("run") <= pins("bench")


def test_every_command_has_its_chapter_and_no_other_is_named():
    known = typer.main.get_command(commands.cli).commands
    assert sorted(re.findall(r"^## `ringback ([\w-]+)`$", COMMANDS.read_text(), re.MULTILINE)) == sorted(known)


def test_every_option_that_is_shown_exists():
    known = typer.main.get_command(commands.cli).commands
    for chapter in COMMANDS.read_text().split("\n## `ringback ")[1:]:
        command = known[chapter.partition("`")[0]]
        # a command may have commands of its own
        parameters = [one for part in (command, *getattr(command, "commands", {}).values()) for one in part.params]
        options = {option for parameter in parameters for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", chapter)) <= options, command.name


def test_every_exit_code_is_there():
    codes = re.findall(r"^\| (\d) \| \w", COMMANDS.read_text(), re.MULTILINE)
    assert [int(code) for code in codes] == [cli.DONE, cli.NOT_DONE, cli.WRONG_CONFIG, cli.HELD]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
