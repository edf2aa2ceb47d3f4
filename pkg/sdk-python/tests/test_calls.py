import time
import unittest
from types import SimpleNamespace

import grpc

from kilonova import KilonovaError, OperationFailed, types
from kilonova._operations import _is_repeated
from scripted import Cloud, Refusal, turns

AWAY = Refusal(grpc.StatusCode.UNAVAILABLE, "DB_UNAVAILABLE")
RUNNING = {"name": "operations/s/1", "kind": "server.boot", "state": types.OperationState.RUNNING}
SUCCEEDED = {**RUNNING, "state": types.OperationState.SUCCEEDED, "done": True}
FAILED = {
    **RUNNING,
    "state": types.OperationState.FAILED,
    "done": True,
    "request_id": "req-9",
    "error": {"reason": "NO_VALID_HOST", "message": "no host will do", "facts": {"hosts": "2"}},
}


class Calls(unittest.TestCase):
    def test_what_only_reads_is_repeated(self):
        handler = turns(AWAY, AWAY, {"server": {"id": "s"}})
        with Cloud(GetServer=handler) as cloud:
            self.assertEqual(cloud.servers.get(server_id="s").server.id, "s")
        self.assertEqual(handler.count, 3)

    def test_what_creates_is_repeated_with_one_client_token(self):
        handler = turns(AWAY, {})
        with Cloud(CreateServers=handler) as cloud:
            cloud.servers.create(name="a")
            cloud.servers.create(name="a")
            cloud.servers.create(name="a", client_token="mine")
        tokens = [request.client_token for request in handler.requests]
        self.assertEqual(tokens[0], tokens[1])
        self.assertEqual(len(tokens[0]), 36)
        self.assertNotEqual(tokens[1], tokens[2])
        self.assertEqual(tokens[3], "mine")

    def test_what_may_not_be_repeated_is_not(self):
        handler = turns(AWAY)
        with Cloud(CreateFlavor=handler) as cloud:
            with self.assertRaises(KilonovaError) as caught:
                cloud.flavors.create()
        self.assertEqual((caught.exception.code, caught.exception.reason), ("UNAVAILABLE", "DB_UNAVAILABLE"))
        self.assertEqual(handler.count, 1)

    def test_a_change_of_an_expected_generation_is_not_repeated(self):
        handler = turns(AWAY, {}, AWAY)
        with Cloud(UpdateServer=handler) as cloud:
            cloud.servers.update(server_id="s")
            self.assertEqual(handler.count, 2)
            with self.assertRaises(KilonovaError):
                cloud.servers.update(server_id="s", expected_generation=3)
        self.assertEqual(handler.count, 3)

    def test_waits_as_long_as_the_cloud_asks(self):
        busy = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_REQUESTS", retry_ms=150)
        with Cloud(GetServer=turns(busy, {})) as cloud:
            began = time.monotonic()
            cloud.servers.get(server_id="s")
        self.assertGreaterEqual(time.monotonic() - began, 0.15)

    def test_ends_with_the_last_refusal_when_the_time_is_over(self):
        handler = turns(AWAY)
        with Cloud(GetServer=handler) as cloud, self.assertRaises(KilonovaError) as caught:
            cloud.servers.get(server_id="s", timeout=0.2)
        self.assertIn(caught.exception.reason, ("DB_UNAVAILABLE", "DEADLINE_EXCEEDED"))
        self.assertGreater(handler.count, 2)

    def test_logs_in_again_once(self):
        refused = Refusal(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
        handler = turns(refused, {}, refused)
        with Cloud(CreateFlavor=handler) as cloud:
            cloud.flavors.create()
            self.assertEqual(handler.tokens, ["token-1", "token-2"])
            with self.assertRaises(KilonovaError):
                cloud.flavors.create()
        self.assertEqual(handler.tokens, ["token-1", "token-2", "token-2", "token-3"])

    def test_what_may_not_be_repeated_is_not_when_the_token_ended_meanwhile(self):
        for reason in ("TOKEN_ENDED", "TOKEN_REFUSED"):
            ended = Refusal(grpc.StatusCode.UNAUTHENTICATED, reason)
            creates, reads = turns(ended, {}), turns(ended, {})
            with Cloud(CreateFlavor=creates, GetServer=reads) as cloud:
                with self.assertRaises(KilonovaError) as caught:
                    cloud.flavors.create()
                self.assertEqual((caught.exception.reason, creates.count), (reason, 1))
                # What reads is repeated in any case, and the next call has a new token.
                cloud.servers.get(server_id="s")
            self.assertEqual(reads.tokens, ["token-2", "token-3"])

    def test_refusals_tell_all_that_they_say(self):
        wrong = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", fields=["name"])
        with Cloud(CreateServers=turns(wrong)) as cloud, self.assertRaises(KilonovaError) as caught:
            cloud.servers.create()
        error = caught.exception
        self.assertEqual([one.field for one in error.field_violations], ["name"])
        self.assertEqual((error.code, error.reason, error.request_id), ("INVALID_ARGUMENT", "INVALID_REQUEST", "req-1"))

    def test_lists_are_read_page_by_page(self):
        handler = turns(
            {"servers": [{"id": "1"}, {"id": "2"}], "next_page_token": "t"}, {"servers": [{"id": "3"}]},
        )
        with Cloud(ListServers=handler) as cloud:
            self.assertEqual([one.id for one in cloud.servers.list(page_size=2)], ["1", "2", "3"])
            self.assertEqual([one.page_token for one in handler.requests], ["", "t"])
        with Cloud(ListServers=turns({"servers": [{"id": "1"}], "next_page_token": "t"}, AWAY)) as cloud:
            self.assertEqual(cloud.servers.list().first().id, "1")
        with Cloud(ListServers=turns({})) as cloud, self.assertRaises(KilonovaError):
            cloud.servers.list().first()


class Waiting(unittest.TestCase):
    @staticmethod
    def booting(*answers):
        waits = [one if isinstance(one, Exception) else {"operation": one} for one in answers]
        return Cloud(
            CreateServers=turns({"servers": [{"id": "s"}], "operations": [RUNNING]}),
            DeleteServer=turns({"operation": RUNNING}),
            WaitOperation=turns(*waits),
        )

    def test_goes_on_over_breaks(self):
        with self.booting(RUNNING, AWAY, AWAY, RUNNING, SUCCEEDED) as cloud:
            created = cloud.servers.create(name="a").finished()
        self.assertEqual(created.servers[0].id, "s")
        self.assertTrue(created.operations[0].done)
        self.assertIsNone(created.result())

    def test_failures_raise_why(self):
        with self.booting(FAILED) as cloud:
            started = cloud.servers.delete(server_id="s")
            with self.assertRaises(OperationFailed) as caught:
                started.result()
            self.assertEqual(started.operation.wait().error.reason, "NO_VALID_HOST")
        error = caught.exception
        self.assertEqual((str(error), error.reason, error.metadata), ("no host will do", "NO_VALID_HOST", {"hosts": "2"}))

    def test_gives_up_when_the_time_is_over(self):
        with self.booting(RUNNING) as cloud, self.assertRaises(KilonovaError) as caught:
            cloud.servers.delete(server_id="s").finished(timeout=0.1)
        self.assertEqual(caught.exception.code, "DEADLINE_EXCEEDED")

    def test_ends_when_the_operation_cannot_be_read(self):
        gone = Refusal(grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND")
        with self.booting(gone) as cloud, self.assertRaises(KilonovaError) as caught:
            cloud.servers.delete(server_id="s").finished(timeout=2)
        self.assertEqual(caught.exception.reason, "OPERATION_NOT_FOUND")

    def test_knows_lists_in_every_version_of_protobuf(self):
        for repeated in (True, False):
            newest = SimpleNamespace(is_repeated=repeated)
            oldest = SimpleNamespace(label=3 if repeated else 1, LABEL_REPEATED=3)
            self.assertEqual([_is_repeated(newest), _is_repeated(oldest)], [repeated, repeated])
