"""The query as PHP reads it: what it makes of a raw name, and which names WordPress gives a meaning."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from appconnect.core.request import Pair, Refused, shown

MAX_QUERY_PARAMETERS: Final = 500
"""PHP drops those past `max_input_vars` (1000) in silence, a pin among them; half of that is ample for clients."""

CONSUMED_PARAMETERS: Final = frozenset((b"rest_route", b"_method", b"_wpnonce"))
_HIDING_PARAMETERS: Final = frozenset((b"_jsonp", b"_envelope"))  # they move status and headers into the body
ACCESS_TOKEN: Final = b"access_token"
_EARLY_PARAMETERS: Final = frozenset(  # core answers them before the route (`wp_start_scraping_edited_file_errors`)
    (b"wp_scrape_key", b"wp_scrape_nonce", b"wp_customize", b"customize_changeset_uuid", b"customize_theme")
)
_CREDENTIAL_PARAMETERS: Final = frozenset(  # RFC 6750 §2.3; WooCommerce's keys and OAuth 1, which outrank our password
    (ACCESS_TOKEN, b"consumer_key", b"consumer_secret", b"oauth_consumer_key", b"oauth_token", b"oauth_signature")
)
_UNSUPPORTED_PARAMETERS: Final = _HIDING_PARAMETERS | _EARLY_PARAMETERS
_SPECIAL_PARAMETERS: Final = CONSUMED_PARAMETERS | _UNSUPPORTED_PARAMETERS | _CREDENTIAL_PARAMETERS | {b"_embed"}
_is_word: Final = re.compile(rb"[\w-]+").fullmatch
"""Most names are words, and PHP makes nothing else of them."""


def php_name(raw: bytes) -> bytes:
    """The variable that PHP makes of a decoded parameter name (`php_register_variable_ex`), without array indexes.

    Empty where PHP drops the parameter.
    """
    if _is_word(raw):
        return raw
    name = raw.split(b"\0", 1)[0].lstrip(b" ")
    base, bracket, rest = name.partition(b"[")
    base = re.sub(rb"[ .]", b"_", base)
    if not base:
        return b""
    if bracket and b"]" not in rest:
        return base + b"_" + re.sub(rb"[ .\[]", b"_", rest)
    return base


def decode(text: bytes) -> bytes:
    """`php_url_decode`: `+` is a space, and a `%` that encodes nothing is itself."""
    text = text.replace(b"+", b" ")
    return unquote_to_bytes(text) if b"%" in text else text


def split_pairs(raw: bytes, *, most: int) -> tuple[Pair, ...]:
    """Names and values, decoded, as PHP splits a query or a form (`php_default_treat_data`: only `&` separates)."""
    if not raw:
        return ()
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > most:
        raise Refused(400, "too_many_parameters", f"At most {most} parameters are accepted.")
    parted = [piece.partition(b"=") for piece in pieces]
    if b"%" in raw or b"+" in raw:
        return tuple([(decode(name), decode(value)) for name, _, value in parted])
    return tuple([(name, value) for name, _, value in parted])


class Query(NamedTuple):
    """The parameters of a query in their order; `special` are those among them to which WordPress gives a meaning."""

    pairs: tuple[Pair, ...]
    special: tuple[Pair, ...]


def parse_query(raw: bytes) -> Query:
    """Read a query, each name that PHP or WordPress gives a meaning in its one spelling; `Refused` otherwise."""
    if not raw:
        return _EMPTY
    pairs, special = split_pairs(raw, most=MAX_QUERY_PARAMETERS), []
    for pair in pairs:
        name = pair[0]
        read = _read_name(name) if len(name) <= _MAX_REMEMBERED_BYTES else _read_name.__wrapped__(name)
        if read.is_refused:
            raise _refusal_of(name) or AssertionError
        if read.is_special:
            special.append(pair)
    return Query(pairs, tuple(special) if special else ())


class _Name(NamedTuple):
    """What a parameter's name alone says: whether it is refused, and whether it has a meaning."""

    is_refused: bool
    is_special: bool


@lru_cache(maxsize=1024)
def _read_name(name: bytes) -> _Name:
    """Names are few, and come again with each request."""
    return _Name(_refusal_of(name) is not None, php_name(name) in _SPECIAL_PARAMETERS)


