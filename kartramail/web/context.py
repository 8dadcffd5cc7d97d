"""What every template may use beside what its view hands in."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask_login import current_user

from kartramail.config import Settings
from kartramail.web.access import installation
from kartramail.web.banners import banners
from kartramail.web.local_requests import is_local_request
from kartramail.web.opened_in import form_of_other_account, working_in
from kartramail.web.reading import as_read, domain_as_read, in_zone


def init_context(app: Flask) -> None:
    """Put the names into the templates' reach."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(  # macros are imported without context
        asset_url=asset_url,
        as_read=as_read,
        domain_as_read=domain_as_read,
        in_zone=in_zone,
        working_in=working_in,
    )

    @app.context_processor
    def names() -> dict[str, Any]:
        settings = installation().settings
        account = current_user if current_user and current_user.is_authenticated else None
        return {
            "current_account": account,
            "platform_domain": settings.platform_domain,
            "has_catcher": is_catcher_visible(settings),
            "banners": banners(settings) if account else [],
            "other_account": form_of_other_account() if account else None,
        }


def is_catcher_visible(settings: Settings) -> bool:
    """Whether this request may see the test inbox: only on the very machine (R-TRANSPORT)."""
    return settings.has_catcher and settings.is_base_url_loopback and is_local_request()


@cache
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def asset_url(name: str) -> str:
    """The address of a static file, which changes with its content, so that it can be cached."""
    static = Path(__file__).resolve().parents[2] / "static"
    return f"/static/{name}?v={_version(static / name)}"
