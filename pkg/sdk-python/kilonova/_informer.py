"""A cache that keeps itself up to date."""

import threading
from typing import Any, NamedTuple

from . import types
from ._errors import KilonovaError
from ._watch import Watch

_LIST = "/kilonova.api.v1.ServersService/ListServers"
_WATCH = "/kilonova.api.v1.EventsService/WatchEvents"


class Change(NamedTuple):
    """type: "added", "changed" or "deleted". before, now: what the cache had and has; None where there is nothing."""

    type: str
    id: str
    before: Any
    now: Any


class Informer:
    """A cache of servers: filled by a list, then told by a watch that goes on from it, in a thread of its own.

    all_projects: needs the right to.
    keep: what is kept of each server, so that the cache stays small. Default: all of it.
    on_change: called for each change, in order, by the informer's thread.
    max_servers: more end it with RESOURCE_EXHAUSTED.

    It holds each server once and no history, and queues nothing. `close()` ends it; so does leaving a `with`.
    """

    def __init__(self, caller, *, all_projects=False, keep=None, on_change=None, max_servers=100_000):
        self._caller = caller
        self._all_projects = all_projects
        self._keep = keep or (lambda server: server)
        self._on_change = on_change or (lambda change: None)
        self._max_servers = max_servers
        self._cache = {}
        self._told = None
        self._silent_cell = False
        self._closing = threading.Event()
        self._filled = threading.Event()
        self._error = None
        self._watch = None
        self._thread = threading.Thread(target=self._run, name="kilonova-informer", daemon=True)
        self._thread.start()

    def ready(self, timeout=None):
        """Waits for the list to be complete. Raises what made that fail; returns whether it is, in time."""
        filled = self._filled.wait(timeout)
        if self._error is not None:
            raise self._error
        return filled

    def closed(self, timeout=None):
        """Waits until it was closed. Raises when it cannot go on; returns whether it ended in time."""
        self._thread.join(timeout)
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def close(self):
        """Stops it; the cache stays as it is."""
        self._closing.set()
        if self._watch is not None:
            self._watch.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __len__(self):
        return len(self._cache)

    def get(self, server_id, default=None):
        entry = self._cache.get(server_id)
        return default if entry is None else entry[1]

    def values(self):
        """What is kept of each server, at this moment."""
        return [value for _, value in list(self._cache.values())]

    def _run(self):
        try:
            token = self._list()
            self._filled.set()
            watch = Watch(self._caller, _WATCH, {"resume_token": token, "all_projects": self._all_projects})
            self._watch = watch
            if self._closing.is_set():
                return
            for event in watch:
                self._take(event)
        except Exception as error:  # told by ready() and closed()
            self._error = error
        finally:
            self._filled.set()

    def _list(self):
        token, page_token = "", None
        while page_token != "" and not self._closing.is_set():
            request = {"all_projects": self._all_projects, "with_resume_token": True, "page_size": 1000}
            page = self._caller.unary(_LIST, {**request, "page_token": page_token or ""})
            token = token or page.resume_token
            for server in page.servers:
                self._put(server)
            page_token = page.next_page_token
        return token

    def _take(self, event):
        kind = types.EventType(event.type)
        if kind == types.EventType.RESET:
            self._told, self._silent_cell = set(), False
        elif kind == types.EventType.CELL_UNREACHABLE:
            self._silent_cell = True  # during a snapshot: it tells of its servers later
        elif kind == types.EventType.SNAPSHOT_END:
            if not self._silent_cell and self._told is not None:
                for server_id in self._cache.keys() - self._told:
                    self._drop(server_id)
            self._told = None
        elif kind == types.EventType.SERVER_DELETED:
            self._drop(event.server.id)
        elif kind in (types.EventType.SERVER_CHANGED, types.EventType.SNAPSHOT):
            if self._told is not None:
                self._told.add(event.server.id)
            self._put(event.server)

    def _put(self, server):
        known = self._cache.get(server.id)
        if known is not None and server.generation <= known[0]:
            return
        if known is None and len(self._cache) >= self._max_servers:
            raise KilonovaError(f"there are more than {self._max_servers} servers", "RESOURCE_EXHAUSTED")
        now = self._keep(server)
        self._cache[server.id] = (server.generation, now)
        if known is None:
            self._on_change(Change("added", server.id, None, now))
        else:
            self._on_change(Change("changed", server.id, known[1], now))

    def _drop(self, server_id):
        known = self._cache.pop(server_id, None)
        if known is not None:
            self._on_change(Change("deleted", server_id, known[1], None))
