"""`/api/v1/senders`: who an account's messages can come from (R-SENDERS)."""

from collections.abc import Mapping
from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from sqlmodel import Session

from kartramail.api.access import SECURITY, ApiProblem, Problem, api_account, by_account, refuse
from kartramail.api.once import answer_once
from kartramail.api.paging import read_cursor
from kartramail.api.sender_shapes import (
    NewSender,
    PageQuery,
    Replacement,
    SavedSender,
    SenderChange,
    SenderList,
    SenderPath,
)
from kartramail.domains.models import DomainState
from kartramail.errors import NotFound
from kartramail.ids import read_id, show_id
from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.further import (
    TooMany,
    add_sender,
    edit_sender,
    load_sender,
    load_sender_page,
    remove_sender,
)
from kartramail.senders.low_delivery import FIELD, accept_low_delivery, require_tick
from kartramail.senders.removal import InUse, IsDefault, Removed
from kartramail.senders.rows import SenderView
from kartramail.senders.saving import Conflict, SenderDetails
from kartramail.senders.standing import (
    Proof,
    SenderStanding,
    load_standings,
    sender_standing,
)
from kartramail.senders.submission import judge_submission
from kartramail.web.access import database, installation
from kartramail.web.limits import limiter

blueprint = APIBlueprint(
    "api_saved_senders",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="senders", description="Who messages come from.")],
    abp_security=SECURITY,
    abp_responses={401: Problem},
)

_FIELDS = {"sender_name": "name", "send_from": "send_from", "reply_to": "reply_to"}
"""What the rules call a field, and what the API does."""


@blueprint.get("/senders", summary="List your senders", responses={200: SenderList})
def list_senders(query: PageQuery) -> Any:
    """The senders of this account, the default one among them."""
    account_id = api_account()
    before = read_cursor(query.cursor)
    domain = installation().settings.platform_domain
    with database().reading() as session:
        found = load_sender_page(session, account_id, before=before, limit=query.limit + 1)
        shown = found[: query.limit]
        standings = load_standings(session, account_id, domain)
    items = [describe_sender(sender, standings.get(sender.sender_id)) for sender in shown]
    more = show_id(shown[-1].sender_id) if len(found) > query.limit else None
    return jsonify(items=items, next=more)


@blueprint.post(
    "/senders", summary="Add a sender", responses={201: SavedSender, 422: Problem, 429: Problem}
)
@limiter.limit("60 per minute", key_func=by_account)
def post_sender(body: NewSender) -> Any:
    """201, and a link to a send-from that is not proven. What is there already is not added twice.

    An Idempotency-Key has one effect within 7 days.
    """
    account_id = api_account()

    def judge() -> SenderDetails:
        typed = {"sender_name": body.name, "send_from": body.send_from, "reply_to": body.reply_to}
        return _judge(account_id, typed, accepts=body.accept_low_delivery, sender_id=None)

    def take(session: Session, details: SenderDetails) -> dict[str, Any]:
        outcome = add_sender(session, account_id, details, **_who_and_where())
        if isinstance(outcome, TooMany):
            raise refuse(422, "There are too many senders", outcome.words, code="too_many")
        return _describe(session, outcome.sender)

    return jsonify(answer_once("POST /senders", body.model_dump(), judge, take)), 201


@blueprint.get(
    "/senders/<string:sender_id>",
    summary="See a sender",
    responses={200: SavedSender, 404: Problem},
)
def get_sender(path: SenderPath) -> Any:
    """As it stands now."""
    with database().reading() as session:
        return jsonify(_describe(session, _load(session, path.sender_id)))


@blueprint.patch(
    "/senders/<string:sender_id>",
    summary="Change a sender",
    responses={200: SavedSender, 404: Problem, 409: Problem, 422: Problem, 429: Problem},
)
@limiter.limit("60 per minute", key_func=by_account)
def patch_sender(path: SenderPath, body: SenderChange) -> Any:
    """All of it, or nothing. The default sender can be changed like this, too."""
    account_id = api_account()
    with database().reading() as session:
        sender = _load(session, path.sender_id)
    typed = {
        field: getattr(body if _is_given(body, name) else sender, name)
        for field, name in _FIELDS.items()
    }
    details = _judge(
        account_id, typed, accepts=body.accept_low_delivery, sender_id=sender.sender_id
    )
    with database().transaction() as session:
        _load(session, path.sender_id)  # somebody may have removed it while DNS was asked
        outcome = edit_sender(
            session,
            account_id,
            sender.sender_id,
            details,
            version=body.version,
            **_who_and_where(),
        )
        if isinstance(outcome, Conflict):
            raise refuse(
                409,
                "Somebody else changed it meanwhile",
                f"It is at version {outcome.sender.version} now. Read it again first.",
                code="conflict",
            )
        return jsonify(_describe(session, outcome.sender))


