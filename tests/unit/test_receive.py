"""What a request presents itself with: our tokens are told from other people's before anything is forwarded."""

import base64
import json

import pytest

from appconnect.core.headers import Fields, Request
from appconnect.core.request import Refused
from appconnect.gateway.receive import Presented, presented

ISSUER = "https://your-site.com"


def jwt(payload: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"a": 1}, payload)]
    return ".".join([*parts, "c2ln"])


OURS, THEIRS = jwt({"iss": ISSUER}), jwt({"iss": "https://another.example"})


def shown_by(*authorization: str, takes_every_bearer: bool = False) -> Presented:
    headers = tuple((b"authorization", value.encode()) for value in authorization)
    request = Request("GET", b"/wp-json/wp/v2/posts", b"", Fields(headers))
    return presented(request, issuer=ISSUER, takes_every_bearer=takes_every_bearer)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_our_token_is_ours_in_any_case_of_the_scheme(scheme):
    """RFC 9110 §11.1."""
    assert shown_by(f"{scheme} {OURS}").token == OURS


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"Bearer\t{OURS}", id="a tab"),
        pytest.param(f'Bearer "{OURS}"', id="quotes"),
        pytest.param(f"Bearer {OURS}, x", id="a comma"),
        pytest.param(f"Bearer: {OURS}", id="a colon"),
        pytest.param(f"Bearer{OURS}", id="no space"),
    ],
)
def test_before_a_whole_site_our_token_bent_is_still_ours_and_malformed(value):
    """WordPress would ignore it and answer 200 as to a visitor."""
    assert shown_by(value).token == ""


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"Bearer {OURS[:-20]}", id="cut"),
        pytest.param("Bearer eyJhIjoxfQ.bm90IGpzb24.c2ln", id="a payload that is no JSON"),
        pytest.param(f"Bearer eyJhIjoxfQ.{base64.urlsafe_b64encode(b'[' * 100_000).decode()}.c2ln", id="nested deeply"),
    ],
)
def test_before_a_whole_site_what_may_be_ours_is_not_passed_on(value):
    assert shown_by(value).token is not None


@pytest.mark.parametrize("value", ["Bearer opaque", f"Bearer {THEIRS}"], ids=["no JWT", "another issuer's"])
def test_before_a_whole_site_other_peoples_tokens_are_none_of_our_business(value):
    assert shown_by(value) == Presented()


@pytest.mark.parametrize("value", ["Bearer opaque", f"Bearer {THEIRS}", "Bearer"])
def test_beside_a_site_every_bearer_token_is_for_us_to_judge(value):
    assert shown_by(value, takes_every_bearer=True).token is not None


def test_two_authorizations_of_which_one_is_a_bearer_have_no_single_meaning():
    with pytest.raises(Refused):
        shown_by(f"Bearer {OURS}", "Basic YTpi")


def test_a_client_id_as_a_username_is_recognized():
    basic = base64.b64encode(b"ac_1:acs_2").decode()
    assert shown_by(f"Basic {basic}").has_client_credentials
