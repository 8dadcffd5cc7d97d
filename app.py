"""The application. `gunicorn app:app` serves it; run directly it is the try-out, all in one."""

import sys

from kartramail import create_app
from kartramail.errors import ConfigurationError

if __name__ == "__main__":
    from kartramail.sandbox.supervisor import main

    sys.exit(main())

try:
    app = create_app()
except ConfigurationError as error:
    sys.exit(f"kartramail: {error}")
