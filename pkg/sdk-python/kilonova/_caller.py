"""Makes calls: with a valid token, and as often as it takes where that does no harm."""

import random
import time
import uuid

import grpc

from . import _contract
from ._errors import error_of, is_rpc_error

DEFAULT_TIMEOUT = 60.0

# The cloud looks at tokens before it looks at requests, and then gives this reason. With any other a token was
# refused, or ended, while the call was under way.
_REFUSED_AT_THE_DOOR = "TOKEN_INVALID"


class Caller:
    """first, most: the pauses between attempts, in seconds."""

    def __init__(self, channel, session, first=0.1, most=10.0):
        self.channel = channel
        self._session = session
        self._first = first
        self._most = most

    def pause(self, attempt, least=None):
        """Seconds to wait after so many failures, and after what the cloud asks for."""
        return (least or 0) + random.uniform(0, min(self._most, self._first * 2 ** min(attempt - 1, 30)))

    def unary(self, path, fields, timeout=None):
        """Raises KilonovaError. timeout: seconds for all attempts together."""
        method = _contract.method(path)
        request = method.input(**fields)
        repeatable = method.idempotent and not getattr(request, "expected_generation", 0)
        if method.takes_token:
            repeatable = True
            request.client_token = request.client_token or str(uuid.uuid4())
        call = self.channel.unary_unary(
            path, request_serializer=method.input.SerializeToString, response_deserializer=method.output.FromString)
        ends_at = time.monotonic() + (DEFAULT_TIMEOUT if timeout is None else timeout)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._authenticated(
                    lambda metadata: call(request, metadata=metadata, timeout=max(0.001, ends_at - time.monotonic())),
                    repeatable)
            except Exception as raised:
                error = as_error(raised)
                pause = self.pause(attempt, error.retry_after)
                if not repeatable or not error.may_pass or time.monotonic() + pause >= ends_at:
                    raise error from None
                time.sleep(pause)

    def stream(self, path, fields, opened):
        """One stream, until it ends, breaks or outlives its token. `opened` is told the call, so that it can be cancelled."""
        method = _contract.method(path)
        call = self.channel.unary_stream(
            path, request_serializer=method.input.SerializeToString, response_deserializer=method.output.FromString)

        used = []

        def begin(metadata):
            # A refusal for the token comes with the first message, not with the answer to the call.
            messages = call(method.input(**fields), metadata=metadata)
            opened(messages)
            used.append(metadata[0][1])
            return next(messages, None), messages

        begun = False
        try:
            first, messages = self._authenticated(begin, True)
            begun = True
            if first is not None:
                yield first
                yield from messages
        except grpc.RpcError as raised:
            error = as_error(raised)
            # The token's life has ended, and the stream with it: the next one begins with another token.
            if not (error.code == "UNAUTHENTICATED" and begun and self._session.refuse(used[-1])):
                raise error from None

    def _authenticated(self, attempt, repeatable):
        """Logs in again once when the token is refused.

        What may not be repeated is tried again only when it was refused before anything was done.
        """
        token = self._session.token()
        try:
            return attempt((("x-auth-token", token),))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAUTHENTICATED or not self._session.refuse(token):
                raise
            if not repeatable and error_of(error).reason != _REFUSED_AT_THE_DOOR:
                raise
        return attempt((("x-auth-token", self._session.token()),))


def as_error(raised):
    """An error of ours; what is none of a call is raised as it is."""
    if is_rpc_error(raised):
        return error_of(raised)
    if hasattr(raised, "may_pass"):
        return raised
    raise raised
