"""KartraMail: the mail system inside a marketing platform.

`create_app` is the table of contents of the web application. It touches no database.
"""

from datetime import timedelta

from flask import Flask
from flask_openapi3 import Info, OpenAPI
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from kartramail.config import Settings, load_settings
from kartramail.installation import Installation
from kartramail.rules.providers import load_providers

__version__ = "0.4.0"


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings, or for those of the environment."""
    from kartramail import cli
    from kartramail.api import access as api
    from kartramail.web import (
        access,
        context,
        cookies,
        errors,
        forms,
        headers,
        limits,
        logs,
        schema_gate,
    )

    settings = settings or load_settings()
    logs.configure_logs()
    app = OpenAPI(
        __name__,
        info=Info(title="KartraMail API", version="1"),
        template_folder="../templates",
        static_folder="../static",
        doc_prefix="/api/v1",
        security_schemes=api.SECURITY_SCHEMES,
        validation_error_callback=api.show_validation_error,
    )
    _configure(app, settings)
    app.extensions["kartramail"] = Installation.of(settings)
    Htmx(app)
    cookies.init_cookies(app)
    logs.init_logs(app)
    schema_gate.init_schema_gate(app)
    access.init_access(app)
    forms.init_forms(app)
    limits.init_limits(app, settings)
    headers.init_headers(app, is_https=settings.base_url.startswith("https://"))
    context.init_context(app)
    errors.init_errors(app)
    api.init_api(app)
    _register_doors(app)
    cli.init_cli(app)
    load_providers()  # so that no first key stroke waits for the lists
    return app


def _configure(app: Flask, settings: Settings) -> None:
    is_https = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="kartramail",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        MAX_CONTENT_LENGTH=32 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _register_doors(app: OpenAPI) -> None:
    from kartramail.accounts import views as accounts
    from kartramail.activity import views as activity
    from kartramail.assets import help_views as help_pages
    from kartramail.assets import views as assets
    from kartramail.domains import views as domains
    from kartramail.onboarding import views as onboarding
    from kartramail.ops import views as ops
    from kartramail.sandbox import views as sandbox
    from kartramail.senders import views as senders

    for door in (
        accounts,
        activity,
        assets,
        domains,
        help_pages,
        onboarding,
        ops,
        sandbox,
        senders,
    ):
        app.register_blueprint(door.blueprint)
    _register_api(app)


def _register_api(app: OpenAPI) -> None:
    from kartramail.api import (
        assets,
        domains,
        events,
        message_actions,
        messages,
        notifications,
        saved_senders,
        senders,
    )

    for resource in (
        assets,
        domains,
        events,
        messages,
        message_actions,
        notifications,
        saved_senders,
        senders,
    ):
        app.register_api(resource.blueprint)
