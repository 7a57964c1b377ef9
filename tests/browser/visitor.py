"""Somebody who is logged in, without a browser: for what must have been sent before a page is there."""

import http.client
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.browser.house import House
from tests.browser.seeds import PASSWORD

EDGE = "a-line-that-no-file-has"


@dataclass
class Visitor:
    """Sends forms, and tells where each leads."""

    house: House
    login: str
    _cookies: dict[str, str] = field(default_factory=dict, init=False)

    def upload(self, path: str, text: str) -> str:
        """Bring a file; returns the address of what comes of it."""
        self._enter()
        csrf = self._csrf(path)
        parts = (
            f'--{EDGE}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{csrf}\r\n'
            f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{text}\r\n--{EDGE}--\r\n"
        )
        status, where, body = self._ask("POST", path, parts.encode(), f"multipart/form-data; boundary={EDGE}")
        assert status == 303, body
        return where

    def _enter(self) -> None:
        if self._cookies:
            return
        form = {"csrf": self._csrf("/login"), "login": self.login, "password": PASSWORD}
        status, _, body = self._ask("POST", "/login", urlencode(form).encode(), "application/x-www-form-urlencoded")
        assert status == 303, body

    def _csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self._ask("GET", path)[2])
        assert found
        return found[1]

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=30)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            headers = {"Origin": self.house.base, "Cookie": cookies, "Content-Type": kind}
            connection.request(method, path, body or None, {name: value for name, value in headers.items() if value})
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = line.partition(";")[0].partition("=")
                self._cookies[name] = value
            return answer.status, answer.getheader("Location") or "", answer.read().decode()
        finally:
            connection.close()
