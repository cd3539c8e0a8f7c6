"""Encryption of what must be read again: AES-256-GCM (NIST SP 800-38D), bound to the row that it stands in."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appconnect.core.secret import Secret

_NONCE_BYTES = 12


class WrongKeyError(Exception):
    """The encryption key is not the one that the database was made with, or the database was altered."""


class Vault:
    """Seals and opens secrets with one key of 32 bytes. `context` names the row; a sealed value opens nowhere else."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: Secret, context: str) -> bytes:
        """The encrypted secret, with a fresh nonce in front."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.reveal().encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> Secret:
        """The secret; `WrongKeyError` where it was sealed with another key or for another row."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise WrongKeyError("The encryption key does not open what is in the database.") from error
        return Secret(plain.decode())
