"""The application. `gunicorn app:app` serves it; run directly it is the try-out, all in one."""

from kartramail import create_app

app = create_app()

if __name__ == "__main__":
    from kartramail.sandbox.supervisor import main

    raise SystemExit(main())
