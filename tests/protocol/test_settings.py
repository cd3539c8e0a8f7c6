"""Settings: read once from file and environment, and all that is wrong told at once, with place and remedy."""

from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from appconnect.settings import Problem, Settings, SettingsError, is_loopback, load, settings_file

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch):
    monkeypatch.setattr("os.environ", {})


@pytest.fixture
def file(tmp_path):
    """A settings file that has all it needs."""
    path = tmp_path / "app-connect.toml"
    path.write_text(f'encryption_key = "{KEY}"\n')
    return path


def write(file: Path, *lines: str, key: str | None = f'encryption_key = "{KEY}"') -> Path:
    file.write_text("\n".join([*([key] if key else []), *lines]))
    return file


def problems(file: Path) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(file)
    return caught.value.problems


def places(file: Path) -> list[str]:
    return [problem.name for problem in problems(file)]


# -- what is right ----------------------------------------------------------------------------------------------------


def test_a_file_with_a_key_is_enough(file):
    assert load(file).port == 8080


def test_everything_has_a_default_but_the_key():
    assert [field.name for field in fields(Settings) if field.default is MISSING] == ["encryption_key"]


def test_the_default_listens_on_loopback_only(file):
    assert load(file).host == "127.0.0.1"


def test_the_default_refuses_what_has_no_token(file):
    assert load(file).untokened == "reject"


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('public_url = "https://api.example.com"', "public_url", "https://api.example.com"),
        ('public_url = "https://api.example.com:8443"', "public_url", "https://api.example.com:8443"),
        ('public_url = "http://localhost:8080"', "public_url", "http://localhost:8080"),
        ('public_url = "http://[::1]:8080"', "public_url", "http://[::1]:8080"),
        ('host = "0.0.0.0"', "host", "0.0.0.0"),  # noqa: S104
        ("port = 65535", "port", 65535),
        ("workers = 64", "workers", 64),
        ('untokened = "pass"', "untokened", "pass"),
        ("upstream_connect_timeout_seconds = 0.1", "upstream_connect_timeout_seconds", 0.1),
        ("upstream_answer_timeout_seconds = 3600", "upstream_answer_timeout_seconds", 3600),
        ("max_in_flight_per_client = 1000", "max_in_flight_per_client", 1000),
        ("max_wait_seconds = 0", "max_wait_seconds", 0),
        ('log_level = "debug"', "log_level", "debug"),
    ],
)
def test_a_setting_in_the_file_counts(file, line, name, value):
    assert getattr(load(write(file, line)), name) == value


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("APP_CONNECT_PORT", "9090", "port", 9090),
        ("APP_CONNECT_PUBLIC_URL", "https://api.example.com", "public_url", "https://api.example.com"),
        ("APP_CONNECT_MAX_WAIT_SECONDS", "2.5", "max_wait_seconds", 2.5),
        ("APP_CONNECT_UNTOKENED", "pass", "untokened", "pass"),
        ("APP_CONNECT_LOG_LEVEL", "error", "log_level", "error"),
    ],
)
def test_the_environment_outranks_the_file(file, monkeypatch, variable, text, name, value):
    monkeypatch.setenv(variable, text)
    lines = ('public_url = "https://file.example.com"', "port = 1", "max_wait_seconds = 1")
    assert getattr(load(write(file, *lines)), name) == value


def test_the_environment_alone_is_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("APP_CONNECT_ENCRYPTION_KEY", KEY)
    assert load(tmp_path / "missing.toml").encryption_key.reveal() == KEY


def test_variables_of_others_are_none_of_ours(file, monkeypatch):
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("MY_APP_CONNECT_PORT", "2")
    assert load(file).port == 8080


# -- which file -------------------------------------------------------------------------------------------------------


def test_the_named_file_counts_first(monkeypatch):
    monkeypatch.setenv("APP_CONNECT_SETTINGS", "/etc/other.toml")
    assert settings_file(Path("/etc/named.toml")) == Path("/etc/named.toml")


def test_then_the_file_of_the_environment(monkeypatch):
    monkeypatch.setenv("APP_CONNECT_SETTINGS", "/etc/other.toml")
    assert settings_file() == Path("/etc/other.toml")


def test_then_the_file_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settings_file() == tmp_path / "app-connect.toml"


# -- relative paths are relative to the settings file -----------------------------------------------------------------


def test_the_database_is_beside_the_settings_by_default(file):
    assert load(file).database_path == file.parent / "app-connect.db"


def test_a_relative_database_is_relative_to_the_settings(file):
    assert load(write(file, 'database_url = "sqlite:///data/x.db"')).database_path == file.parent / "data/x.db"


def test_an_absolute_database_stays(file):
    assert load(write(file, 'database_url = "sqlite:////srv/x.db"')).database_path == Path("/srv/x.db")


def test_a_relative_database_in_the_environment_is_relative_to_the_settings_too(file, monkeypatch):
    monkeypatch.setenv("APP_CONNECT_DATABASE_URL", "sqlite:///data/x.db")
    assert load(file).database_path == file.parent / "data/x.db"


