"""Settings → Administrator Tokens: created once, shown once, revoked with those that they made."""

from dataclasses import replace

import pytest

from appconnect.control import admin_tokens
from tests.protocol.administrator import Administrator, is_checked, signing_in, value, words
from tests.protocol.conftest import Running

SCOPES = ["clients:read", "activity:read"]


@pytest.fixture
async def admin(gateway: Running) -> Administrator:
    return signing_in(gateway)


async def test_an_administrator_token_is_shown_once_and_works(gateway, admin):
    page = await admin.does("/settings/admin-tokens/new", name="Deployment", scopes=SCOPES, lifetime="86400")

    (token,) = admin_tokens.living_tokens(gateway.context)
    secret = page.text.partition('<code id="admin-token">')[2].partition("<")[0]
    assert admin_tokens.known_token(gateway.context, secret) == token
    assert token.scopes == set(SCOPES)
    assert "This is shown only once." in words(page)
    assert secret not in (await admin.sees("/settings/admin-tokens")).text


@pytest.mark.parametrize(
    ("field", "wrong", "problem"),
    [
        ("name", "", "Name is missing."),
        ("name", "x" * 101, "is not a name."),
        ("name", "Export", "There is a token 'Export' already."),
        ("scopes", [], "Scopes are missing."),
        ("scopes", ["everything"], "'everything' is not a scope."),
        ("lifetime", "999999999", "Lifetime is out of range."),
        ("lifetime", "for ever", "Lifetime is out of range."),
    ],
    ids=["no name", "long name", "name in use", "no scope", "unknown scope", "too long", "no number"],
)
async def test_a_wrong_field_is_explained_and_the_others_are_kept(gateway, admin, field, wrong, problem):
    admin_tokens.create_token(
        gateway.context, name="Export", scopes=["activity:read"], lifetime_seconds=86_400, maker=None
    )
    form = {"name": 'My "<b>token"', "scopes": SCOPES, "lifetime": "604800", field: wrong}

    page = await admin.sends("/settings/admin-tokens/new", **form)

    assert page.status_code == 400
    assert problem in words(page)
    assert f'href="#{field}"' in page.text
    assert value(page, "name") == form["name"]
    assert is_checked(page, "scopes", "clients:read") == (field != "scopes")
    assert '<option value="604800" selected>' in page.text or field == "lifetime"
    assert len(admin_tokens.living_tokens(gateway.context)) == 1


async def test_revoking_a_token_tells_which_others_go_with_it(gateway, admin):
    made = admin_tokens.create_token(
        gateway.context, name="Deployment", scopes=["tokens:write"], lifetime_seconds=86_400, maker=None
    )
    by_token = replace(gateway.context, actor=made.token.actor)
    admin_tokens.create_token(by_token, name="Child", scopes=["tokens:write"], lifetime_seconds=3_600, maker=made.token)

    page = words(await admin.sees(f"/settings/admin-tokens/{made.token.id}/revoke"))
    done = words(await admin.does(f"/settings/admin-tokens/{made.token.id}/revoke"))

    assert "Child Deployment (administrator token) Never" in page
    assert "Revoke 2 tokens" in page
    assert "Revoked: Deployment, Child." in done
    assert admin_tokens.living_tokens(gateway.context) == []


async def test_a_token_s_name_is_text_and_never_markup(gateway, admin):
    name = "<script>alert(1)</script>"

    page = await admin.does("/settings/admin-tokens/new", name=name, scopes=SCOPES, lifetime="86400")

    assert name in words(page)
    assert name not in page.text


async def test_a_token_that_is_gone_is_not_found(admin):
    assert (await admin.sees("/settings/admin-tokens/none/revoke")).status_code == 404
    assert (await admin.sends("/settings/admin-tokens/none/revoke")).status_code == 404
