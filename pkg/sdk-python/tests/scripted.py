"""A cloud of a few lines: a real gRPC server that answers what a test says, and a login that counts."""

from concurrent import futures

import grpc

from kilonova import _contract
from kilonova._caller import Caller
from kilonova._client import LiveServers
from kilonova._resources import Flavors, Operations

ANY = "google.rpc."


class Refusal(Exception):
    """What a handler raises to refuse a call."""

    def __init__(self, code, reason, retry_ms=None, fields=()):
        super().__init__(reason)
        self.code = code
        make = lambda kind, **values: (kind, _contract.message(ANY + kind)(**values))
        self.details = [make("ErrorInfo", reason=reason, domain="kilonova.dev"), make("RequestInfo", request_id="req-1")]
        if retry_ms is not None:
            self.details.append(make("RetryInfo", retry_delay={"nanos": int(retry_ms * 1e6)}))
        if fields:
            violations = [{"field": name, "description": "wrong"} for name in fields]
            self.details.append(make("BadRequest", field_violations=violations))

    def trailers(self):
        details = [{"type_url": f"type.googleapis.com/{ANY}{kind}", "value": one.SerializeToString()} for kind, one in self.details]
        status = _contract.message(ANY + "Status")(code=self.code.value[0], details=details)
        return (("grpc-status-details-bin", status.SerializeToString()),)


class CountingSession:
    """Tokens are "token-1", "token-2" and so on."""

    def __init__(self):
        self.logins = 1

    def token(self):
        return f"token-{self.logins}"

    def refuse(self, token):
        if token == self.token():
            self.logins += 1
        return True


class Cloud:
    """handlers: by method's name, functions of request and context; those of streams are generators."""

    def __init__(self, **handlers):
        self.session = CountingSession()
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((_Handlers(handlers),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        caller = Caller(self.channel, self.session, first=0.001, most=0.004)
        self.servers, self.flavors, self.operations = LiveServers(caller), Flavors(caller), Operations(caller)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        self._server.stop(None).wait()


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, handlers):
        self._handlers = handlers

    def service(self, details):
        method = _contract.method(details.method)
        handler = self._handlers[details.method.rsplit("/", 1)[-1]]
        kinds = {"request_deserializer": method.input.FromString, "response_serializer": lambda one: one.SerializeToString()}

        def refuse(context, refusal):
            context.set_trailing_metadata(refusal.trailers())
            context.abort(refusal.code, str(refusal))

        def unary(request, context):
            try:
                return method.output(**handler(request, context))
            except Refusal as refusal:
                refuse(context, refusal)

        def stream(request, context):
            try:
                for answer in handler(request, context):
                    yield method.output(**answer)
            except Refusal as refusal:
                refuse(context, refusal)

        if details.method.endswith("WatchEvents"):
            return grpc.unary_stream_rpc_method_handler(stream, **kinds)
        return grpc.unary_unary_rpc_method_handler(unary, **kinds)


def turns(*answers):
    """A handler that gives or raises these in turn, the last one again and again; `turns.count` counts."""

    def handler(request, context):
        answer = answers[min(handler.count, len(answers) - 1)]
        handler.count += 1
        handler.tokens.append(dict(context.invocation_metadata()).get("x-auth-token"))
        handler.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    handler.count, handler.tokens, handler.requests = 0, [], []
    return handler