def test_a_relative_certificate_is_relative_to_the_settings(file):
    (file.parent / "ca.pem").touch()
    assert load(write(file, 'upstream_ca_file = "ca.pem"')).upstream_ca_file == file.parent / "ca.pem"


def test_a_relative_key_file_is_relative_to_the_settings(file):
    (file.parent / "the.key").write_text(KEY)
    assert load(write(file, 'encryption_key_file = "the.key"', key=None)).encryption_key.reveal() == KEY


# -- the encryption key -----------------------------------------------------------------------------------------------


def test_the_key_opens_to_32_bytes(file):
    assert load(file).encryption_key_bytes == b"0123456789abcdef0123456789abcdef"


def test_a_new_line_at_the_end_of_a_key_file_is_nothing(file):
    (file.parent / "the.key").write_text(KEY + "\n")
    assert load(write(file, 'encryption_key_file = "the.key"', key=None)).encryption_key.reveal() == KEY


def test_a_key_file_of_the_environment_outranks_the_key_in_the_file(file, monkeypatch):
    (file.parent / "the.key").write_text(OTHER_KEY)
    monkeypatch.setenv("APP_CONNECT_ENCRYPTION_KEY_FILE", str(file.parent / "the.key"))
    assert load(file).encryption_key.reveal() == OTHER_KEY


def test_a_key_of_the_environment_outranks_the_key_file_in_the_file(file, monkeypatch):
    (file.parent / "the.key").write_text(OTHER_KEY)
    monkeypatch.setenv("APP_CONNECT_ENCRYPTION_KEY", KEY)
    assert load(write(file, 'encryption_key_file = "the.key"', key=None)).encryption_key.reveal() == KEY


def test_settings_print_without_the_key(file):
    assert KEY not in repr(load(file))


def test_a_missing_key_is_explained(file):
    assert problems(write(file, "port = 80", key=None)) == [
        Problem("encryption_key", "is missing.", "Run `app-connect init`, which makes one.")
    ]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param('""', id="empty"),
        pytest.param('"short"', id="short"),
        pytest.param(f'"{KEY[:-1]}"', id="without its padding"),
        pytest.param(f'"{KEY}AAAA"', id="longer"),
        pytest.param(f'" {KEY}"', id="with a space before"),
        pytest.param('"MDEyMzQ1Njc4OWFiY2RlZg=="', id="16 bytes"),
        pytest.param('"größe"', id="letters beyond ASCII"),
        pytest.param("5", id="a number"),
        pytest.param('["a"]', id="a list"),
        pytest.param("true", id="a boolean"),
    ],
)
def test_a_wrong_key_is_told_with_its_place(file, key):
    assert places(write(file, key=f"encryption_key = {key}")) == [f"encryption_key in {file}"]


def test_a_wrong_key_is_not_shown(file):
    with pytest.raises(SettingsError) as caught:
        load(write(file, key='encryption_key = "hunter2hunter2"'))
    assert "hunter2" not in str(caught.value)


def test_a_key_file_that_is_not_there_is_told_once(file):
    assert places(write(file, 'encryption_key_file = "no.key"', key=None)) == [f"encryption_key_file in {file}"]


def test_a_wrong_key_in_a_key_file_is_told_at_the_setting(file):
    (file.parent / "the.key").write_text("short")
    assert places(write(file, 'encryption_key_file = "the.key"', key=None)) == [f"encryption_key_file in {file}"]


