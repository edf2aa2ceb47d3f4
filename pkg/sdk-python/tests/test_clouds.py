import pathlib
import tempfile
import unittest

import yaml

from kilonova._clouds import read_clouds_yaml
from kilonova._session import login_body


class Clouds(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cwd = pathlib.Path(folder.name)
        self.home = self.cwd / "home"
        (self.home / "openstack").mkdir(parents=True)

    def write(self, path, **clouds):
        (self.cwd / path).write_text(yaml.safe_dump({"clouds": clouds}))
        return str(self.cwd / path)

    def read(self, cloud=None, **env):
        return read_clouds_yaml(cloud, {"XDG_CONFIG_HOME": str(self.home), **env}, str(self.cwd))

    @staticmethod
    def cloud_at(url, **more):
        return {"auth": {"auth_url": url, "password": "p", **more}}

    def url(self, *args, **env):
        return self.read(*args, **env)["auth"]["auth_url"]

    def test_the_named_file_counts_first_then_the_present_folder_then_the_users(self):
        self.write("home/openstack/clouds.yaml", one=self.cloud_at("http://user"))
        self.assertEqual(self.url(), "http://user")
        self.write("clouds.yaml", one=self.cloud_at("http://here"))
        self.assertEqual(self.url(), "http://here")
        named = self.write("other.yaml", one=self.cloud_at("http://named"))
        self.assertEqual(self.url(OS_CLIENT_CONFIG_FILE=named), "http://named")

    def test_the_cloud_is_the_one_asked_for_or_that_of_the_variable_or_the_only_one(self):
        self.write("clouds.yaml", one=self.cloud_at("http://one"), two=self.cloud_at("http://two"))
        with self.assertRaisesRegex(ValueError, "no cloud is named; there are one, two"):
            self.read()
        self.assertEqual(self.url(OS_CLOUD="two"), "http://two")
        self.assertEqual(self.url("one", OS_CLOUD="two"), "http://one")
        with self.assertRaisesRegex(ValueError, "there is no cloud three"):
            self.read("three")

    def test_secure_yaml_is_laid_over_it_key_by_key(self):
        self.write("clouds.yaml", one={"region_name": "R", "auth": {"auth_url": "http://one", "username": "u"}})
        self.write("secure.yaml", one={"auth": {"password": "hidden"}})
        settings = self.read()
        self.assertEqual((settings["auth"]["username"], settings["auth"]["password"], settings["region_name"]), ("u", "hidden", "R"))

    def test_variables_count_when_no_cloud_is_named(self):
        self.write("clouds.yaml", one=self.cloud_at("http://one"))
        openrc = {"OS_AUTH_URL": "http://variables", "OS_USERNAME": "u", "OS_PASSWORD": "p"}
        self.assertEqual(self.url(**openrc), "http://variables")
        self.assertEqual(self.url(**openrc, OS_CLOUD="one"), "http://one")

    def test_auth_type_chooses_among_credentials(self):
        both = self.cloud_at("http://one", application_credential_id="i", application_credential_secret="s")
        self.write("clouds.yaml", one={**both, "auth_type": "v3applicationcredential"})
        body = login_body(self.read()["auth"])
        self.assertEqual(body, {
            "identity": {"methods": ["application_credential"], "application_credential": {"id": "i", "secret": "s"}},
        })
        self.write("clouds.yaml", one={**both, "auth_type": "v3oidcpassword"})
        with self.assertRaisesRegex(ValueError, "v3oidcpassword is not known"):
            self.read()

    def test_the_body_of_a_login_with_a_password(self):
        auth = {"username": "u", "password": "x", "project_name": "p", "user_domain_name": "Default"}
        self.assertEqual(login_body(auth), {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "u", "domain": {"name": "Default"}, "password": "x"}},
            },
            "scope": {"project": {"name": "p", "domain": {"id": "default"}}},
        })
