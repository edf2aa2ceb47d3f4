"""Events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from . import types
from ._errors import KilonovaError

Event = TypeVar("Event")


class Watch(Generic[Event]):
    """Events, over breaks of the connection and restarts of the cloud: iterating gives each once and in order.

    `close()` ends it, from any thread; so does leaving a `with`.
    """

    def __init__(self, caller, path, fields):
        self._caller = caller
        self._path = path
        self._fields = fields
        self._closed = threading.Event()
        self._call = None

    def close(self) -> None:
        self._closed.set()
        if self._call is not None:
            self._call.cancel()

    def __enter__(self) -> Watch[Event]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, call):
        self._call = call
        if self._closed.is_set():
            call.cancel()

    def __iter__(self) -> Iterator[Event]:
        token = self._fields.get("resume_token", "")
        failures = 0
        while not self._closed.is_set():
            # Between RESET and SNAPSHOT_END: whoever breaks off there needs the whole snapshot again.
            in_snapshot = False
            try:
                for event in self._caller.stream(self._path, {**self._fields, "resume_token": token}, self._opened):
                    failures = 0
                    yield event
                    if event.type == types.EventType.SNAPSHOT_END:
                        in_snapshot = False
                    if not in_snapshot:
                        token = event.resume_token or token
                    if event.type == types.EventType.RESET:
                        in_snapshot = True
                least = None
            except KilonovaError as error:
                if not self._closed.is_set() and not error.may_pass and error.code != "CANCELLED":
                    raise
                least = error.retry_after
            failures += 1
            self._closed.wait(self._caller.pause(failures, least))