# -- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("port = 0", id="below its range"),
        pytest.param("port = 65536", id="above its range"),
        pytest.param('port = "http"', id="a word for a number"),
        pytest.param("port = 80.5", id="a fraction for a whole number"),
        pytest.param("port = true", id="a boolean for a number"),
        pytest.param("port = [80]", id="a list for a number"),
        pytest.param("workers = 0", id="no workers"),
        pytest.param("workers = true", id="a boolean for workers"),
        pytest.param("max_wait_seconds = inf", id="for ever"),
        pytest.param("upstream_answer_timeout_seconds = nan", id="not a number"),
        pytest.param('untokened = "allow"', id="an unknown choice"),
        pytest.param('untokened = "PASS"', id="a choice in capitals"),
        pytest.param('log_level = "loud"', id="an unknown level"),
        pytest.param("host = 5", id="a number for a text"),
        pytest.param('host = ""', id="an empty host, which would listen everywhere"),
        pytest.param('database_url = "postgresql://db/app"', id="another database"),
        pytest.param("database_url = 5", id="a number for a database"),
        pytest.param('upstream_ca_file = "no.pem"', id="a certificate that is not there"),
        pytest.param('upstream_ca_file = ""', id="an empty certificate"),
        pytest.param('public_url = "api.example.com"', id="an address without a scheme"),
        pytest.param('public_url = "ftp://api.example.com"', id="another scheme"),
        pytest.param('public_url = "https://"', id="no host"),
        pytest.param('public_url = "https:///path"', id="no host but a path"),
        pytest.param('public_url = "https://api.example.com/"', id="a slash at the end"),
        pytest.param('public_url = "https://api.example.com/oauth"', id="a path"),
        pytest.param('public_url = "https://api.example.com?"', id="an empty query"),
        pytest.param('public_url = "https://api.example.com#"', id="an empty fragment"),
        pytest.param('public_url = "https://api.example.com?a=b"', id="a query"),
        pytest.param('public_url = "https://me@api.example.com"', id="a user"),
        pytest.param('public_url = "https://api.example.com:"', id="a colon without a port"),
        pytest.param('public_url = "https://api.example.com:http"', id="a port that is no number"),
        pytest.param('public_url = "https://api.example.com:99999"', id="a port that is too large"),
        pytest.param('public_url = "https://API.example.com"', id="capitals"),
        pytest.param('public_url = "https://api example.com"', id="a space in the host"),
        pytest.param('public_url = " https://api.example.com"', id="a space before"),
        pytest.param('public_url = "https://api.example.com "', id="a space behind"),
        pytest.param('public_url = "https://api.example.com\\n"', id="a new line behind"),
        pytest.param('public_url = "https://api.exam\\nple.com"', id="a new line inside"),
        pytest.param('public_url = "http://api.example.com"', id="http to another machine"),
        pytest.param('public_url = "http://10.0.0.1"', id="http to another address"),
        pytest.param('public_url = "http://localhost.example.com"', id="http to what only looks like loopback"),
        pytest.param('public_url = "https://[::1"', id="half a bracket"),
    ],
)
def test_a_wrong_setting_is_told_with_its_name_and_place(file, line):
    assert places(write(file, line)) == [f"{line.split()[0]} in {file}"]


@pytest.mark.parametrize("line", ["port = 0", 'untokened = "allow"', 'public_url = "http://10.0.0.1"', "host = 5"])
def test_each_problem_has_a_remedy(file, line):
    assert problems(write(file, line))[0].remedy


def test_a_wrong_variable_is_told_by_its_name(file, monkeypatch):
    monkeypatch.setenv("APP_CONNECT_PORT", "http")
    assert places(file) == ["APP_CONNECT_PORT in the environment"]


def test_an_unknown_name_in_the_file_is_told(file):
    assert places(write(file, "prot = 80")) == [f"prot in {file}"]


def test_an_unknown_name_in_the_environment_is_told(file, monkeypatch):
    monkeypatch.setenv("APP_CONNECT_PROT", "80")
    assert places(file) == ["APP_CONNECT_PROT in the environment"]


def test_an_unknown_name_is_answered_with_those_that_are_known(file):
    remedy = problems(write(file, "prot = 80"))[0].remedy
    assert remedy.startswith("Settings are: public_url, host, port, ")


def test_a_table_is_an_unknown_name(file):
    assert places(write(file, "[server]", "port = 80")) == [f"server in {file}"]


def test_everything_that_is_wrong_is_told_at_once(file, monkeypatch):
    monkeypatch.setenv("APP_CONNECT_WORKERS", "none")
    monkeypatch.setenv("APP_CONNECT_PROT", "80")
    lines = ("port = 0", 'public_url = "http://api.example.com"', 'database_url = "mysql://db"', "hots = 1")
    assert sorted(places(write(file, *lines))) == [
        "APP_CONNECT_PROT in the environment",
        "APP_CONNECT_WORKERS in the environment",
        f"database_url in {file}",
        f"hots in {file}",
        f"port in {file}",
        f"public_url in {file}",
    ]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        pytest.param('encryption_key = "short"', "encryption_key in {file}", id="a wrong key"),
        pytest.param('encryption_key_file = "no.key"', "encryption_key_file in {file}", id="a missing key file"),
        pytest.param(None, "encryption_key", id="no key"),
    ],
)
def test_a_problem_with_the_key_is_told_beside_the_others(file, key, place):
    assert set(places(write(file, "port = 0", key=key))) == {f"port in {file}", place.format(file=file)}


def test_the_error_is_one_line_for_each_problem(file):
    with pytest.raises(SettingsError) as caught:
        load(write(file, "port = 0", "workers = 0"))
    assert str(caught.value).splitlines() == [
        f"port in {file}: is 0. Input should be greater than or equal to 1.",
        f"workers in {file}: is 0. Input should be greater than or equal to 1.",
    ]


# -- the file itself --------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path):
    missing = tmp_path / "missing.toml"
    assert problems(missing) == [
        Problem(
            str(missing),
            "does not exist.",
            "Run `app-connect init`, or name the file with --settings or APP_CONNECT_SETTINGS.",
        )
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"port = ", id="half a line"),
        pytest.param(b"port = 80\nport = 81", id="a name twice"),
        pytest.param(b"just words", id="no TOML"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_told_once(file, content):
    file.write_bytes(content)
    assert places(file) == [str(file)]


def test_a_folder_for_a_file_is_told(tmp_path):
    assert places(tmp_path) == [str(tmp_path)]


# -- loopback ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.nip.io"])
def test_other_machines_are_not(host):
    assert not is_loopback(host)
