"""The project's pages as tests read them: their blocks of code, their text in backticks, their links and anchors."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    key=lambda page: page.relative_to(ROOT).parts,
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code."""

    language: str
    text: str


def name(page: Path) -> str:
    """A page's path from the root, for the ids of tests."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[Block]:
    """The page's blocks in one language, in order."""
    found = (Block(*parts) for parts in _FENCE.findall(page.read_text("utf-8")))
    return [block for block in found if block.language == language]


def commands(page: Path) -> list[str]:
    """The shell commands of the page, in order; lines that a backslash joins are one."""
    return [
        command
        for block in blocks(page, "sh")
        for command in block.text.replace("\\\n", " ").splitlines()
        if command.strip()
    ]


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page.read_text("utf-8"))


def code_spans(page: Path) -> Iterator[str]:
    """Every text in backticks."""
    yield from _CODE.findall(prose(page))


def links(page: Path) -> list[str]:
    """The targets of all links and pictures."""
    return _LINK.findall(_CODE.sub("`code`", prose(page)))


def anchors(page: Path) -> set[str]:
    """The anchors that a forge makes of the headings: small letters and hyphens, a number where one comes twice."""
    found: dict[str, int] = {}
    made = set()
    for heading in _HEADING.findall(prose(page)):
        slug = _slug(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading))
        count = found.get(slug, 0)
        found[slug] = count + 1
        made.add(f"{slug}-{count}" if count else slug)
    return made


def _slug(heading: str) -> str:
    kept = (one for one in heading.lower() if one in "-_ " or unicodedata.category(one)[0] in "LN")
    return "".join(kept).replace(" ", "-")
