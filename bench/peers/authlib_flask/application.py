"""Authlib's authorization server on Flask, which gunicorn serves; tokens are RFC 9068 JWTs."""
# mypy: disable-error-code="misc"
# Authlib has no types, and its mixins are there to be inherited from.

import hmac
from collections.abc import Callable
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import (
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_query_client_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, Response
from joserfc.jwk import ECKey
from sqlalchemy import Column, Integer, Text, create_engine, event
from sqlalchemy.orm import DeclarativeBase, scoped_session, sessionmaker

ALGORITHM = "ES256"
"""Authlib signs with joserfc's recommended algorithms only, and Ed25519 is none of them."""


def in_memory(client_id: str, client_secret: str) -> Flask:
    """One client in memory; tokens are not stored. The fastest that Authlib can be."""
    client = _Client(client_id, client_secret)
    return _application({client_id: client}.get, save_token=lambda *_: None)


def in_database(client_id: str, client_secret: str, file: str) -> Flask:
    """As Authlib's documentation has it: clients and tokens by its own SQLAlchemy mixins, here in SQLite."""
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", _use_write_ahead_log)
    _Base.metadata.create_all(engine)
    session = scoped_session(sessionmaker(engine))
    client = _StoredClient(client_id=client_id, client_secret=client_secret)
    client.set_client_metadata({"grant_types": [ClientCredentialsGrant.GRANT_TYPE]})
    session.add(client)
    session.commit()
    session.remove()
    flask = _application(
        create_query_client_func(session, _StoredClient), create_save_token_func(session, _StoredToken)
    )
    flask.teardown_appcontext(lambda _: session.remove())
    return flask


class _Client(ClientMixin):
    def __init__(self, client_id: str, client_secret: str) -> None:
        self._client_id, self._client_secret = client_id, client_secret

    def get_client_id(self) -> str:
        return self._client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        del scope
        return ""

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(client_secret, self._client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class _Base(DeclarativeBase):
    pass


class _StoredClient(_Base, OAuth2ClientMixin):
    __tablename__ = "clients"
    id = Column(Integer, primary_key=True)


class _StoredToken(_Base, OAuth2TokenMixin):
    __tablename__ = "tokens"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer)
    access_token = Column(Text, unique=True, nullable=False)  # Authlib's own column is too short for a JWT


class _Tokens(JWTBearerTokenGenerator):
    def __init__(self, issuer: str) -> None:
        super().__init__(issuer, alg=ALGORITHM)
        self._key = ECKey.generate_key("P-256", private=True)

    def get_jwks(self) -> ECKey:
        return self._key

    def get_audiences(self, client: Any, user: Any, scope: str) -> str:
        del client, user, scope
        return "https://api.example.com/wp-json"


def _application(query_client: Callable[..., Any], save_token: Callable[..., Any]) -> Flask:
    flask = Flask(__name__)
    server = AuthorizationServer(flask, query_client=query_client, save_token=save_token)
    server.register_grant(ClientCredentialsGrant)
    server.register_token_generator("default", _Tokens("https://api.example.com"))

    @flask.post("/token")
    def token() -> Response:
        answer: Response = server.create_token_response()
        return answer

    return flask


def _use_write_ahead_log(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
