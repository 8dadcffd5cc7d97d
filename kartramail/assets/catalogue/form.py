"""Forms: signing up, at once or after confirming the address."""

from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.variables import Variable

FORM_TYPES = (
    NotificationType(
        "form.signed_up",
        "Sign-up success",
        "When somebody has signed up",
        (Variable("link", "What they signed up for", "https://example.com/welcome"),),
    ),
    NotificationType(
        "form.confirm",
        "Please confirm your sign-up",
        "When somebody signs up and has yet to confirm their address",
        (Variable("link", "The address that confirms", "https://example.com/confirm/4f7a"),),
    ),
)

FORM = Kind("form", "Form", "Forms", "form", "Newsletter sign-up", FORM_TYPES)
