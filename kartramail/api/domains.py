"""`/api/v1/domains`: the domains that an account sends from, and their records (R-DOMAIN)."""

from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from kartramail.api.access import SECURITY, Problem, api_account, by_account, refuse
from kartramail.api.paging import read_cursor
from kartramail.domains.checklist import Checklist, ChecklistRow
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import make_key_pairs
from kartramail.domains.service import (
    add_domain,
    give_keys,
    list_domain_page,
    load_checklist,
    make_checklist,
)
from kartramail.ids import show_id
from kartramail.rules.dns_records import RecordState
from kartramail.rules.domain_names import judge_domain
from kartramail.web.access import database, installation
from kartramail.web.limits import limiter

blueprint = APIBlueprint(
    "api_domains",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="domains", description="Domains to send from, and their DNS records.")],
    abp_security=SECURITY,
    abp_responses={401: Problem},
)


class NewDomain(BaseModel):
    """The domain to send from, such as `yourbusiness.com`."""

    model_config = ConfigDict(extra="forbid")

    domain: str = Field(max_length=1000)


class DomainPath(BaseModel):
    """The domain, in A-labels or in its own script."""

    domain: str


class PageQuery(BaseModel):
    """Which part of a list: at most `limit` items, from `cursor` on, the newest first."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None


class ProblemAnswer(BaseModel):
    """A mistake with a name: what is there and why it is wrong, and what to do."""

    code: str
    message: str
    fix: str


class RecordAnswer(BaseModel):
    """One record as the DNS provider wants it. `host` is the whole name, `found` what is there."""

    purpose: str
    type: str
    host: str
    relative_host: str
    value: str
    state: str
    found: list[str]
    problem: ProblemAnswer | None


class DomainAnswer(BaseModel):
    """A domain with its records, and what the last check said of its SPF and DMARC."""

    domain: str
    state: str
    authenticated: bool
    authenticated_at: str | None
    lost_since: str | None
    checked_at: str | None
    records: list[RecordAnswer]
    spf: dict[str, Any]
    dmarc: dict[str, Any]


class DomainList(BaseModel):
    """Domains, the newest first; `next` is the cursor of the next part, null at the end."""

    items: list[DomainAnswer]
    next: str | None


@blueprint.get("/domains", summary="List your domains", responses={200: DomainList})
def list_domains(query: PageQuery) -> Any:
    """The domains of this account."""
    before = read_cursor(query.cursor)
    with database().reading() as session:
        found = list_domain_page(session, api_account(), before=before, limit=query.limit + 1)
        shown = found[: query.limit]
        items = [
            describe_domain(make_checklist(session, domain, installation().settings))
            for domain in shown
        ]
    return jsonify(items=items, next=show_id(shown[-1].id) if len(found) > query.limit else None)


@blueprint.post(
    "/domains",
    summary="Add a domain",
    responses={200: DomainAnswer, 201: DomainAnswer, 422: Problem, 429: Problem},
)
@limiter.limit("60 per minute", key_func=by_account)
def post_domain(body: NewDomain) -> Any:
    """201 with the records to set, looked at once; 200 where it is there already."""
    account_id = api_account()
    judged = judge_domain(body.domain, installation().address_policy())
    if judged.domain is None:
        raise refuse(
            422,
            "That domain cannot be used",
            judged.verdict.message,
            code=judged.verdict.code,
            errors=[
                {
                    "pointer": "/domain",
                    "code": judged.verdict.code,
                    "detail": judged.verdict.message,
                }
            ],
        )
    keys = make_key_pairs()
    with database().transaction() as session:
        domain_id, is_new = add_domain(
            session, account_id, judged.domain, installation(), user_id=None, keys=keys
        )
    if is_new:
        check_domain(installation(), domain_id, is_thorough=False)
    return jsonify(describe_domain(_load(judged.domain))), 201 if is_new else 200


@blueprint.get(
    "/domains/<string:domain>",
    summary="See a domain and its records",
    responses={200: DomainAnswer, 404: Problem},
)
def get_domain(path: DomainPath) -> Any:
    """As the last check found it."""
    return jsonify(describe_domain(_load(path.domain)))


@blueprint.post(
    "/domains/<string:domain>/check",
    summary="Look at the records now",
    responses={200: DomainAnswer, 404: Problem, 429: Problem},
)
@limiter.limit("30 per minute", key_func=by_account)
def check_domain_now(path: DomainPath) -> Any:
    """Looks at DNS, which takes some seconds, and answers with what is there now."""
    check_domain(installation(), _load(path.domain).domain_id)
    return jsonify(describe_domain(_load(path.domain)))


def _load(typed: str) -> Checklist:
    """The domain of this account. One that was added by itself gets its keys now."""
    account_id = api_account()
    name = judge_domain(typed, installation().address_policy()).domain or typed.lower()
    with database().reading() as session:
        found = load_checklist(session, account_id, name, installation())
    if found is None:
        raise refuse(404, "No such domain", "This account has no such domain. Add it first.")
    if len(found.needed) > 1:
        return found
    keys = make_key_pairs()
    with database().transaction() as session:
        give_keys(session, found.domain_id, keys, installation().settings)
        whole = load_checklist(session, account_id, name, installation())
    return whole or found


def describe_domain(checklist: Checklist) -> dict[str, Any]:
    """The domain as the API shows it."""
    return {
        "domain": checklist.domain,
        "state": checklist.state.value,
        "authenticated": checklist.is_authenticated,
        "authenticated_at": _shown(checklist.authenticated_at),
        "lost_since": _shown(checklist.lost_since),
        "checked_at": _shown(checklist.checked_at),
        "records": [_describe_record(row) for row in checklist.rows],
        "spf": checklist.spf or _UNKNOWN_SPF,
        "dmarc": checklist.dmarc or _UNKNOWN_DMARC,
    }


# Before the first look nothing is known: "could not check" is what that is called.
_UNKNOWN_SPF: dict[str, Any] = {
    "state": RecordState.UNREACHABLE.value,
    "record": None,
    "lookups": 0,
    "void_lookups": 0,
    "problems": [],
    "merged": None,
}
_UNKNOWN_DMARC: dict[str, Any] = {
    "state": RecordState.UNREACHABLE.value,
    "record": None,
    "policy": None,
    "found_at": None,
    "problems": [],
}


def _shown(at: Any) -> str | None:
    return at.isoformat() if at else None


def _describe_record(row: ChecklistRow) -> dict[str, Any]:
    problem = row.problem
    return {
        "purpose": row.wanted.purpose.value,
        "type": row.wanted.type.value,
        "host": row.wanted.host,
        "relative_host": row.wanted.relative_host,
        "value": row.wanted.value,
        "state": (row.state or RecordState.UNREACHABLE).value,
        "found": list(row.found),
        "problem": {"code": problem.code, "message": problem.message, "fix": problem.fix}
        if problem
        else None,
    }
