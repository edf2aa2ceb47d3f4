import http.server
import threading
import unittest

from kilonova import Kilonova, KilonovaError


class Server(http.server.ThreadingHTTPServer):
    """Answers every POST with a redirect to `to`, or with nothing of use."""

    def __init__(self, to=None):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                seen.append(self.path)
                self.send_response(302 if to else 200)
                if to:
                    self.send_header("location", to)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Sessions(unittest.TestCase):
    AUTH = {"username": "u", "password": "secret", "project_name": "p"}

    def test_a_password_does_not_follow_a_redirect(self):
        with Server() as elsewhere, Server(elsewhere.url) as identity:
            with self.assertRaises(KilonovaError):
                Kilonova.connect({**self.AUTH, "auth_url": identity.url + "/v3"})
            identity.shutdown()
            elsewhere.shutdown()
        self.assertEqual(identity.seen, ["/v3/auth/tokens"])
        self.assertEqual(elsewhere.seen, [])

    def test_nothing_is_sent_unverified(self):
        with self.assertRaises(ValueError):
            Kilonova.connect({**self.AUTH, "auth_url": "https://127.0.0.1:1/v3"}, verify=False)
