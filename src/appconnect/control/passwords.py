"""The life of application passwords in WordPress, so that none is orphaned.

Creating something in WordPress is in no database transaction. So each is recorded as intended, with an `app_id` of ours
by which it is found again, before WordPress is asked; and as to be removed before it is removed. Whatever was left
unfinished by a crash is undone or finished by the next command.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from appconnect.control.context import Context, InputError
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import (
    ApplicationPassword,
    PasswordState,
    Site,
    SiteProblem,
    Transaction,
    UpstreamError,
    WordPressUser,
)

NAME_PREFIX = "App Connect: "
LATE_SECONDS = 300
"""Longer than any PHP runs: what WordPress has not created by then will not come."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The connected site and the administrator's password with which we act there."""

    address: SiteAddress
    site: Site
    administrator: ApplicationPassword


def connection(context: Context) -> Connection:
    """The site in its present state; `InputError` where none is connected."""
    address = context.store.snapshot(now=context.clock()).site
    administrator = next(
        (
            password
            for password in context.store.application_passwords()
            if password.client_id is None and password.state is PasswordState.IN_USE
        ),
        None,
    )
    if address is None or administrator is None:
        raise InputError.of(
            "site",
            "No WordPress site is connected.",
            "Connect one first: in the console, or with `app-connect connect SITE_URL`.",
        )
    return Connection(address, context.site_at(address), administrator)


def make_password(
    context: Context,
    to: Connection,
    user: WordPressUser,
    client_id: str,
    name: str,
    *,
    state: PasswordState = PasswordState.INTENDED,
) -> ApplicationPassword:
    """Create an application password for a user in WordPress, still only intended; undone where that fails.

    The caller saves it as in use, in the transaction that needs it. One that is made only for `ASKING` is left alone by
    others for `LATE_SECONDS`; its maker retires it.
    """
    intended = ApplicationPassword(
        app_id=context.new_uuid(),
        user_id=user.id,
        login=user.login,
        client_id=client_id,
        state=state,
        intended_at=context.clock(),
    )
    with context.store.transaction() as transaction:
        transaction.save_application_password(intended)
    try:
        uuid, secret = to.site.create_application_password(
            to.administrator.credential, user.id, name=NAME_PREFIX + name, app_id=intended.app_id
        )
    except UpstreamError as error:
        if error.problem is not SiteProblem.REFUSED:  # WordPress may be at work on it still
            settle(context, to)
            raise
        with context.store.transaction() as transaction:
            transaction.forget_application_password(intended.app_id)
        remedy = f"{error.remedy} Or make one for {user.login} yourself and give it with --application-password-file."
        raise UpstreamError(error.problem, error.facts, remedy) from error
    made = replace(intended, uuid=uuid, password=secret)
    try:
        _check_it_works(to.site, made)
    except UpstreamError:
        settle(context, to)
        raise
    return made


def same_user(to: Connection, user_id: int, login: str) -> WordPressUser:
    """The user with this ID as it is now; one whose login happens to be that number is another."""
    user = to.site.find_user(to.administrator.credential, str(user_id))
    if user.id != user_id:
        raise UpstreamError(
            SiteProblem.NO_SUCH_USER,
            f"The site has no user {login} any more.",
            "Choose another Client Credentials User for the client.",
        )
    return user


def use(transaction: Transaction, password: ApplicationPassword) -> None:
    """Make a password the credential of its client."""
    transaction.save_application_password(replace(password, state=PasswordState.IN_USE))


def retire(transaction: Transaction, password: ApplicationPassword) -> None:
    """Give up a password: forget one that was pasted in, and have one of ours removed from WordPress."""
    if password.is_ours:
        transaction.save_application_password(replace(password, state=PasswordState.TO_REMOVE))
    else:
        transaction.forget_application_password(password.app_id)


def stop_asking(context: Context) -> None:
    """Give up what was made for asking, though whoever asks is still at it."""
    asking = [one for one in context.store.application_passwords() if one.state is PasswordState.ASKING]
    if asking:
        with context.store.transaction() as transaction:
            for password in asking:
                retire(transaction, password)


def settle(context: Context, to: Connection) -> list[str]:
    """Finish or undo what is unfinished in WordPress. Held exclusively by the caller.

    Returns a sentence for each that cannot be settled now; it stays recorded for the next time.
    """
    left = []
    for password in unfinished(context):
        try:
            was_there = _remove_from_wordpress(to, password)
        except UpstreamError as error:
            left.append(
                f"An application password of {password.login} could not be removed from WordPress yet: {error} "
                "The next command tries again."
            )
        else:
            if was_there or not _may_still_come(password, now=context.clock()):
                with context.store.transaction() as transaction:
                    transaction.forget_application_password(password.app_id)
    return left


def unfinished(context: Context) -> list[ApplicationPassword]:
    """What a crash or a failure left behind."""
    passwords, now = context.store.application_passwords(), context.clock()
    return [password for password in passwords if _is_unfinished(password, now=now)]


def _is_unfinished(password: ApplicationPassword, *, now: int) -> bool:
    match password.state:
        case PasswordState.IN_USE:
            return False
        case PasswordState.ASKING:
            return now - password.intended_at >= LATE_SECONDS
        case PasswordState.INTENDED | PasswordState.TO_REMOVE:
            return True
        case _:
            assert_never(password.state)


def credential_of(context: Context, client_id: str) -> ApplicationPassword | None:
    """The password that a client uses."""
    passwords = context.store.application_passwords_of(client_id)
    return next((password for password in passwords if password.state is PasswordState.IN_USE), None)


def _remove_from_wordpress(to: Connection, password: ApplicationPassword) -> bool:
    """Remove a password; False where WordPress has none."""
    administrator = to.administrator.credential
    uuid = password.uuid or to.site.find_application_password(administrator, password.user_id, app_id=password.app_id)
    if uuid is None:
        return False
    to.site.delete_application_password(administrator, password.user_id, uuid)
    return True


def _may_still_come(password: ApplicationPassword, *, now: int) -> bool:
    """Whether a slow WordPress may yet create what a command asked for that did not live to hear the answer."""
    return password.state is PasswordState.INTENDED and now - password.intended_at < LATE_SECONDS


def _check_it_works(site: Site, password: ApplicationPassword) -> None:
    """WordPress answers a credential that it ignores as if to a visitor; only `users/me` tells."""
    user = site.current_user(password.credential)
    if user.id != password.user_id:
        raise UpstreamError(
            SiteProblem.UNEXPECTED_ANSWER,
            f"WordPress took the new application password of {password.login} for another user's.",
            "Look for a plugin that changes who is signed in over REST.",
        )
