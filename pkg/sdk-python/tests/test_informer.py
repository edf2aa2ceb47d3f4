import threading
import unittest

import grpc

from kilonova import KilonovaError, types
from scripted import Cloud, Refusal

AWAY = Refusal(grpc.StatusCode.UNAVAILABLE, "GOING_AWAY")
Kind = types.EventType


def told(kind, server_id, generation, token, name=""):
    return {"type": kind, "resume_token": token, "server": {"id": server_id, "generation": generation, "name": name}}


class Informers(unittest.TestCase):
    def follow(self, *all_turns, **options):
        """Follows the turns to their end. Returns what was told, the tokens that watches began with, and the informer."""
        asked = []
        every = [*all_turns, [told(Kind.SERVER_CHANGED, "last", 1, "end")]]

        def listed(request, _):
            self.assertTrue(request.with_resume_token)
            if request.page_token == "":
                return {"servers": [{"id": "a", "generation": 1}], "next_page_token": "two", "resume_token": "listed"}
            return {"servers": [{"id": "b", "generation": 5, "name": "new"}]}

        def watched(request, context):
            asked.append(request.resume_token)
            for event in every[len(asked) - 1] if len(asked) <= len(every) else []:
                if isinstance(event, Exception):
                    raise event
                yield event
            while context.is_active() and len(asked) >= len(every):
                if context.time_remaining() == 0 or closing.wait(0.02):
                    return

        closing, reached, changes = threading.Event(), threading.Event(), []

        def tell(change):
            if change.id == "last":
                return reached.set()
            changes.append(" ".join([change.type, change.id, *filter(None, [change.before, change.now])]))

        keep = lambda server: f"{server.name}{server.generation}"
        with Cloud(ListServers=listed, WatchEvents=watched) as cloud:
            with cloud.servers.informer(keep=keep, on_change=tell, **options) as informer:
                self.assertTrue(informer.ready(10))
                while not reached.wait(0.02) and not informer.closed(0):
                    pass
            closing.set()
        return changes, asked, informer

    def test_follows_from_the_lists_token_and_skips_what_the_list_knew(self):
        changes, asked, informer = self.follow([
            told(Kind.SERVER_CHANGED, "b", 4, "1", "old"),
            told(Kind.SERVER_CHANGED, "b", 6, "2", "newer"),
            told(Kind.SERVER_CHANGED, "c", 1, "3"),
            told(Kind.SERVER_DELETED, "a", 2, "4"),
            AWAY,
        ])
        self.assertEqual(changes, ["added a 1", "added b new5", "changed b new5 newer6", "added c 1", "deleted a 1"])
        self.assertEqual(asked, ["listed", "4"])
        self.assertEqual((informer.get("b"), informer.get("a"), len(informer)), ("newer6", None, 3))

    def test_drops_after_a_reset_what_the_snapshot_does_not_tell_of(self):
        changes, asked, _ = self.follow([
            {"type": Kind.RESET, "resume_token": "expired"},
            told(Kind.SNAPSHOT, "b", 5, "expired"),
            {"type": Kind.SNAPSHOT_END, "resume_token": "after"},
            AWAY,
        ])
        self.assertEqual(changes[2:], ["deleted a 1"])
        self.assertEqual(asked, ["listed", "after"])

    def test_asks_for_the_whole_snapshot_again_when_that_breaks_off(self):
        _, asked, informer = self.follow(
            [
                {"type": Kind.RESET, "resume_token": "expired"},
                told(Kind.SNAPSHOT, "b", 5, "expired"),
                {"type": Kind.CELL_UNREACHABLE, "cell": "cell2", "resume_token": "not yet good"},
                AWAY,
            ],
            [
                {"type": Kind.RESET, "resume_token": "expired"},
                told(Kind.SNAPSHOT, "b", 5, "expired"),
                {"type": Kind.SNAPSHOT_END, "resume_token": "after"},
                AWAY,
            ],
        )
        self.assertEqual(asked, ["listed", "expired", "after"])
        self.assertIsNone(informer.get("a"))

    def test_ends_instead_of_growing_beyond_its_bound(self):
        with self.assertRaises(KilonovaError) as caught:
            self.follow([told(Kind.SERVER_CHANGED, "c", 1, "1")], max_servers=2)
        self.assertEqual(caught.exception.code, "RESOURCE_EXHAUSTED")

    def test_ends_when_it_may_not_watch(self):
        with self.assertRaises(KilonovaError) as caught:
            self.follow([Refusal(grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN")])
        self.assertEqual(caught.exception.reason, "FORBIDDEN")


class Watches(unittest.TestCase):
    def test_goes_on_with_a_new_token_when_its_own_has_ended(self):
        tokens, asked = [], []

        def watched(request, context):
            tokens.append(dict(context.invocation_metadata())["x-auth-token"])
            asked.append(request.resume_token)
            yield {"type": Kind.BOOKMARK, "resume_token": str(len(tokens))}
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")

        with Cloud(WatchEvents=watched) as cloud, cloud.servers.watch() as watch:
            for event in watch:
                if event.resume_token == "3":
                    break
        self.assertEqual((tokens, asked), (["token-1", "token-2", "token-3"], ["", "1", "2"]))
