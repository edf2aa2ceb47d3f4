"""Refusals and failures."""

import grpc

from . import _contract

_DETAILS = "google.rpc."


class KilonovaError(Exception):
    """A call that was refused, or that failed. Build on `code` and `reason`; the text may change.

    code: gRPC's status by name, such as "NOT_FOUND".
    reason: a value of kilonova.api.v1.ErrorReason without its prefix, such as "SERVER_NOT_FOUND".
    metadata: short facts.
    field_violations, quota_violations, precondition_violations: what is wrong, used up, or in the wrong state.
    retry_after: seconds to wait before the next attempt, where waiting helps; else None.
    request_id: by which operators find the call in their logs; None when nobody answered.
    """

    def __init__(self, message, code, reason=None, *, metadata=None, details=(), request_id=None):
        super().__init__(message)
        self.code = code
        self.reason = reason or code
        self.metadata = dict(metadata or {})
        self.request_id = request_id
        self.retry_after = None
        self.field_violations = self.quota_violations = self.precondition_violations = ()
        for kind, detail in details:
            if kind == "ErrorInfo":
                self.reason, self.metadata = detail.reason, dict(detail.metadata)
            elif kind == "RequestInfo":
                self.request_id = detail.request_id
            elif kind == "RetryInfo":
                self.retry_after = detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9
            elif kind == "BadRequest":
                self.field_violations = tuple(detail.field_violations)
            elif kind == "QuotaFailure":
                self.quota_violations = tuple(detail.violations)
            elif kind == "PreconditionFailure":
                self.precondition_violations = tuple(detail.violations)

    @property
    def may_pass(self):
        """Whether the same call may have another outcome a little later."""
        broke_off = self.request_id is None and self.code in ("UNKNOWN", "INTERNAL")
        return self.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED") or self.retry_after is not None or broke_off


class OperationFailed(KilonovaError):
    """Slow work that did not end as asked. `operation` is as it ended; its `error` may tell more."""

    def __init__(self, operation):
        ended = _contract.enum("kilonova.type.v1.OperationState").values_by_number[operation.state].name
        ended = ended.removeprefix("OPERATION_STATE_")
        super().__init__(
            operation.error.message or f"operation {operation.kind} ended as {ended}",
            "CANCELLED" if ended in ("CANCELLED", "PREEMPTED") else "ABORTED",
            operation.error.reason or ended,
            metadata=operation.error.facts,
            request_id=operation.request_id,
        )
        self.operation = operation


def error_of(error):
    """What gRPC raised, as an error of ours."""
    trailers = dict(error.trailing_metadata() or ())
    initial = dict(error.initial_metadata() or ()) if hasattr(error, "initial_metadata") else {}
    status = _contract.message(_DETAILS + "Status").FromString(trailers.get("grpc-status-details-bin", b""))
    return KilonovaError(
        error.details() or error.code().name,
        error.code().name,
        details=[_unpack(detail) for detail in status.details],
        request_id=trailers.get("x-request-id") or initial.get("x-request-id"),
    )


def _unpack(detail):
    name = detail.type_url.rsplit("/", 1)[-1]
    kind = name.removeprefix(_DETAILS)
    if kind not in ("ErrorInfo", "RequestInfo", "RetryInfo", "BadRequest", "QuotaFailure", "PreconditionFailure"):
        return kind, None
    return kind, _contract.message(name).FromString(detail.value)


def is_rpc_error(error):
    return isinstance(error, grpc.RpcError) and hasattr(error, "trailing_metadata")