@blueprint.delete(
    "/senders/<string:sender_id>",
    summary="Remove a sender",
    responses={204: None, 404: Problem, 409: Problem, 422: Problem},
)
def delete_sender(path: SenderPath, query: Replacement) -> Any:
    """204. One that is in use: 409, unless `replacement` says what takes its place."""
    account_id = api_account()
    with database().transaction() as session:
        sender = _load(session, path.sender_id)
        replacement_id, is_ticked = _judge_replacement(session, sender, query)
        outcome = remove_sender(session, account_id, sender.sender_id, replacement_id, user_id=None)
        if not isinstance(outcome, Removed):
            raise _kept(outcome)
        if replacement_id is not None and is_ticked:
            accept_low_delivery(session, account_id, replacement_id)
    return "", 204


def _kept(outcome: InUse | IsDefault) -> ApiProblem:
    """Why nothing was removed."""
    if isinstance(outcome, IsDefault):
        return refuse(
            409,
            "The default sender cannot be removed",
            "An account always has one. Change it instead.",
            code="is_default",
        )
    return refuse(
        409,
        "That sender is in use",
        "Say which sender takes its place: ?replacement=<id>.",
        code="in_use",
    )


def _is_given(body: SenderChange, name: str) -> bool:
    """Whether it is to change. Null is nothing but for the reply-to, which a sender may lack."""
    return name in body.model_fields_set and (name == "reply_to" or getattr(body, name) is not None)


def _judge(
    account_id: int, typed: Mapping[str, str | None], *, accepts: bool, sender_id: int | None
) -> SenderDetails:
    """The details, judged by the very rules of the form. Raises a 422 problem, a fault a field."""
    submission = judge_submission(
        installation(),
        account_id,
        {name: value or "" for name, value in typed.items()},
        accepts_low_delivery=accepts,
        sender_id=sender_id,
    )
    if submission.details is not None:
        return submission.details
    faults = {name: verdict for name, verdict in submission.verdicts.items() if verdict.is_error}
    if submission.missing_tick is not None:
        faults[FIELD] = submission.missing_tick.refusal
    raise _refused(faults)


def _refused(faults: Mapping[str, Verdict]) -> ApiProblem:
    first = next(iter(faults.values()))
    return refuse(
        422,
        "That sender cannot be saved",
        first.message,
        code=first.code,
        errors=[
            {
                "pointer": f"/{_FIELDS.get(name, name)}",
                "code": verdict.code,
                "detail": verdict.message,
                "suggestion": verdict.suggestion,
            }
            for name, verdict in faults.items()
        ],
    )


def _load(session: Session, shown_id: str) -> SenderView:
    """The sender of this account. Raises a 404 problem."""
    try:
        return load_sender(session, api_account(), read_id(shown_id) or 0)
    except NotFound:
        raise refuse(404, "No such sender", "This account has no sender with that id.") from None


def _judge_replacement(
    session: Session, sender: SenderView, query: Replacement
) -> tuple[int | None, bool]:
    """The number of the sender that takes the place, and whether its tick is to be written down.

    Raises a 422 problem for one that cannot.
    """
    if query.replacement is None:
        return None, False
    number = read_id(query.replacement) or 0
    fault = Verdict(Status.ERROR, "not_found", "This account has no such sender to replace it.")
    if number == sender.sender_id:
        raise _refused({"replacement": fault})
    domain = installation().settings.platform_domain
    try:
        asked = require_tick(session, sender.account_id, number, domain)
    except NotFound:
        raise _refused({"replacement": fault}) from None
    if asked is not None and not query.accept_low_delivery:
        raise _refused({FIELD: asked.refusal})
    return number, asked is not None


def _who_and_where() -> dict[str, Any]:
    settings = installation().settings
    return {
        "user_id": None,
        "platform_domain": settings.platform_domain,
        "base_url": settings.base_url,
    }


def _describe(session: Session, sender: SenderView) -> dict[str, Any]:
    """A single one, as it stands now."""
    domain = installation().settings.platform_domain
    standing = sender_standing(session, sender.account_id, sender.sender_id, domain)
    return describe_sender(sender, standing)


def describe_sender(sender: SenderView, standing: SenderStanding | None) -> dict[str, Any]:
    """The sender as the API shows it."""
    return {
        "id": show_id(sender.sender_id),
        "name": sender.name,
        "send_from": sender.send_from,
        "reply_to": sender.reply_to,
        "is_default": sender.is_default,
        "version": sender.version,
    } | (_describe_standing(standing) if standing else {})


def _describe_standing(standing: SenderStanding) -> dict[str, str]:
    """The temporary address lies on the platform's own domain, which is proven."""
    is_temporary = standing.proof is Proof.PLACEHOLDER
    if is_temporary or standing.domain.is_authenticated:
        state = DomainState.AUTHENTICATED
    else:
        state = standing.domain.state or DomainState.REMOVED
    proof = Proof.DOMAIN if is_temporary else standing.proof
    return {"proof": proof.value, "domain_state": state.value}
