"""Pages of the first minutes: sign-up, confirmation, the checklist, home."""

from kartramail.onboarding.views import confirming, home, signing_up
from kartramail.onboarding.views.routes import blueprint

__all__ = ["blueprint", "confirming", "home", "signing_up"]
