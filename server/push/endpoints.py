"""Where we are willing to send to. A subscription's endpoint is an address that somebody gives us and that we then ask: a hostile one."""

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

LONGEST = 1000
# The one way to write it that every reader of addresses reads alike: no user, no port, no brackets, no escapes in the name.
ADDRESS = re.compile(r"https://([a-z0-9-]+(?:\.[a-z0-9-]+)+)(/[0-9A-Za-z_.~:/?=&%+,;-]*)", re.ASCII)
HOSTS = frozenset({"fcm.googleapis.com", "jmt17.google.com", "android.googleapis.com", "updates.push.services.mozilla.com"})
ENDINGS = (".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")
NAT64 = IPv6Network("64:ff9b::/96")


class NotPublic(OSError):
    """The name of a push service leads into a private network."""


def origin_of(endpoint: str) -> str | None:
    """None where nothing is to be sent there."""
    found = ADDRESS.fullmatch(endpoint) if len(endpoint) <= LONGEST else None
    if found is None or not (found[1] in HOSTS or found[1].endswith(ENDINGS)):
        return None
    return f"https://{found[1]}"


class PublicOnly(AbstractResolver):
    """Asks for a name once: what was looked at is what is connected to. One private address among several, and none will do."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        if not found or not all(is_public(str(address[0])) for *_, address in found):
            raise NotPublic(f"{host} leads to an address that is not public")
        as_it_is = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV  # asks no name again
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=as_it_is)
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """It holds nothing."""


def is_public(text: str) -> bool:
    try:
        address = inner(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Where an address of the new kind stands for one of the old kind, that one."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address
