"""Builds the wheel with the standard library alone: `pip install pkg/sdk-python`, or `python3 backend.py FOLDER`."""

import base64
import hashlib
import json
import pathlib
import re
import sys
import tomllib
import zipfile

HERE = pathlib.Path(__file__).parent
# Not of today, so that the same sources are the same wheel.
TIME = (2026, 1, 1, 0, 0, 0)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """What pip calls. Returns the wheel's name."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    version = json.loads((HERE.parent.parent / "package.json").read_text())["version"]
    stem = f"{project['name']}-{version}"
    name = f"{stem}-py3-none-any.whl"
    files = {f"kilonova/{path.name}": path.read_bytes() for path in sorted((HERE / "kilonova").iterdir()) if path.is_file()}
    needed = "".join(f"Requires-Dist: {one}\n" for one in project["dependencies"])
    files[f"{stem}.dist-info/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\nSummary: {project['description']}\n"
        f"License: {project['license']}\nRequires-Python: {project['requires-python']}\n{needed}"
        f"Description-Content-Type: text/markdown\n\n{readme()}"
    ).encode()
    files[f"{stem}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: kilonova\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            wheel.writestr(zipfile.ZipInfo(path, TIME), data, zipfile.ZIP_DEFLATED)
    return name


def readme():
    """The users' page. Its links lead to files that the wheel does not have."""
    text = (HERE.parent.parent / "docs" / "sdk.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    print(build_wheel(sys.argv[1]))
