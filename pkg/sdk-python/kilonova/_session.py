"""A login that lasts: gives a token that is valid, and knows where services are."""

import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime

from ._errors import KilonovaError

# A token is renewed when so much of its life is over.
_RENEW_AT_SHARE = 0.9
_LOGIN_TIMEOUT = 30


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token, or the password, to wherever it points."""

    def redirect_request(self, *_):
        return None


class Session:
    """One login.

    auth: what stands under `auth` in clouds.yaml.
    context: an ssl.SSLContext for https.
    """

    def __init__(self, auth, *, region=None, interface="public", context=None):
        self._auth = auth
        self._region = region
        self._interface = interface
        https = urllib.request.HTTPSHandler(context=context or ssl.create_default_context())
        self._opener = urllib.request.build_opener(_NoRedirects, https)
        self._lock = threading.Lock()
        self._token = None
        self._renew_at = 0.0
        self._catalog = []

    def token(self):
        """Raises KilonovaError: UNAUTHENTICATED when Identity refuses, UNAVAILABLE when it does not answer."""
        with self._lock:
            if self._token is None or time.monotonic() >= self._renew_at:
                self._log_in()
            return self._token

    def refuse(self, token):
        """Told that a token was refused. Returns whether another one is to be had."""
        with self._lock:
            if self._token == token:
                self._token = None
        # A login with a token gives no more than that token is good for.
        return "password" in self._auth or "application_credential_secret" in self._auth

    def endpoint(self, service):
        """The address of a service, by its type in the catalog."""
        self.token()
        for entry in self._catalog:
            for one in entry["endpoints"] if entry["type"] == service else ():
                here = self._region is None or self._region == one.get("region_id", one.get("region"))
                if one["interface"] == self._interface and here:
                    return one["url"].rstrip("/")
        where = f" in region {self._region}" if self._region else ""
        raise KilonovaError(
            f"the service catalog names no {self._interface} endpoint of {service}{where}", "NOT_FOUND", "ENDPOINT_NOT_FOUND")

    def get(self, service, path):
        """Reads JSON of another service of the cloud over REST, such as ("image", "/v2/images")."""
        for attempt in (1, 2):
            token = self.token()
            request = urllib.request.Request(self.endpoint(service) + path, headers={"x-auth-token": token})
            try:
                with self._opener.open(request, timeout=_LOGIN_TIMEOUT) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 401 and attempt == 1 and self.refuse(token):
                    continue
                raise KilonovaError(f"{service} answered {error.code}", _code_of(error.code)) from error
            except OSError as error:
                raise KilonovaError(f"{service} does not answer: {error}", "UNAVAILABLE") from error

    def _log_in(self):
        base = self._auth["auth_url"].rstrip("/").removesuffix("/v3")
        body = json.dumps({"auth": login_body(self._auth)}).encode()
        request = urllib.request.Request(base + "/v3/auth/tokens", body, {"content-type": "application/json"})
        try:
            with self._opener.open(request, timeout=_LOGIN_TIMEOUT) as answer:
                token, said = answer.headers["x-subject-token"], json.load(answer)["token"]
        except urllib.error.HTTPError as error:
            raise KilonovaError(f"Identity answered {error.code}", _code_of(error.code)) from error
        except OSError as error:
            raise KilonovaError(f"Identity does not answer: {error}", "UNAVAILABLE") from error
        # By this machine's clock, which may go wrong: the life counts, not the end.
        life = (_time(said["expires_at"]) - _time(said["issued_at"])).total_seconds() if said.get("expires_at") else float("inf")
        self._token, self._catalog = token, said.get("catalog", [])
        self._renew_at = time.monotonic() + life * _RENEW_AT_SHARE


def login_body(auth):
    """What stands under `auth` in `POST /v3/auth/tokens`."""
    identity = _identity_of(auth)
    scope = _scope_of(auth)
    return {"identity": identity, **({"scope": scope} if scope else {})}


def _identity_of(auth):
    if "application_credential_secret" in auth:
        named = (
            {"id": auth["application_credential_id"]}
            if "application_credential_id" in auth
            else {"name": auth.get("application_credential_name"), "user": _user_of(auth)}
        )
        credential = {**named, "secret": auth["application_credential_secret"]}
        return {"methods": ["application_credential"], "application_credential": credential}
    if "password" in auth:
        return {"methods": ["password"], "password": {"user": {**_user_of(auth), "password": auth["password"]}}}
    if "token" in auth:
        return {"methods": ["token"], "token": {"id": auth["token"]}}
    raise ValueError("neither a password nor an application credential nor a token is given")


def _user_of(auth):
    if "user_id" in auth:
        return {"id": auth["user_id"]}
    if "username" not in auth:
        raise ValueError("no user is given")
    return {"name": auth["username"], "domain": _domain_of(auth, "user")}


def _scope_of(auth):
    # Application credentials have a project of their own.
    if "application_credential_secret" in auth:
        return None
    if "project_id" in auth:
        return {"project": {"id": auth["project_id"]}}
    if "project_name" in auth:
        return {"project": {"name": auth["project_name"], "domain": _domain_of(auth, "project")}}
    return None


def _domain_of(auth, whose):
    if f"{whose}_domain_id" in auth:
        return {"id": auth[f"{whose}_domain_id"]}
    if f"{whose}_domain_name" in auth:
        return {"name": auth[f"{whose}_domain_name"]}
    return {"id": "default"}


def _time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _code_of(status):
    if status == 401:
        return "UNAUTHENTICATED"
    return "UNAVAILABLE" if status >= 500 or status == 429 else "FAILED_PRECONDITION"
