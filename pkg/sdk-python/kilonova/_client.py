"""The client."""

from __future__ import annotations

import pathlib
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import grpc

from ._caller import Caller
from ._clouds import read_clouds_yaml
from ._errors import KilonovaError
from ._informer import Informer
from ._resources import Events, Resources, Servers
from ._session import Session

if TYPE_CHECKING:
    from . import types
    from ._watch import Watch

# The type by which the catalog knows the port.
_SERVICE = "compute-rpc"
_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A cloud that was restarted is found again soon, and a dead connection is noticed.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.http2.max_pings_without_data", 0),
)


class LiveServers(Servers):
    """Servers, and what happens to them."""

    def watch(self, **fields: Any) -> Watch[types.WatchEventsResponse]:
        """What happens to servers from now on, or from a resume_token. Fields: as of events.watch()."""
        return Events(self._caller).watch(**fields)

    def informer(self, **options: Any) -> Informer:
        """A cache of servers that keeps itself up to date. Options: those of Informer."""
        return Informer(self._caller, **options)


class Kilonova(Resources):
    """A cloud, for one user and project. Leaving a `with` lets go of the connection; so does `close()`."""

    servers: LiveServers

    def __init__(self, session: Session, channel: grpc.Channel) -> None:
        caller = Caller(channel, session)
        super().__init__(caller)
        self.servers = LiveServers(caller)
        self.session = session
        self._channel = channel

    @classmethod
    def from_clouds_yaml(cls, cloud: str | None = None) -> Kilonova:
        """Logs in to a cloud of clouds.yaml, or to that of the OS_* variables.

        Raises ValueError when the configuration lacks something, KilonovaError when the login fails.
        """
        settings = read_clouds_yaml(cloud)
        return cls.connect(
            settings["auth"],
            region=settings.get("region_name"),
            interface=settings.get("interface") or "public",
            cacert=settings.get("cacert"),
            cert=settings.get("cert"),
            key=settings.get("key"),
            verify=settings["verify"],
        )

    @classmethod
    def connect(
        cls,
        auth: Mapping[str, str],
        *,
        region: str | None = None,
        interface: str = "public",
        cacert: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        verify: bool = True,
    ) -> Kilonova:
        """Logs in with what stands under `auth` in clouds.yaml. cacert, cert, key: files in PEM."""
        if not verify and urllib.parse.urlsplit(auth["auth_url"]).scheme == "https":
            raise ValueError("gRPC for Python always verifies: give cacert instead of verify: false")
        context = ssl.create_default_context(cafile=cacert)
        if cert:
            context.load_cert_chain(cert, key)
        if not verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        session = Session(auth, region=region, interface=interface, context=context)
        url = urllib.parse.urlsplit(session.endpoint(_SERVICE))
        secure = url.scheme == "https"
        address = f"{url.hostname}:{url.port or (443 if secure else 80)}"
        if not secure:
            return cls(session, grpc.insecure_channel(address, _OPTIONS))
        if not verify:
            raise ValueError("gRPC for Python always verifies: give cacert instead of verify: false")
        read = [path and pathlib.Path(path).read_bytes() for path in (cacert, key or cert, cert)]
        return cls(session, grpc.secure_channel(address, grpc.ssl_channel_credentials(*read), _OPTIONS))

    def find_image(self, name: str) -> dict[str, Any]:
        """An image by its name, as Image tells of it: a dict. Raises KilonovaError NOT_FOUND when none is ready."""
        query = urllib.parse.urlencode({"name": name, "status": "active", "limit": 1})
        images = self.session.get("image", f"/v2/images?{query}")["images"]
        if not images:
            raise KilonovaError(f"there is no image {name}", "NOT_FOUND", "IMAGE_NOT_FOUND")
        return images[0]

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Kilonova:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
