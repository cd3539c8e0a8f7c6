"""Allowlists drawn by chance from all that a site's index lists, so that no client is one that we thought of."""

import json
import random
import re

from demo.wordpress.servers import RunningSite

CLIENTS, RULES_OF_EACH = 4, 5

_LIST = """
$all = [];
foreach (rest_get_server()->get_routes() as $route => $handlers) {
    foreach ($handlers as $handler) {
        $all[] = [array_keys($handler['methods']), $route];
    }
}
echo json_encode($all);
"""
_GROUP = re.compile(r"\(\?P<(\w+)>((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
_TEXTS = {"type": "post", "taxonomy": "category", "status": "publish", "plugin": "akismet/akismet", "user_id": "me"}
_NUMBERS = ("<mine>", "<other>", "<me>", "1")


def drawn_allowlists(running: RunningSite, seed: int) -> list[tuple[str, ...]]:
    """The rules of some clients, the same ones for a seed and a release of WordPress."""
    chance = random.Random(seed)  # noqa: S311  # nothing here is a secret
    routes = [(method, route) for methods, route in json.loads(running.site.php(_LIST)) for method in methods]
    return [tuple(_rule(chance, *chance.choice(routes)) for _ in range(RULES_OF_EACH)) for _ in range(CLIENTS)]


def _rule(chance: random.Random, method: str, template: str) -> str:
    """A rule that opens the template's route, as narrow or wide as chance has it; writing is opened route by route."""
    path = _GROUP.sub(lambda found: _value(chance, found[1], found[2]), template)
    head, _, last = path.rpartition("/")
    if last and method == "GET" and chance.random() < 0.2:
        path = f"{head}/{chance.choice(('*', '**'))}"
    return f"{method} /wp-json{path.upper() if '<' not in path and chance.random() < 0.1 else path}"


def _value(chance: random.Random, name: str, pattern: str) -> str:
    if r"\d" in pattern and name != "user_id":
        return chance.choice((*_NUMBERS, "*"))
    return _TEXTS.get(name, "*")
