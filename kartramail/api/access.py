"""Who calls the API: a Bearer key, and the account that it belongs to. Problems as RFC 9457."""

import json
from typing import Any

from flask import Flask, Response, g, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException

from kartramail.accounts.api_keys import find_api_key, is_use_worth_noting, note_key_use
from kartramail.accounts.models import ApiKey
from kartramail.web.access import database

SECURITY: list[dict[str, list[str]]] = [{"key": []}]
SECURITY_SCHEMES: dict[str, Any] = {"key": {"type": "http", "scheme": "bearer"}}

# The description is public; an address that does not exist is answered as such.
_OPEN = ("openapi.doc_url", None)


class Problem(BaseModel):
    """A fault in the manner of RFC 9457. `errors` lists what is wrong, each with its place."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    code: str | None = None
    errors: list[dict[str, Any]] | None = None


class ApiProblem(HTTPException):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.code = problem.status
        self.response = _respond(problem, headers)


def _respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    response = jsonify(problem.model_dump(exclude_none=True))
    response.status_code = problem.status
    response.mimetype = "application/problem+json"
    response.headers.update(headers or {})
    return response


def refuse(
    status: int,
    title: str,
    detail: str | None = None,
    *,
    code: str | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> ApiProblem:
    """The problem to raise."""
    return ApiProblem(Problem(title=title, status=status, detail=detail, code=code, errors=errors))


def api_account() -> int:
    """The account of this request's key. Raises a 401 problem without a valid one."""
    if "api_account" not in g:
        scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
        key = _find_key(raw.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise ApiProblem(
                Problem(
                    title="No valid API key",
                    status=401,
                    detail="Send a key of yours in the header: Authorization: Bearer km_… "
                    "Keys are made under Settings, API keys.",
                    code="unauthorized",
                ),
                {"WWW-Authenticate": 'Bearer realm="KartraMail"'},
            )
        g.api_account = key.account_id
    return int(g.api_account)


def by_account() -> str:
    """One account's share of what is limited in rate."""
    return f"account:{api_account()}"


def _show_too_deep(_: RecursionError) -> Response:
    """The JSON reader gives up on a body such as [[[[…: that is the caller's fault, not ours."""
    return _respond(
        Problem(
            title="That request does not fit",
            status=422,
            detail="The body is nested too deeply.",
            code="invalid",
        )
    )


def _find_key(raw: str) -> ApiKey | None:
    with database().reading() as session:
        key = find_api_key(session, raw)
    if key is not None and is_use_worth_noting(key):
        with database().transaction() as session:
            note_key_use(session, key)
    return key


def init_api(app: Flask) -> None:
    """Ask for a key before anything else is looked at, and answer every fault as a problem."""
    app.register_error_handler(ValidationError, show_validation_error)
    app.register_error_handler(RecursionError, _show_too_deep)

    @app.before_request
    def ask_for_key() -> None:
        if request.path.startswith("/api/v1/") and request.endpoint not in _OPEN:
            api_account()


def show_validation_error(error: ValidationError) -> Response:
    """What is wrong with a body, each fault with its place as a JSON pointer (RFC 6901)."""
    unread = _explain_unread()
    if unread is not None:
        return unread
    faults = [
        {
            "pointer": "/" + "/".join(str(step) for step in fault["loc"]),
            "detail": fault["msg"].removeprefix("Value error, "),
        }
        for fault in error.errors()
    ]
    first = faults[0]
    return _respond(
        Problem(
            title="That request does not fit",
            status=422,
            detail=f"{first['pointer']}: {first['detail']}",
            code="invalid",
            errors=faults,
        )
    )


def _explain_unread() -> Response | None:
    """The problem of a body that is no JSON object, None where it is one: then it can be judged."""
    if request.method not in ("POST", "PUT", "PATCH"):
        return None
    if not request.is_json:
        return _respond(
            Problem(
                title="That body is not JSON",
                status=415,
                detail="Send JSON, and say so in the header: Content-Type: application/json",
                code="not_json",
            )
        )
    try:
        body = json.loads(request.get_data())
    except ValueError as error:
        return _respond(
            Problem(
                title="That JSON cannot be read",
                status=400,
                detail=_where_json_ends(error),
                code="malformed",
            )
        )
    if isinstance(body, dict):
        return None
    return _respond(
        Problem(
            title="That request does not fit",
            status=422,
            detail='The body must be a JSON object: {"name": "value"}.',
            code="invalid",
        )
    )


def _where_json_ends(error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return "The body must be JSON in UTF-8, without numbers of thousands of digits."
    if not error.doc.strip():
        return "The body is empty. Send a JSON object."
    return (
        f"At line {error.lineno}, column {error.colno} something else was expected "
        f"({error.msg}). Look there for a missing quote, comma or bracket."
    )
