"""Free ports to start on, and signs that an Asterisk is ready. Plain sockets, since there may be no event loop yet."""

import contextlib
import socket

from lab.sip import Message, new_branch, new_call_id


def free_ports(*kinds: socket.SocketKind) -> list[int]:
    """Ports of the loopback that nobody uses now, TCP or UDP as each kind says."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket(socket.AF_INET, kind)) for kind in kinds]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]


def fully_booted(port: int, user: str, secret: str) -> bool:
    """Log in by AMI and see whether it says so."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
        link.settimeout(2)
        link.sendall(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\n\r\n".encode())
        seen = b""
        while b"Event: FullyBooted" not in seen:
            more = link.recv(4096)
            if not more or b"Response: Error" in seen:
                return False
            seen += more
        return True
    return False


def answers_sip(port: int, name: str) -> bool:
    """Ask for OPTIONS and see whether the one of this name answers."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(1)
        link.connect(("127.0.0.1", port))
        server, us = f"sip:127.0.0.1:{port}", f"127.0.0.1:{link.getsockname()[1]}"
        headers = (
            ("Via", f"SIP/2.0/UDP {us};branch={new_branch()};rport"),
            ("From", f"<sip:boot@{us}>;tag=boot"),
            ("To", f"<{server}>"),
            ("Call-ID", new_call_id()),
            ("CSeq", "1 OPTIONS"),
            ("Max-Forwards", "70"),
        )
        link.send(Message(f"OPTIONS {server} SIP/2.0", headers).encode())
        return f"Server: {name}\r\n".encode() in link.recv(4096)
    return False
