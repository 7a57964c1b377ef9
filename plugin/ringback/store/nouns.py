"""All nouns of one transaction under one roof."""

from ringback.ports.changes import Touch
from ringback.store.accounts import Accounts, Audit
from ringback.store.calls import Calls
from ringback.store.idempotency import Idempotency
from ringback.store.inbound import Inbound
from ringback.store.outbox import Outbox
from ringback.store.outcomes import Outcomes
from ringback.store.pairs import Pairs
from ringback.store.pending import PendingTexts
from ringback.store.settings import Settings, Tasks
from ringback.store.tx import Driver, Runner


class Nouns:
    """What a step gets. Made once a writer connection; `epoch` is set when the daemon has counted its start."""

    def __init__(self, driver: Driver) -> None:
        self._run = Runner(driver)
        self.calls = Calls(self._run)
        self.pairs = Pairs(self._run)
        self.pending = PendingTexts(self._run)
        self.outcomes = Outcomes(self._run)
        self.settings = Settings(self._run)
        self.tasks = Tasks(self._run)
        self.inbound = Inbound(self._run)
        self.idempotency = Idempotency(self._run)
        self.accounts = Accounts(self._run)
        self.audit = Audit(self._run)
        self.outbox = Outbox(self._run, epoch=0)

    def take_touched(self) -> frozenset[Touch]:
        return self._run.take_touched()

    def begin_epoch(self, epoch: int) -> None:
        self.outbox = Outbox(self._run, epoch)

    def use(self, driver: Driver) -> None:
        """Go on over a new connection."""
        self._run.use(driver)
