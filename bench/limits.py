"""What limits an aim that is not met, and what was tried: written by people, by the aim's text, after a whole run."""

from collections.abc import Mapping
from typing import Final

_INTERPRETER: Final = (
    "The interpreter. About a quarter of a request's CPU time is the kernel's, for two reads and two writes; the rest "
    "is Python, spread so flat that no function has a tenth of it. "
    "Tried and kept: an HTTP client of our own instead of aiohttp, heads read by one expression instead of a call for "
    "each field, what follows from equal bytes remembered, one task instead of three, one write to each side, request "
    "lines written together; a request takes about a quarter of the CPU time that it took before. "
    "Tried without effect: other settings of the collector of cycles; and the modules of a request compiled with mypyc "
    "as they are, by which a request takes a tenth longer: the time is in calls between objects, and in the library of "
    "C beneath, not in the interpreter's loop."
)
_NGINX: Final = (
    f"{_INTERPRETER} nginx carries the bytes in C and asks Python for the decision alone: ours, by the same code, "
    "but without log, activity, limits and credential health."
)
_ENVOY: Final = (
    f"{_INTERPRETER} Envoy is compiled, remembers verified tokens as we do, and logs and records nothing here."
)
_CADDY: Final = f"{_INTERPRETER} Caddy is compiled, and asks the Python service for each request."
_REFUSALS: Final = (
    "The interpreter, as for permitted requests. A refusal of ours says which rule would have allowed the request, is "
    "logged, and is kept for the console; the peer's is a bare 403. "
    "Tried and kept: no copy of a record that needs no change, the rule checked without being read again, the "
    "challenge made once; a quarter less."
)

LIMITS: Final[Mapping[str, str]] = {
    **{
        f"permitted, 8 KB, {connections} connections, per core, beside {peer}": limit
        for connections in (16, 64)
        for peer, limit in (
            ("nginx auth_request + Python", _NGINX),
            ("Envoy jwt_authn + rbac", _ENVOY),
            ("Caddy forward_auth + Python", _CADDY),
        )
    },
    "256 KB down, per core, beside nginx proxying alone": (
        "Two copies of each byte between the kernel and Python's objects. The rounds are on both sides of the aim. "
        "Tried and kept: a body of known length is counted and not parsed."
    ),
    "throughput on real WordPress, beside WordPress itself": (
        "Whatever stands between takes the caches that 40 ms of PHP need: nginx that only proxies, measured beside us, "
        "loses the same within the spread. With our own CPU, a request takes 1% more of it than without us. Runs were "
        "on both sides of the aim (0.94 to 1.13 in three of them), as PHP's own speed is not steady to 2%."
    ),
    "more than WordPress itself at the median": (
        "Most of it is what nginx that only proxies adds in our place: a second connection, and two more wakes of a "
        "process whose caches 40 ms of PHP left cold. Runs were on both sides of the aim (0.57 and 1.12 ms). "
        "Tried: aiohttp in the place of our client adds as much."
    ),
    "start to first request": (
        "Imports, once for the command and once for the worker that takes its place: SQLAlchemy, Typer and Starlette "
        "are most of them. Tried and kept: a command imports nothing that serves requests; a quarter less. Runs were "
        "on both sides of the aim."
    ),
    "tokens per CPU-second, beside Authlib on Flask, its client in memory": (
        "The signature, and the HTTP around it. Authlib so is not as documented: it reads no client from a database "
        "and stores no token. Tried and kept: the token's compact form written without the checks of its parts that a "
        "library makes, the list of routes written once for each policy."
    ),
    "refusals, per core, beside nginx auth_request + Python": _REFUSALS,
    "refusals, per core, beside WordPress itself": _REFUSALS,
}
