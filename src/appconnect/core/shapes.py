"""The site's route templates as people read them, and the rules that open all their routes."""

from dataclasses import dataclass

from appconnect.core.rules import DOUBLE_STAR, REST_PREFIX, STAR
from appconnect.core.templates import parse_template


@dataclass(frozen=True, slots=True)
class Shape:
    """A template as people read it: its literal segments, and None for each that a pattern stands for.

    With `is_open` the last pattern may hold any number of segments. `names` are the parameters, in order.
    """

    segments: tuple[str | None, ...]
    names: tuple[str, ...]
    is_open: bool = False

    @property
    def path(self) -> str:
        """The path with its parameters in braces: `/wp-json/wp/v2/posts/{id}`."""
        names = iter(self.names)
        shown = [segment if segment is not None else f"{{{next(names, 'value')}}}" for segment in self.segments]
        return f"{REST_PREFIX}/{'/'.join(shown)}"

    @property
    def rule_path(self) -> str:
        """The path of a rule for all its routes: `/wp-json/wp/v2/posts/*`."""
        wildcards = [segment if segment is not None else STAR for segment in self.segments]
        if self.is_open:
            wildcards[-1] = DOUBLE_STAR
        return f"{REST_PREFIX}/{'/'.join(wildcards)}"


def shape_of(text: str) -> Shape:
    """Read a template for people."""
    template = parse_template(text)
    segments = [segment.literal for segment in template.segments]
    names = [_label(segment.names) for segment in template.segments if segment.literal is None]
    if template.tail is not None:
        segments, names = [*segments, None], [*names, _label(template.tail)]
    return Shape(tuple(segments), tuple(names), template.tail is not None)


def _label(names: tuple[bytes, ...]) -> str:
    return names[0].decode() if names else "value"
