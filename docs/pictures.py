"""`python -m docs.pictures`: copy the administrators' pages' pictures from those of the browser tests.

A page names a picture `images/NAME.png`; `tests/browser` takes it wherever it calls `check_page(…, "NAME")`.
"""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("administrators")
IMAGES: Final = FOLDER / "images"
ARTIFACTS: Final = Path(__file__).parents[1] / ".artifacts" / "browser"

_PICTURE = re.compile(r"!\[[^\]]*\]\(images/([a-z0-9-]+)\.png\)")


def shown() -> set[str]:
    """The names of the pictures that the pages show."""
    return {name for page in FOLDER.glob("*.md") for name in _PICTURE.findall(page.read_text("utf-8"))}


def taken(name: str) -> Path:
    """Where the browser tests leave this picture: at desktop width, in the light scheme."""
    return ARTIFACTS / f"{name}-1280-light.png"


def main() -> None:
    """Copy each picture that is shown, and remove those that are shown no more."""
    names = shown()
    if missing := sorted(name for name in names if not taken(name).exists()):
        sys.exit(f"Not taken yet: {', '.join(missing)}. Run `pytest tests/browser` first.")
    IMAGES.mkdir(exist_ok=True)
    for picture in IMAGES.glob("*.png"):
        if picture.stem not in names:
            picture.unlink()
    for name in names:
        shutil.copyfile(taken(name), IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
