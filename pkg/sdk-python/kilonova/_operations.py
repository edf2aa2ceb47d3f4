"""Slow work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _contract
from ._errors import KilonovaError, OperationFailed

_SERVICE = "/kilonova.api.v1.OperationsService/"
# How long one call waits, below what proxies take for a dead connection, and what it may take beyond that. Seconds.
_HOLD = 30.0
_GRACE = 15.0

if TYPE_CHECKING:
    from . import types

Answer = TypeVar("Answer")
Self = TypeVar("Self", bound="Started[Any]")


class PendingOperation:
    """Slow work that was accepted. It will end, whatever process dies. `latest` is the message; its fields are here too."""

    def __init__(self, caller, operation):
        self._caller = caller
        self.latest: types.Operation = operation

    def __getattr__(self, name: str) -> Any:
        return getattr(self.latest, name)

    def refresh(self) -> PendingOperation:
        """Asks how it stands."""
        self.latest = self._caller.unary(_SERVICE + "GetOperation", {"name": self.latest.name}).operation
        return self

    def cancel(self) -> PendingOperation:
        """Asks it to stop. What has passed its point of no return goes on."""
        self.latest = self._caller.unary(_SERVICE + "CancelOperation", {"name": self.latest.name}).operation
        return self

    def wait(self, timeout: float | None = None) -> PendingOperation:
        """Waits for the end, be it good or bad, over breaks of the connection and restarts of the cloud.

        timeout: seconds; None waits as long as it takes. Raises KilonovaError DEADLINE_EXCEEDED when it is over first.
        """
        ends_at = float("inf") if timeout is None else time.monotonic() + timeout
        failures = 0
        while not self.latest.done:
            left = ends_at - time.monotonic()
            if left <= 0:
                raise KilonovaError(f"{self.latest.name} is not done in time", "DEADLINE_EXCEEDED")
            hold = min(_HOLD, left)
            duration = {"seconds": int(hold), "nanos": int(hold % 1 * 1e9)}
            try:
                request = {"name": self.latest.name, "timeout": duration}
                self.latest = self._caller.unary(_SERVICE + "WaitOperation", request, hold + _GRACE).operation
                failures = 0
            except KilonovaError as error:
                if not error.may_pass:
                    raise
                failures += 1
                time.sleep(min(self._caller.pause(failures, error.retry_after), max(0, ends_at - time.monotonic())))
        return self

    def result(self, timeout: float | None = None) -> Any:
        """Waits for the good end; returns what it has brought about, or None. Raises OperationFailed when it ends otherwise."""
        self.wait(timeout)
        if self.latest.state != _contract.enum("kilonova.type.v1.OperationState").values_by_name["OPERATION_STATE_SUCCEEDED"].number:
            raise OperationFailed(self.latest)
        if "result" not in self.latest.DESCRIPTOR.fields_by_name or not self.latest.HasField("result"):
            return None
        chosen = self.latest.result.WhichOneof("outcome")
        return chosen and getattr(self.latest.result, chosen)


def _is_repeated(field) -> bool:
    # protobuf 7 has no labels, and 4 has nothing else.
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


class Started(Generic[Answer]):
    """The answer of a call that has started slow work. `message` is the answer; its fields are here too."""

    def __init__(self, caller, message, fields):
        self.message: Answer = message
        self._operations = []
        for name in fields:
            value = getattr(message, name)
            if _is_repeated(message.DESCRIPTOR.fields_by_name[name]):
                value = [PendingOperation(caller, one) for one in value]
                self._operations += value
            elif message.HasField(name):
                value = PendingOperation(caller, value)
                self._operations.append(value)
            else:
                value = None
            setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)

    def finished(self: Self, timeout: float | None = None) -> Self:
        """This answer, once everything that it has started has come to its good end. Raises OperationFailed."""
        self._results(timeout)
        return self

    def result(self, timeout: float | None = None) -> Any:
        """What the operation that it has started, or the first one, has brought about. Raises OperationFailed."""
        return next(iter(self._results(timeout)), None)

    def _results(self, timeout):
        ends_at = None if timeout is None else time.monotonic() + timeout
        return [one.result(None if ends_at is None else ends_at - time.monotonic()) for one in self._operations]
