"""The query as PHP reads it: what it makes of a raw name, and which names WordPress gives a meaning."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from appconnect.core.request import Pair, Refused, shown

MAX_QUERY_PARAMETERS: Final = 500
"""PHP drops those past `max_input_vars` (1000) in silence, a pin among them; half of that is ample for clients."""

CONSUMED_PARAMETERS: Final = frozenset((b"rest_route", b"_method", b"_wpnonce"))
_REFUSED_PARAMETERS: Final = frozenset((b"_jsonp", b"_envelope"))  # they move status and headers into the body
_SPECIAL_PARAMETERS: Final = CONSUMED_PARAMETERS | _REFUSED_PARAMETERS | {b"_embed"}


def php_name(raw: bytes) -> bytes:
    """The variable that PHP makes of a decoded parameter name (`php_register_variable_ex`), without array indexes.

    Empty where PHP drops the parameter.
    """
    name = raw.split(b"\0", 1)[0].lstrip(b" ")
    base, bracket, rest = name.partition(b"[")
    base = re.sub(rb"[ .]", b"_", base)
    if not base:
        return b""
    if bracket and b"]" not in rest:
        return base + b"_" + re.sub(rb"[ .\[]", b"_", rest)
    return base


def parse_query(raw: bytes) -> tuple[Pair, ...]:
    """Read a query as PHP does (`php_default_treat_data`: `&` separates, `+` is a space), values left as bytes."""
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > MAX_QUERY_PARAMETERS:
        raise Refused(400, "too_many_parameters", f"At most {MAX_QUERY_PARAMETERS} query parameters are accepted.")
    pairs = []
    for piece in pieces:
        raw_name, _, raw_value = piece.partition(b"=")
        name, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in (raw_name, raw_value))
        read_as = php_name(name)
        if b"\0" in name or (read_as in _SPECIAL_PARAMETERS and not _is_plain(name, read_as)):
            raise Refused(400, "ambiguous_parameter", f"PHP would read a parameter as {shown(read_as)!r}: spell it so.")
        if read_as in _REFUSED_PARAMETERS:
            raise Refused(400, "unsupported_parameter", f"{shown(name)} is not supported: it hides status and headers.")
        pairs.append((name, value))
    return tuple(pairs)


def _is_plain(name: bytes, read_as: bytes) -> bool:
    """`rest_parse_embed_param` takes `_embed[]` as a list; every other special parameter is a single value."""
    return name == read_as or (read_as == b"_embed" and name == b"_embed[]")
