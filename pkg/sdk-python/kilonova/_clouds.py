"""clouds.yaml, read as openstacksdk does."""

import os
import pathlib

import yaml

# Variables that choose files and clouds, and describe none.
_CHOOSING = {"OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"}
# What may stand beside `auth` too, and in variables.
_AUTH_KEYS = (
    "auth_url", "username", "user_id", "password", "user_domain_name", "user_domain_id",
    "project_name", "project_id", "project_domain_name", "project_domain_id",
    "application_credential_id", "application_credential_name", "application_credential_secret", "token",
)
# What one logs in with, by `auth_type` without `v3`.
_SECRETS = {
    "password": "password",
    "token": "token",
    "applicationcredential": "application_credential_secret",
    "application_credential": "application_credential_secret",
}


def read_clouds_yaml(cloud=None, env=None, cwd="."):
    """Returns the settings of a cloud with one section `auth`. Raises ValueError that says what is missing."""
    env = os.environ if env is None else env
    home = env.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    folders = [cwd, os.path.join(home, "openstack"), "/etc/openstack"]
    clouds = _read_first("clouds", env.get("OS_CLIENT_CONFIG_FILE"), folders)
    secrets = _read_first("secure", env.get("OS_CLIENT_SECURE_FILE"), folders)
    name = cloud or env.get("OS_CLOUD")
    variables = {key[3:].lower(): value for key, value in env.items() if key.startswith("OS_") and key not in _CHOOSING and value}
    if name == "envvars" or (not name and variables):
        return _settings(variables)
    name = name or (next(iter(clouds)) if len(clouds) == 1 else None)
    known = f"there are {', '.join(clouds)}" if clouds else "no clouds.yaml was found"
    if not name:
        raise ValueError(f"no cloud is named; {known}")
    if name not in clouds:
        raise ValueError(f"there is no cloud {name}; {known}")
    return _settings(_merged(clouds[name] or {}, secrets.get(name) or {}))


def _read_first(stem, named, folders):
    usual = [os.path.join(folder, stem + end) for folder in folders for end in (".yaml", ".yml", ".json")]
    for path in [*([named] if named else []), *usual]:
        if os.path.exists(path):
            return (yaml.safe_load(pathlib.Path(path).read_text()) or {}).get("clouds") or {}
    return {}


def _merged(first, second):
    both = {
        key: _merged(first.get(key) or {}, value) if isinstance(value, dict) else value for key, value in second.items()
    }
    return {**first, **both}


def _settings(said):
    section = said.get("auth") or {}
    auth = {key: str(section.get(key, said.get(key))) for key in _AUTH_KEYS if section.get(key, said.get(key)) not in (None, "")}
    if "auth_url" not in auth:
        raise ValueError("auth_url is missing")
    kind = said.get("auth_type")
    if kind:
        keep = _SECRETS.get(kind.removeprefix("v3"))
        if keep is None:
            raise ValueError(f"auth_type {kind} is not known here")
        auth = {key: value for key, value in auth.items() if key == keep or key not in _SECRETS.values()}
    verify = str(said.get("verify", "true")).lower() not in ("false", "0", "no")
    return {**said, "auth": auth, "verify": verify}