def _refusal_of(name: bytes) -> Refused | None:
    read_as = php_name(name)
    if read_as in _CREDENTIAL_PARAMETERS:
        return Refused(400, "invalid_request", f"{shown(read_as)} is a second credential. Send the token alone.")
    if b"\0" in name or (read_as in _SPECIAL_PARAMETERS and not _is_plain(name, read_as)):
        return Refused(400, "ambiguous_parameter", f"PHP would read a parameter as {shown(read_as)!r}: spell it so.")
    if read_as in _UNSUPPORTED_PARAMETERS:
        problem = f"{shown(name)} is not supported: WordPress would not answer as the route does."
        return Refused(400, "unsupported_parameter", problem)
    return None


_EMPTY: Final = Query((), ())
_MAX_REMEMBERED_BYTES: Final = 64


def encode_query(pairs: Sequence[Pair]) -> str:
    """A query that PHP reads as these pairs: whatever is no letter, digit, `-`, `.`, `_` or `~` encoded."""
    plain = b"&".join(map(_with_equals, pairs))
    if _has_words(plain) and plain.count(b"=") == len(pairs) == plain.count(b"&") + 1:
        return plain.decode("ascii")
    return "&".join([f"{quote_from_bytes(name, safe='')}={quote_from_bytes(value, safe='')}" for name, value in pairs])


_with_equals: Final = b"=".join
_has_words: Final = re.compile(rb"[\w&=-]+").fullmatch
"""Most pairs are words, and then nothing in them is encoded."""


def check_names(form: Iterable[Pair]) -> None:
    """`Refused` for a form with a name by which core would act before the route, or take a second credential."""
    for read_as in (php_name(name) for name, _ in form):
        if read_as == ACCESS_TOKEN:
            raise Refused(400, "invalid_request", "access_token is a second credential. Send the token alone.")
        if read_as in _EARLY_PARAMETERS:
            problem = f"{shown(read_as)} is not supported: WordPress would not answer as the route does."
            raise Refused(400, "unsupported_parameter", problem)


def access_tokens(pairs: Iterable[Pair]) -> tuple[bytes, ...]:
    """What stands where RFC 6750 §2.2 and §2.3 put a token, in any spelling that PHP would read so."""
    return tuple(value for name, value in pairs if php_name(name) == ACCESS_TOKEN)


def _is_plain(name: bytes, read_as: bytes) -> bool:
    """`rest_parse_embed_param` takes `_embed[]` as a list; every other special parameter is a single value."""
    return name == read_as or (read_as == b"_embed" and name == b"_embed[]")


# -- arrays -----------------------------------------------------------------------------------------------------------

_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
_ARRAY_NAME: Final = re.compile(r"([^\[\] .\0]+)((?:\[(?!\d{18})[^\[\] \t-\r\0]*\]){0,64})", re.ASCII)
"""Without what PHP cuts off (NUL), trims (spaces), cannot count, or drops (`max_input_nesting_level`)."""


def parse_arrays(pairs: Iterable[Pair]) -> dict[str, Any]:
    """What PHP makes of names such as `a[b][]` (`php_register_variable_ex`), arrays as dicts.

    Names that it would mend, and places that are filled twice, are `Refused`: they are no honest client's.
    """
    root: dict[str, Any] = {}
    free: dict[int, int] = {}
    for name, value in pairs:
        try:
            text, found = value.decode("utf-8"), _ARRAY_NAME.fullmatch(name.decode("utf-8"))
        except UnicodeDecodeError:
            raise Refused(400, "ambiguous_parameter", f"The parameter {shown(name)!r} is not UTF-8.") from None
        if found is None:
            raise Refused(400, "ambiguous_parameter", f"PHP would not read {shown(name)!r} as it is written.")
        _put(root, free, [found[1], *re.findall(r"\[([^\]]*)\]", found[2])], text, shown(name))
    return root


def _put(root: dict[str, Any], free: dict[int, int], keys: list[str], value: str, name: str) -> None:
    """Set one value; `free` has the index that `[]` is next, by the identity of an array (`nNextFreeElement`)."""
    array: Any = root
    for at, given in enumerate(keys):
        key = given or str(free.get(id(array), 0))
        if _INDEX.fullmatch(key):
            free[id(array)] = max(free.get(id(array), 0), int(key) + 1)
        is_last = at == len(keys) - 1
        if is_last and key not in array:
            array[key] = value
            return
        array = array.setdefault(key, {})
        if is_last or not isinstance(array, dict):
            raise Refused(400, "ambiguous_parameter", f"The parameter {name!r} says again what another has said.")
