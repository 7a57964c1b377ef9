"""A handset on the loopback line, used by hand from outside: the page that people use for it is one of its users."""

import http.client
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ringback.ports.handsets import Behaviour
from tests.browser.house import MAIN, House


@dataclass
class Phone:
    """Calls and texts from one number."""

    house: House
    number: str
    _door: str = field(default="", init=False)
    _csrf: str = field(default="", init=False)

    @property
    def path(self) -> str:
        """Its page."""
        return f"/handset/{self.number}"

    @property
    def thread(self) -> str:
        """The address of its thread in the panel."""
        return self.house.thread(self.number)

    def says(self, text: str, to: str = MAIN, **more: str) -> None:
        """Write a text to a number of ours."""
        self._send("texts", {"text": text, "to": to, **more})

    def behaves(self, how: Behaviour) -> None:
        """Make the line to it behave so."""
        self._send("behaviour", {"behaviour": how})

    def _send(self, what: str, form: dict[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=10)
        try:
            if not self._csrf:
                self._enter(connection)
            body = urlencode({"csrf": self._csrf, **form}, errors="surrogatepass")
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": self._door,
                "Origin": self.house.base,
            }
            connection.request("POST", f"{self.path}/{what}", body, headers)
            answer = connection.getresponse()
            assert answer.status == 303, answer.read().decode()
        finally:
            connection.close()

    def _enter(self, connection: http.client.HTTPConnection) -> None:
        """Read the page as a browser does, for what its forms need."""
        connection.request("GET", self.path)
        answer = connection.getresponse()
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', answer.read().decode())
        assert found
        self._csrf, self._door = found[1], (answer.getheader("Set-Cookie") or "").partition(";")[0]
