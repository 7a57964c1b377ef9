"""What stands behind logins beside the password: second factors, other houses' directories, links, mail."""

from dataclasses import dataclass

from ringback.flow.factors import Demand
from ringback.ports.directories import PasswordDirectory, SendingDirectory
from ringback.ports.post import Post
from ringback.ports.proofs import ReadProofs
from ringback.ports.sealing import Seal


@dataclass(frozen=True, slots=True)
class Proving:
    """None is what this installation does not have. `demand` says who must have a second factor."""

    seal: Seal
    reads: ReadProofs
    demand: Demand = Demand.NOBODY
    asked: PasswordDirectory | None = None
    sending: SendingDirectory | None = None
    post: Post | None = None

    async def close(self) -> None:
        """Hang up."""
        for directory in (self.asked, self.sending):
            if directory is not None:
                await directory.close()
