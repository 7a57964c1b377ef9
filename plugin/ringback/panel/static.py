"""The files of web/static, read once at start. Their addresses carry a hash, so a browser may keep them for a year."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import web

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    digest: str
    content_type: str


class StaticFiles:
    """Only what was in the folder at start is served, so an address cannot reach out of it."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES}

    def url(self, name: str) -> str:
        """The address for a template. KeyError if there is no such file."""
        return f"/static/{name}?v={self._files[name].digest}"

    async def serve(self, request: web.Request) -> web.Response:
        """Answer with the file, or 304 if the browser has it."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        keep = FOR_EVER if request.query.get("v") == file.digest else ASK_AGAIN
        headers = {"ETag": f'"{file.digest}"', "Cache-Control": keep}
        if any(tag.value == file.digest for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, content_type=file.content_type, charset="utf-8", headers=headers)


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, sha256(body).hexdigest()[:20], TYPES[path.suffix])
