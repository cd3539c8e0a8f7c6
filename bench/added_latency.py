"""What does the gateway add to a request to WordPress?"""

import statistics

from bench.setting import Connection, Setting, alternating, summary

ROUNDS = 300
PATH = "/wp-json/wp/v2/posts"


def run(setting: Setting) -> None:
    """The same list of posts, from WordPress with an application password and through the gateway with a token."""
    direct, through = alternating(Connection(setting.direct), Connection(setting.through_gateway), PATH, rounds=ROUNDS)
    added = statistics.median(after - before for before, after in zip(direct, through, strict=True))
    print(f"  WordPress directly   {summary(direct)}")
    print(f"  through the gateway  {summary(through)}")
    print(f"  added, by pairs      {1000 * added:8.2f} ms at the median of {ROUNDS} pairs")
    print(f"  ratio of medians     {statistics.median(through) / statistics.median(direct):8.3f}")
