"""How long does a token take beside a request to WordPress, and does it write anything?"""

import statistics

from bench.setting import Connection, Setting, summary

ROUNDS = 300
PATH = "/wp-json/app-connect/v1/token"


def run(setting: Setting) -> None:
    """Tokens on one connection, and the size of the database's files before and after."""
    before = _database(setting)
    endpoint, wordpress = Connection(setting.token_endpoint), Connection(setting.direct)
    tokens = [endpoint.seconds("POST", PATH, "grant_type=client_credentials") for _ in range(ROUNDS)]
    calls = [wordpress.seconds("GET", "/wp-json/wp/v2/posts") for _ in range(ROUNDS // 10)]
    print(f"  a token              {summary(tokens)}")
    print(f"  a call to WordPress  {summary(calls)}")
    print(f"  ratio of medians     {statistics.median(tokens) / statistics.median(calls):8.3f}")
    print(f"  database written     {'no' if _database(setting) == before else 'yes'}")


def _database(setting: Setting) -> list[tuple[str, int, int]]:
    files = sorted(setting.gateway_folder.glob("app-connect.db*"))
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.suffix != ".db-shm"]
