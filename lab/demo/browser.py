"""A browser as the demo needs one: it opens pages, fills in their forms as they stand there, and keeps cookies."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar

from lab.demo.daemon import DemoFault

PATIENCE = ClientTimeout(total=20)
MOST_HOPS = 5
UNFILLED = frozenset({"submit", "button", "checkbox", "radio", "file"})


@dataclass(frozen=True, slots=True)
class Form:
    """Where a form goes, and what it holds before anybody types."""

    action: str
    fields: Mapping[str, str]

    def goes_to(self, end: str) -> bool:
        return self.action.partition("?")[0].endswith(end)


@dataclass(frozen=True, slots=True)
class Page:
    """What came: its words with single spaces between them, and its forms."""

    url: str
    status: int
    words: str
    forms: tuple[Form, ...]

    def form(self, end: str) -> Form:
        """The form whose address ends so. Raises DemoFault."""
        for form in self.forms:
            if form.goes_to(end):
                return form
        raise DemoFault(f"{self.url} ({self.status}) has no form that goes to {end}: {self.words[:300]}")

    def leads_to(self, end: str) -> bool:
        """Is there a form whose address ends so?"""
        return any(form.goes_to(end) for form in self.forms)

    def shows(self, words: str) -> bool:
        return " ".join(words.split()) in self.words


class Browser:
    """One person's browser. What it keeps is sent back over plain HTTP too, which is right for this machine alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies: dict[str, str] = {}
        self._session = ClientSession(timeout=PATIENCE, cookie_jar=DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _problem: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def open(self, path: str) -> Page:
        """Go to a page of the daemon. Raises DemoFault when it does not answer."""
        return await self._go("GET", urljoin(self._url, path), None)

    async def submit(self, page: Page, end: str, **filled: str) -> Page:
        """Fill in the form that goes to such an address, and send it."""
        form = page.form(end)
        return await self._go("POST", urljoin(page.url, form.action), {**form.fields, **filled})

    @asynccontextmanager
    async def stays_on(self, path: str) -> AsyncIterator[None]:
        """Keep a page open, as its script does. Raises DemoFault when that is refused."""
        headers = {**self._headers(), "Accept": "text/event-stream"}
        url = urljoin(self._url, path)
        async with self._session.get(url, headers=headers, timeout=ClientTimeout(total=None)) as answer:
            if answer.content_type != "text/event-stream":
                raise DemoFault(f"{url} ({answer.status}) is no live page")
            yield

    async def _go(self, method: str, url: str, fields: Mapping[str, str] | None) -> Page:
        try:
            for _ in range(MOST_HOPS):
                async with self._session.request(
                    method, url, data=fields, headers=self._headers(), allow_redirects=False
                ) as answer:
                    self._keep(answer)
                    if answer.status != 303:
                        return read_page(str(answer.url), answer.status, await answer.text())
                    method, url, fields = "GET", urljoin(url, answer.headers["Location"]), None
        except (ClientError, TimeoutError) as problem:
            raise DemoFault(f"{url} does not answer: {str(problem) or 'it takes too long'}") from problem
        raise DemoFault(f"{url} leads round in circles")

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        ours = {"Origin": self._url.rstrip("/"), "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        return {**ours, "Cookie": cookies} if cookies else ours

    def _keep(self, answer: ClientResponse) -> None:
        for name, cookie in answer.cookies.items():
            if cookie["max-age"] == "0" or not cookie.value:
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = cookie.value


def read_page(url: str, status: int, html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    forms = tuple(Form(action, fields) for action, fields in reader.forms)
    return Page(url, status, " ".join(reader.words.split()), forms)


class _Reader(HTMLParser):
    """Collects the words of a page, and what stands in its forms."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._by_id: dict[str, dict[str, str]] = {}
        self._open: dict[str, str] | None = None
        self._select: tuple[dict[str, str], str] | None = None
        self._box: tuple[dict[str, str], str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = self._by_id.setdefault(said.get("id") or f"form {len(self.forms)}", {})
            self.forms.append((said.get("action", ""), self._open))
            return
        fields = self._by_id.setdefault(said["form"], {}) if "form" in said else self._open
        if tag == "option" and self._select is not None:
            chosen, name = self._select
            if "selected" in said or name not in chosen:
                chosen[name] = said.get("value", "")
        elif fields is not None and said.get("name"):
            self._field(tag, said, fields)

    def _field(self, tag: str, said: dict[str, str], fields: dict[str, str]) -> None:
        match tag:
            case "input" if said.get("type", "text") not in UNFILLED:
                fields[said["name"]] = said.get("value", "")
            case "select":
                self._select = (fields, said["name"])
            case "textarea":
                self._box = (fields, said["name"])
                fields[said["name"]] = ""

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._open = None
            case "select":
                self._select = None
            case "textarea" if self._box is not None:
                fields, name = self._box
                fields[name] = fields[name].removeprefix("\n")
                self._box = None

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"
        if self._box is not None:
            fields, name = self._box
            fields[name] += data
