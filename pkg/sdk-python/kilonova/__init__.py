"""Client of Kilonova: OpenStack Compute over gRPC.

    with Kilonova.from_clouds_yaml() as cloud:
        for server in cloud.servers.list():
            print(server.name)
"""

from ._client import Kilonova
from ._errors import KilonovaError, OperationFailed
from ._informer import Change, Informer
from ._operations import PendingOperation, Started
from ._pages import Pages
from ._session import Session
from ._watch import Watch

__all__ = [
    "Change",
    "Informer",
    "Kilonova",
    "KilonovaError",
    "OperationFailed",
    "Pages",
    "PendingOperation",
    "Session",
    "Started",
    "Watch",
]
