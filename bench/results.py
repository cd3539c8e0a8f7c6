"""What a run of the bench found, as it is kept in `results.json`: what ran where, and each question's answer."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from appconnect.control_plane import clock
from bench.answers import Aim, Answer, Row

FILE: Final = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its answer; `failure` is why there is none."""

    name: str
    question: str
    answer: Answer = field(default_factory=Answer)
    failure: str = ""

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """As `asdict` made it."""
        found = content["answer"]
        answer = Answer(
            tuple(Row(**row) for row in found["rows"]),
            tuple(Aim(**aim) for aim in found["aims"]),
            tuple(found["notes"]),
        )
        return cls(content["name"], content["question"], answer, content["failure"])


@dataclass(frozen=True, slots=True)
class Results:
    """One run."""

    date: str
    machine: str
    rounds: int
    seconds: float
    versions: Mapping[str, str]
    questions: tuple[Answered, ...]

    def write(self, file: Path = FILE) -> None:
        """Keep it."""
        file.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", "utf-8")

    def after(self, earlier: "Results") -> "Results":
        """An earlier run, with the questions that were asked again in their places."""
        again = {one.name: one for one in self.questions}
        questions = tuple(again.get(one.name, one) for one in earlier.questions)
        return replace(self, versions={**earlier.versions, **self.versions}, questions=questions)

    @classmethod
    def read(cls, file: Path = FILE) -> Self:
        """The run that was kept."""
        content = json.loads(file.read_text("utf-8"))
        questions = tuple(map(Answered.from_json, content.pop("questions")))
        return cls(**content, questions=questions)


def today() -> str:
    """The date, as a reader of results wants it."""
    return datetime.fromtimestamp(clock(), UTC).date().isoformat()


def machine() -> str:
    """Processor, cores, memory, system and Python."""
    model = _first_of("/proc/cpuinfo", "model name") or platform.machine()
    kilobytes = int(_first_of("/proc/meminfo", "MemTotal").split()[0])
    return (
        f"{model}, {os.cpu_count()} cores, {kilobytes / 2**20:.0f} GiB; Linux {platform.release().partition('-')[0]}; "
        f"Python {platform.python_version()}"
    )


def _first_of(file: str, name: str) -> str:
    lines = (line.split(":", 1) for line in Path(file).read_text().splitlines() if ":" in line)
    return next((value.strip() for key, value in lines if key.strip() == name), "")
