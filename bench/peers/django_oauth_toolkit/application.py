"""django-oauth-toolkit in the least Django that it needs, which gunicorn serves; tokens are opaque, and in SQLite."""
# mypy: disable-error-code="import-untyped"

import os

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


def with_one_client(client_id: str, client_secret: str, file: str) -> object:
    """The WSGI application, with the client in its database.

    Its secret is kept as it is, which the toolkit offers: hashed by PBKDF2, its default, a token takes half a second.
    """
    settings.configure(
        SECRET_KEY=os.urandom(32).hex(),
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="oauth2_provider.urls",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
        MIDDLEWARE=[],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": file,
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                    "transaction_mode": "IMMEDIATE",
                },
            }
        },
        OAUTH2_PROVIDER={
            "SCOPES": {"all": "Everything"},
            "DEFAULT_SCOPES": ["all"],
            "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
        },
    )
    django.setup()
    from oauth2_provider.models import Application  # noqa: PLC0415 - Django's models need it to be set up

    call_command("migrate", verbosity=0)
    Application.objects.create(
        name="Bench",
        client_id=client_id,
        client_secret=client_secret,
        hash_client_secret=False,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return get_wsgi_application()
