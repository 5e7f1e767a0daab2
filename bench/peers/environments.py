"""The environments that the peers run in, made on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
HAYHOOKS: Final = "hayhooks==2.1.0"
LITELLM: Final = "litellm[proxy]==1.100.1"


def environment(requirement: str) -> Path | None:
    """The folder of programs of an environment with `requirement`; None, and a line that says so, if it cannot be."""
    name = requirement.replace("[proxy]", "").replace("==", "-")
    folder = ROOT / ".venv" / "peers" / name
    if not (folder / "ready").exists():
        print(f"Installing {requirement} into {folder.relative_to(ROOT)}", file=sys.stderr)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            print(f"{requirement} cannot be installed here, so it is left out.", file=sys.stderr)
            return None
        (folder / "ready").touch()
    return folder / "bin"
