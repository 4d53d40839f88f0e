"""Print the lowest version of each dependency that pyproject.toml allows, for pip."""

import pathlib
import tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
print("\n".join(line.replace(">=", "==") for line in project["dependencies"]))
