"""Commands for a new client, filled in: a token, and the first call that its allowlist allows."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote

from appconnect.core.policy import Policy
from appconnect.core.rules import DOUBLE_STAR, REST_PREFIX, STAR, Method

_DEFAULT_PATH: Final = f"{REST_PREFIX}/wp/v2/posts"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to begin with. `placeholder` is what stands for a wildcard in it, to be replaced; empty for none."""

    method: str
    path: str
    placeholder: str = ""

    @classmethod
    def first_of(cls, policy: Policy) -> Self:
        """The first GET rule that is spelled out, or else the first rule of whatever kind."""
        reading = [rule for rule in policy.rules if rule.method is Method.GET]
        plain = [rule for rule in reading if not {STAR, DOUBLE_STAR} & set(rule.segments)]
        rule = next(iter((*plain, *reading, *policy.rules)), None)
        if rule is None:
            return cls(Method.GET.value, _DEFAULT_PATH)
        has_wildcard = bool({STAR, DOUBLE_STAR} & set(rule.segments))
        # An object that is only read may well be there; what changes something shall first be told what.
        example = ("1" if rule.method is Method.GET else "ID") if has_wildcard else ""
        path = "/".join(example if segment in (STAR, DOUBLE_STAR) else segment for segment in rule.segments)
        return cls(rule.method.value, quote(f"{REST_PREFIX}/{path}"), example)


@dataclass(frozen=True, slots=True)
class Example:
    """A program in one language."""

    id: str
    label: str
    kind: str
    """What it is, above its text."""
    text: str


def examples(
    site_url: str, client_id: str, client_secret: str, call: Call, *, can_publish: bool = False
) -> list[Example]:
    """The same in curl, Python, Node and PHP; nothing in it needs quoting, as the path is percent-encoded.

    Where the client can publish, which is what most are for, commands that do so follow.
    """
    filled = {
        "SITE_URL": site_url,
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": client_secret,
        "METHOD": call.method,
        "PATH": call.path,
    }
    is_reading = call.method == Method.GET
    shown = [
        Example(id_, label, kind, _filled(begin + (read if is_reading else write), filled))
        for id_, label, kind, begin, read, write in _LANGUAGES
    ]
    publish = Example("publish", "Publish a post, with curl", "Commands for a shell", _filled(_CURL + _PUBLISH, filled))
    return [*shown, publish] if can_publish else shown


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text.strip()


_CURL: Final = r"""
ANSWER=$(curl -s -X POST "<SITE_URL>/wp-json/app-connect/v1/token" \
  -u "<CLIENT_ID>:<CLIENT_SECRET>" --data-urlencode "grant_type=client_credentials")
TOKEN=$(echo "$ANSWER" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
[ -n "$TOKEN" ] || echo "No access token: $ANSWER"
"""
_CURL_READ: Final = """[ -n "$TOKEN" ] && curl -s "<SITE_URL><PATH>" -H "Authorization: Bearer $TOKEN"
"""
_CURL_WRITE: Final = r"""[ -n "$TOKEN" ] && curl -s -X <METHOD> "<SITE_URL><PATH>" -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" -d '{}'
"""
_PUBLISH: Final = r"""[ -n "$TOKEN" ] && curl -s -X POST "<SITE_URL>/wp-json/wp/v2/posts" \
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
  -d '{"title": "Hello from <CLIENT_ID>", "status": "publish"}'
"""
_PYTHON: Final = """
import httpx
from appconnect.client import AppConnect

site = "<SITE_URL>"
auth = AppConnect(site, "<CLIENT_ID>", "<CLIENT_SECRET>")
with httpx.Client(base_url=site, auth=auth) as http:
"""
_PYTHON_READ: Final = """    answer = http.get("<PATH>")
    print(answer.status_code, answer.json())
"""
_PYTHON_WRITE: Final = """    answer = http.request("<METHOD>", "<PATH>", json={})
    print(answer.status_code, answer.json())
"""
_NODE: Final = """
const site = "<SITE_URL>";
const basic = Buffer.from("<CLIENT_ID>:<CLIENT_SECRET>").toString("base64");
const token = await fetch(`${site}/wp-json/app-connect/v1/token`, {
  method: "POST",
  headers: { Authorization: `Basic ${basic}` },
  body: new URLSearchParams({ grant_type: "client_credentials" }),
}).then((answer) => answer.json());

const answer = await fetch(`${site}<PATH>`, {
"""
_NODE_READ: Final = """  headers: { Authorization: `Bearer ${token.access_token}` },
});
console.log(await answer.json());
"""
_NODE_WRITE: Final = """  method: "<METHOD>",
  headers: { Authorization: `Bearer ${token.access_token}`, "Content-Type": "application/json" },
  body: JSON.stringify({}),
});
console.log(await answer.json());
"""
_PHP: Final = """
<?php
function call(string $method, string $path, array $headers, string $body = ''): string
{
    $options = ['method' => $method, 'header' => $headers, 'content' => $body, 'ignore_errors' => true];
    return file_get_contents('<SITE_URL>' . $path, false, stream_context_create(['http' => $options]));
}

$basic = base64_encode('<CLIENT_ID>:<CLIENT_SECRET>');
$headers = ["Authorization: Basic $basic", 'Content-Type: application/x-www-form-urlencoded'];
$token = json_decode(call('POST', '/wp-json/app-connect/v1/token', $headers, 'grant_type=client_credentials'), true);

"""
_PHP_READ: Final = """echo call('GET', '<PATH>', ["Authorization: Bearer {$token['access_token']}"]), "\\n";
"""
_PHP_WRITE: Final = """$headers = ["Authorization: Bearer {$token['access_token']}", 'Content-Type: application/json'];
echo call('<METHOD>', '<PATH>', $headers, '{}'), "\\n";
"""
_LANGUAGES: Final = (
    ("curl", "curl", "Commands for a shell", _CURL, _CURL_READ, _CURL_WRITE),
    ("python", "Python, with the client library", "A program", _PYTHON, _PYTHON_READ, _PYTHON_WRITE),
    ("node", "Node", "A module", _NODE, _NODE_READ, _NODE_WRITE),
    ("php", "PHP", "A script", _PHP, _PHP_READ, _PHP_WRITE),
)
