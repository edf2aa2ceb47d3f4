"""What `pip` and the package index show of the wheel."""

import email
import pathlib
import sys
import tempfile
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import backend


class Wheel(unittest.TestCase):
    def test_describes_itself_with_the_users_page(self):
        with tempfile.TemporaryDirectory() as folder:
            name = backend.build_wheel(folder)
            with zipfile.ZipFile(pathlib.Path(folder) / name) as wheel:
                (path,) = [path for path in wheel.namelist() if path.endswith("/METADATA")]
                metadata = email.message_from_bytes(wheel.read(path))
        self.assertEqual(metadata["Description-Content-Type"], "text/markdown")
        text = metadata.get_payload()
        self.assertIn("fromCloudsYaml", text)
        self.assertNotIn("](", text.replace("](http", ""), "links to files that are not in the wheel")


if __name__ == "__main__":
    unittest.main()
