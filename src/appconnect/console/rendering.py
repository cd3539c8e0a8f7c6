"""Pages from templates, and the files that they are dressed with, under names that change with their content."""

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from appconnect.console.filters import FILTERS
from appconnect.console.guard import content_security_policy
from appconnect.console.web import PREFIX, Notice, Shown, Visit

STATIC: Final = f"{PREFIX}/static"
_YEAR: Final = "public, max-age=31536000, immutable"


class Static:
    """Style sheet and scripts, read once; the address has a hash of the content and may be cached for ever."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str, bytes]] = {}
        for file in files("appconnect.console").joinpath("static").iterdir():
            if file.name.endswith((".css", ".js", ".svg")):
                content = file.read_bytes()
                self._files[file.name] = (hashlib.sha256(content).hexdigest()[:12], content)

    def address(self, name: str) -> str:
        """Where a file is now."""
        return f"{STATIC}/{self._files[name][0]}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer with a file."""
        digest, content = self._files.get(request.path_params["name"], ("", b""))
        if not digest or digest != request.path_params["digest"]:
            raise HTTPException(404)
        media_type = mimetypes.guess_type(request.path_params["name"])[0]
        return Response(content, headers={"cache-control": _YEAR}, media_type=media_type)


class Renderer:
    """Templates with what every page has: who is signed in, the site, and the notices left for it."""

    def __init__(self, static: Static) -> None:
        self._globals = {"static": static.address, "url": lambda path: PREFIX + path}

    def page(self, shown: Shown, visit: Visit | None, section: str, notices: tuple[Notice, ...]) -> Response:
        """A page, or the part of it that htmx asks for."""
        is_part = shown.partial is not None and visit is not None and visit.is_partial
        template = shown.partial if is_part else shown.template
        assert template is not None
        values: dict[str, Any] = {
            "section": section,
            "user": visit.session.login if visit and visit.session else None,
            "site": visit.card if visit else None,
            "notices": (*notices, *shown.notices),
            "problems": shown.problems,
            **shown.values,
        }
        headers = {"content-security-policy": content_security_policy(shown.form_targets)}
        if shown.partial is not None:
            headers["vary"] = "HX-Request"
        return HTMLResponse(self._render(template, values), shown.status, headers)

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        return templates().get_template(template, globals=self._globals).render(values)


@cache
def templates() -> Environment:
    """The templates of this installation, compiled once however many applications a process has."""
    environment = Environment(
        loader=PackageLoader("appconnect.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment
