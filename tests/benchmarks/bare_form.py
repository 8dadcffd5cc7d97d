"""The peer of the keystroke check: nothing but Flask and Flask-WTF, as their manuals show them."""

import secrets

from flask import Flask, render_template
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length


class BareForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Three fields with the validators that WTForms brings."""

    sender_name = StringField("Sender name", validators=[DataRequired(), Length(max=64)])
    send_from = StringField("Send-from address", validators=[DataRequired(), Length(max=320)])
    reply_to = StringField("Reply-to address", validators=[DataRequired(), Length(max=320)])


def make_bare_app() -> Flask:
    """An application with one form: a GET shows it, a POST judges it and says what is wrong."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY=secrets.token_urlsafe(48), SESSION_COOKIE_NAME="bare")

    @app.get("/form")
    def show() -> str:
        return render_template("bare_form.html", form=BareForm())

    @app.post("/form")
    def judge() -> tuple[str, int]:
        form = BareForm()
        status = 200 if form.validate_on_submit() else 422
        return render_template("bare_form.html", form=form), status

    return app
