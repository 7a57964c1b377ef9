"""The lines of the lab as Asterisk's configuration has them: phones, the queues for texts, prompts."""

from pathlib import Path

TEXT_LINES = range(64, 89)
PHONES = tuple(str(hundred + line) for hundred in (100, 200, 300) for line in range(1, 50)) + tuple(
    str(hundred + line) for hundred in (100, 200) for line in TEXT_LINES
)
KEYED = range(78, 82)  # of these lines 1 pressed in the queue asks for a text


def phone_of(number: str) -> str:
    """What pjsip.conf has of a phone."""
    endpoint = f"[{number}](phone)\nauth = {number}\naors = {number}\ncallerid = Phone {number} <{number}>\n"
    return f"{endpoint}[{number}](phone-auth)\nusername = {number}\n[{number}](phone-aor)\n"


def queue_of(line: int) -> str:
    """What queues.conf has of the queue of a line with texts."""
    members = "".join(f"member => PJSIP/{phone},0,Phone {phone},PJSIP/{phone}\n" for phone in (100 + line, 200 + line))
    keys = "context = queue-text-keys\n" if line in KEYED else ""
    return f"[text{line}](texts)\n{keys}{members}"


def prompts(shipped: Path) -> tuple[str, ...]:
    """The names of the prompts that the dialplan we ship plays."""
    lines = (shipped / "prompts" / "en.txt").read_text("utf-8").splitlines()
    return tuple(line.partition("|")[0] for line in lines if line and not line.startswith("#"))
