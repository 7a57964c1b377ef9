"""All nouns of one transaction under one roof."""

from ringback.ports.changes import Counted, Touch
from ringback.store.accounts import Accounts
from ringback.store.audit import Audit
from ringback.store.bulks import Bulks
from ringback.store.calls import Calls
from ringback.store.consents import Ledger
from ringback.store.crowd import Crowd
from ringback.store.departments import Departments, Numbers
from ringback.store.doubts import Doubts
from ringback.store.figures import Figures
from ringback.store.ghosts import Ghosts
from ringback.store.grants import Grants
from ringback.store.guards import Guards
from ringback.store.idempotency import Idempotency
from ringback.store.inbound import Inbound
from ringback.store.keys import Keys
from ringback.store.lists import Lists
from ringback.store.offers import Offers
from ringback.store.outbox import Outbox
from ringback.store.outcomes import Outcomes
from ringback.store.pairs import Pairs
from ringback.store.pending import PendingTexts
from ringback.store.proofs import Proofs
from ringback.store.repairs import Repairs
from ringback.store.restored import Restored
from ringback.store.retention import Retention
from ringback.store.search import Search
from ringback.store.sessions import Sessions
from ringback.store.settings import Settings, Tasks
from ringback.store.text_queues import TextQueues
from ringback.store.tx import Driver, Runner


class Nouns:
    """What a step gets. Made once a writer connection; `epoch` is set when the daemon has counted its start."""

    def __init__(self, driver: Driver) -> None:
        self._run = Runner(driver)
        self.calls = Calls(self._run)
        self._guards = Guards(self._run)
        self._ghosts = Ghosts(self._run)
        self._crowd = Crowd(self._run, self._ghosts)
        self.pairs = Pairs(self._run, self._ghosts, self._crowd, self._guards)
        self.lists = Lists(self._run, self._ghosts)
        self.audit = Audit(self._run)
        self.retention = Retention(self._run, self._ghosts, self.audit)
        self.pending = PendingTexts(self._run, self._guards)
        self.outcomes = Outcomes(self._run)
        self.doubts = Doubts(self._run)
        self.settings = Settings(self._run)
        self.tasks = Tasks(self._run)
        self.inbound = Inbound(self._run)
        self.idempotency = Idempotency(self._run)
        self.bulks = Bulks(self._run)
        self._who_may_what()
        self._who_serves_whom()
        self.figures = Figures(self._run)
        self.restored = Restored(self._run)
        self.repairs = Repairs(self._run)
        self.search = Search(self._run)
        self.outbox = Outbox(self._run, self._crowd, self._guards, epoch=0)

    def _who_may_what(self) -> None:
        self.accounts = Accounts(self._run)
        self.proofs = Proofs(self._run)
        self.keys = Keys(self._run)
        self.grants = Grants(self._run)
        self.departments = Departments(self._run)
        self.numbers = Numbers(self._run)

    def _who_serves_whom(self) -> None:
        self.sessions = Sessions(self._run)
        self.queues = TextQueues(self._run)
        self.offers = Offers(self._run)
        self.consents = Ledger(self._run, self._ghosts)

    def begun(self) -> None:
        self._run.begun()

    def undone(self) -> None:
        self._run.undone()

    def flush(self) -> None:
        """Do what waits for more of its kind."""
        self._run.flush()

    def take_touched(self) -> frozenset[Touch]:
        return self._run.take_touched()

    def counted(self) -> int:
        return self._run.counted()

    def uncount(self, mark: int = 0) -> None:
        self._run.uncount(mark)

    def take_counted(self) -> list[Counted]:
        return self._run.take_counted()

    def begin_epoch(self, epoch: int) -> None:
        self._ghosts.ready()
        self.outbox = Outbox(self._run, self._crowd, self._guards, epoch)

    def use(self, driver: Driver) -> None:
        """Go on over a new connection."""
        self._run.use(driver)
