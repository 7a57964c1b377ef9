"""What each page, form and live stream of the panel asks, one row a route. The guard goes by it before any handler."""

from collections.abc import Iterable

from aiohttp import web

from ringback.core.grants import Way
from ringback.core.operations import About, Free, Operation, Surface
from ringback.core.permissions import Action


def _page(path: str, needs: Action | Free, about: About = About.HOUSE, way: Way | None = None) -> Operation:
    return Operation(Surface.PAGE, "GET", path, needs, about, way)


def _form(path: str, needs: Action | Free, about: About = About.HOUSE, way: Way | None = None) -> Operation:
    return Operation(Surface.PAGE, "POST", path, needs, about, way)


FILE = 9 * 1024 * 1024
"""A file of at most 8 MB, and the form around it."""


def _upload(path: str, needs: Action) -> Operation:
    """A form that brings a file."""
    return Operation(Surface.PAGE, "POST", path, needs, body=FILE)


def _stream(path: str, needs: Action | Free, about: About = About.HOUSE, way: Way | None = None) -> Operation:
    return Operation(Surface.STREAM, "GET", path, needs, about, way)


OPERATIONS: tuple[Operation, ...] = (
    # for everybody
    _page("/static/{name}", Free.ANYBODY),
    _page("/healthz", Free.ANYBODY),
    _page("/readyz", Free.ANYBODY),
    _page("/metrics", Free.ANYBODY),
    _page("/login", Free.ANYBODY),
    _form("/login", Free.ANYBODY),
    _page("/login/code", Free.ANYBODY),
    _form("/login/code", Free.ANYBODY),
    _page("/login/oidc", Free.ANYBODY),
    _page("/login/oidc/back", Free.ANYBODY),
    _page("/login/oidc/leave", Free.ANYBODY),
    _page("/reset", Free.ANYBODY),
    _form("/reset", Free.ANYBODY),
    _form("/logout", Free.LOGGED_IN, About.OWN),
    _form("/theme", Free.LOGGED_IN, About.OWN),
    _page("/", Free.LOGGED_IN, About.OWN),
    _page("/more", Free.LOGGED_IN, About.OWN),
    # oneself
    _page("/profile", Action.READ_OWN, About.OWN),
    _form("/profile/password", Action.READ_OWN, About.OWN),
    _form("/profile/language", Action.READ_OWN, About.OWN),
    _form("/profile/keys", Action.READ_OWN, About.OWN),
    _form("/profile/logout-everywhere", Action.READ_OWN, About.OWN),
    _page("/profile/second-factor", Action.READ_OWN, About.OWN),
    _form("/profile/second-factor", Action.READ_OWN, About.OWN),
    _form("/profile/second-factor/begin", Action.READ_OWN, About.OWN),
    _form("/profile/second-factor/codes", Action.READ_OWN, About.OWN),
    _form("/profile/second-factor/off", Action.READ_OWN, About.OWN),
    # threads and texts
    _page("/threads", Action.READ_THREADS, About.LIST, Way.RECEIVE),
    _stream("/threads/events", Action.READ_THREADS, About.LIST, Way.RECEIVE),
    _page("/threads/search", Action.READ_THREADS, About.LIST, Way.RECEIVE),
    _page("/threads/{thread}", Action.READ_THREADS, About.THREAD, Way.RECEIVE),
    _stream("/threads/{thread}/events", Action.READ_THREADS, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/texts", Action.REPLY, About.THREAD, Way.SEND),
    _form("/threads/{thread}/advice", Action.READ_THREADS, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/read", Action.READ_THREADS, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/answered", Action.SETTLE, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/opt-out", Action.SETTLE, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/opt-in", Action.SETTLE, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/consent", Action.SETTLE, About.THREAD, Way.RECEIVE),
    _form("/texts/{text}/resolve", Action.SETTLE, About.TEXT, Way.RECEIVE),
    _form("/texts/{text}/undo", Action.SETTLE, About.TEXT, Way.RECEIVE),
    _form("/texts/{text}/check", Action.SETTLE, About.TEXT, Way.RECEIVE),
    # sessions
    _page("/sessions", Action.TAKE_SESSIONS, About.LIST, Way.RECEIVE),
    _stream("/sessions/events", Action.TAKE_SESSIONS, About.LIST, Way.RECEIVE),
    _form("/sessions/at-desk", Action.TAKE_SESSIONS, About.OWN),
    _form("/sessions/{session}/claim", Action.TAKE_SESSIONS, About.SESSION, Way.SEND),
    _form("/sessions/{session}/accept", Action.TAKE_SESSIONS, About.SESSION, Way.SEND),
    _form("/sessions/{session}/decline", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/sessions/{session}/transfer", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/sessions/{session}/accept-transfer", Action.TAKE_SESSIONS, About.SESSION, Way.SEND),
    _form("/sessions/{session}/decline-transfer", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/sessions/{session}/take-back", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/sessions/{session}/give-back", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/sessions/{session}/dismiss", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/sessions/{session}/end", Action.TAKE_SESSIONS, About.SESSION, Way.RECEIVE),
    # calls and tasks
    _page("/calls", Action.READ_CALLS, About.LIST, Way.RECEIVE),
    _page("/calls/{call}", Action.READ_CALLS, About.CALL, Way.RECEIVE),
    _page("/tasks", Action.READ_THREADS, About.LIST, Way.RECEIVE),
    _stream("/tasks/events", Action.READ_THREADS, About.LIST, Way.RECEIVE),
    _form("/tasks/{task}/close", Action.SETTLE, About.TASK, Way.RECEIVE),
    _form("/tasks/{task}/reopen", Action.SETTLE, About.TASK, Way.RECEIVE),
    _form("/tasks/{task}/opt-out", Action.SETTLE, About.TASK, Way.RECEIVE),
    _form("/tasks/{task}/resolve", Action.SETTLE, About.TASK, Way.RECEIVE),
    _form("/tasks/{task}/check", Action.SETTLE, About.TASK, Way.RECEIVE),
    # the house
    _page("/health", Action.READ_HEALTH),
    _form("/pause", Action.PAUSE),
    _page("/health/carriers/{name}", Action.MANAGE_CARRIERS, About.CARRIER),
    _form("/health/carriers/{name}/hold", Action.MANAGE_CARRIERS, About.CARRIER),
    _form("/health/carriers/{name}/release", Action.MANAGE_CARRIERS, About.CARRIER),
    _page("/settings", Action.READ_SETTINGS),
    # programs and runs
    _page("/api", Action.MANAGE_KEYS),
    _form("/api/keys", Action.MANAGE_KEYS),
    _page("/api/keys/{id}", Action.MANAGE_KEYS, About.KEY),
    _form("/api/keys/{id}/revoke", Action.MANAGE_KEYS, About.KEY),
    _page("/api/runs", Action.SEND_BULK, About.LIST, Way.RECEIVE),
    _page("/api/runs/{id}", Action.SEND_BULK, About.RUN, Way.RECEIVE),
    _form("/api/runs/{id}/cancel", Action.SEND_BULK, About.RUN, Way.BULK),
    _form("/api/runs/{id}/{way}", Action.SEND_BULK, About.RUN, Way.BULK),
    # users
    _page("/users", Action.MANAGE_USERS),
    _form("/users", Action.MANAGE_USERS),
    _page("/users/export", Action.MANAGE_USERS),
    _page("/users/import", Action.MANAGE_USERS),
    _upload("/users/import", Action.MANAGE_USERS),
    _page("/users/import/{id}", Action.MANAGE_USERS),
    _form("/users/import/{id}", Action.MANAGE_USERS),
    _page("/users/{id}", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/details", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/role", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/join", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/users/{id}/leave", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/users/{id}/password", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/disable", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/enable", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/logout", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/reset", Action.MANAGE_USERS, About.PERSON),
    _form("/users/{id}/totp-off", Action.MANAGE_USERS, About.PERSON),
    # who may text whom
    _page("/permissions", Action.READ_PERMISSIONS),
    _form("/permissions/draft", Action.MANAGE_PERMISSIONS),
    _form("/permissions/drop", Action.MANAGE_PERMISSIONS),
    _form("/permissions/everyone", Action.MANAGE_PERMISSIONS),
    _page("/permissions/preview", Action.MANAGE_PERMISSIONS),
    _form("/permissions/apply", Action.MANAGE_PERMISSIONS),
    _form("/permissions/undo", Action.MANAGE_PERMISSIONS),
    _page("/permissions/history", Action.READ_PERMISSIONS),
    _page("/permissions/bulk", Action.MANAGE_PERMISSIONS),
    _form("/permissions/bulk", Action.MANAGE_PERMISSIONS),
    _page("/permissions/copy", Action.MANAGE_PERMISSIONS),
    _form("/permissions/copy", Action.MANAGE_PERMISSIONS),
    _page("/permissions/why", Action.READ_PERMISSIONS),
    _form("/permissions/why", Action.MANAGE_PERMISSIONS),
    _page("/permissions/files", Action.READ_PERMISSIONS),
    _page("/permissions/export", Action.EXPORT),
    _upload("/permissions/import", Action.MANAGE_PERMISSIONS),
    _page("/permissions/of/{id}", Action.READ_PERMISSIONS, About.PERSON),
    _form("/permissions/of/{id}", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/permissions/of/{id}/allowance", Action.MANAGE_PERMISSIONS, About.PERSON),
    _page("/permissions/number/{number}", Action.READ_PERMISSIONS),
    _form("/permissions/number/{number}/allowance", Action.MANAGE_PERMISSIONS),
    _page("/permissions/mine", Action.READ_OWN, About.OWN),
    _form("/permissions/ask", Action.READ_OWN, About.OWN),
    _page("/threads/{thread}/person", Action.ERASE, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/person/file", Action.ERASE, About.THREAD, Way.RECEIVE),
    _form("/threads/{thread}/person/erase", Action.ERASE, About.THREAD, Way.RECEIVE),
    # the record
    _page("/audit", Action.READ_AUDIT),
    _form("/audit/check", Action.READ_AUDIT),
    _page("/audit/export", Action.EXPORT),
    # whom we never text
    _page("/lists", Action.READ_LISTS),
    _page("/lists/{list}", Action.READ_LISTS),
    _form("/lists/{list}/add", Action.MANAGE_LISTS),
    _form("/lists/{list}/remove", Action.MANAGE_LISTS),
    _page("/lists/{list}/import", Action.MANAGE_LISTS),
    _upload("/lists/{list}/import", Action.MANAGE_LISTS),
    _form("/lists/{list}/apply", Action.MANAGE_LISTS),
    _page("/lists/{list}/faults", Action.MANAGE_LISTS),
    _page("/lists/{list}/export", Action.EXPORT),
    _form("/staging", Action.MANAGE_LISTS),
    _form("/threads/{thread}/listed", Action.MANAGE_LISTS, About.THREAD, Way.RECEIVE),
    _form("/calls/{call}/opt-out", Action.SETTLE, About.CALL, Way.RECEIVE),
    # departments and numbers
    _page("/departments", Action.READ_PERMISSIONS),
    _form("/departments", Action.MANAGE_PERMISSIONS),
    _page("/departments/{id}", Action.READ_PERMISSIONS, About.PERSON),
    _form("/departments/{id}/name", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/departments/{id}/move", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/departments/{id}/join", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/departments/{id}/leave", Action.MANAGE_PERMISSIONS, About.PERSON),
    _page("/departments/{id}/remove", Action.MANAGE_PERMISSIONS, About.PERSON),
    _form("/departments/{id}/remove", Action.MANAGE_PERMISSIONS, About.PERSON),
    _page("/numbers", Action.READ_NUMBERS),
    _form("/numbers/groups", Action.MANAGE_NUMBERS),
    _page("/numbers/groups/{id}", Action.READ_NUMBERS, About.NUMBER),
    _form("/numbers/groups/{id}/name", Action.MANAGE_NUMBERS, About.NUMBER),
    _form("/numbers/groups/{id}/remove", Action.MANAGE_NUMBERS, About.NUMBER),
    _page("/numbers/{number}", Action.READ_NUMBERS, About.NUMBER),
    _form("/numbers/{number}/label", Action.MANAGE_NUMBERS, About.NUMBER),
    _form("/numbers/{number}/owner", Action.MANAGE_NUMBERS, About.NUMBER),
    _form("/numbers/{number}/outbound", Action.MANAGE_NUMBERS, About.NUMBER),
    # text queues, and the board
    _page("/queues", Action.READ_QUEUES),
    _page("/queues/new", Action.MANAGE_QUEUES),
    _form("/queues/new", Action.MANAGE_QUEUES),
    _page("/queues/map", Action.MANAGE_QUEUES),
    _form("/queues/map", Action.MANAGE_QUEUES),
    _page("/queues/agents", Action.READ_QUEUES),
    _form("/queues/agents", Action.MANAGE_QUEUES),
    _page("/queues/{id}", Action.READ_QUEUES, About.QUEUE),
    _form("/queues/{id}", Action.MANAGE_QUEUES, About.QUEUE),
    _page("/queues/{id}/remove", Action.MANAGE_QUEUES, About.QUEUE),
    _form("/queues/{id}/remove", Action.MANAGE_QUEUES, About.QUEUE),
    _page("/board", Action.READ_BOARD, About.LIST, Way.RECEIVE),
    _stream("/board/events", Action.READ_BOARD, About.LIST, Way.RECEIVE),
    _page("/board/sessions/{session}", Action.ASSIGN_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/board/sessions/{session}/take-over", Action.ASSIGN_SESSIONS, About.SESSION, Way.SEND),
    _form("/board/sessions/{session}/give", Action.ASSIGN_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/board/sessions/{session}/queue", Action.ASSIGN_SESSIONS, About.SESSION, Way.RECEIVE),
    _form("/board/agents/{id}/away", Action.ASSIGN_SESSIONS, About.PERSON),
    # the handsets of the loopback carrier
    _page("/handset", Free.MACHINE),
    _page("/handset/{number}", Free.MACHINE),
    _stream("/handset/{number}/events", Free.MACHINE),
    _form("/handset/{number}/texts", Free.MACHINE),
    _form("/handset/{number}/behaviour", Free.MACHINE),
)

Table = dict[tuple[str, str], Operation]


def table_of(rows: Iterable[Operation]) -> Table:
    """Rows by method and path."""
    return {(row.method, row.path): row for row in rows}


TABLE = table_of(OPERATIONS)


def operation_of(request: web.Request, table: Table = TABLE) -> Operation | None:
    """The row of the route that a request met; None where there is no such page, or no row."""
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return None if resource is None else table.get((method, resource.canonical))


def without_row(app: web.Application, table: Table = TABLE) -> list[str]:
    """Routes that no row is for."""
    routes = [(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None]
    return sorted(f"{method} {path}" for method, path in routes if method != "HEAD" and (method, path) not in table)
