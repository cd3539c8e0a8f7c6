"""One installed WordPress: its folder, its users, and WordPress asked directly, past every gateway and web server."""

import json
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from demo.wordpress.debian import program

PHP_SETTINGS = {
    "memory_limit": "256M",
    "post_max_size": "128M",
    "upload_max_filesize": "128M",
    "max_execution_time": "120",
    "opcache.revalidate_freq": "0",  # a test that writes a must-use plugin is obeyed at once
    "sendmail_path": "true",  # mail goes nowhere, without an error
}
"""For PHP wherever it runs: in the command line, the built-in server, FPM and Apache."""

_DATABASE_TIMEOUT_SECONDS = 10.0
_PHP_TIMEOUT_SECONDS = 60.0


class Permalinks(StrEnum):
    """PRETTY: `/%postname%/`, and the web server sends WordPress what is no file. PLAIN: neither."""

    PRETTY = "pretty"
    PLAIN = "plain"


class EnvironmentType(StrEnum):
    """`WP_ENVIRONMENT_TYPE`; only LOCAL allows application passwords over http."""

    LOCAL = "local"
    PRODUCTION = "production"


class PhpError(RuntimeError):
    """A snippet ended with an error; the message has what it printed and the end of WordPress's log."""


@dataclass(frozen=True, slots=True)
class User:
    """A WordPress user and the password for its login form."""

    id: int
    login: str
    password: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be created; the e-mail address is `<login>@example.com` when none is given."""

    login: str
    role: str = "author"
    email: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationPassword:
    """What WordPress shows once: `uuid` deletes it, `login` and `password` are HTTP Basic credentials."""

    uuid: str
    login: str
    password: str


ADMIN = User(1, "admin", "correct horse battery staple", "admin@example.com", "administrator")
"""The administrator of every site that `create_site` makes; they listen on loopback only."""

_CREATE_USERS = """
$ids = [];
foreach ($users as $user) {
    $id = wp_insert_user($user);
    if (is_wp_error($id)) {
        fwrite(STDERR, $user['user_login'] . ': ' . $id->get_error_message());
        exit(1);
    }
    $ids[] = $id;
}
echo json_encode($ids);
"""

_ALLOW_APPLICATION = """
$user = get_user_by('login', $login);
$made = WP_Application_Passwords::create_new_application_password($user->ID, ['name' => $name]);
if (is_wp_error($made)) {
    fwrite(STDERR, $made->get_error_message());
    exit(1);
}
echo json_encode(['uuid' => $made[1]['uuid'], 'password' => $made[0]]);
"""

_KEEP_TABLES = """
foreach ($wpdb->get_col('SHOW TABLES') as $table) {
    $wpdb->query("CREATE OR REPLACE TABLE kept.$table LIKE $table");
    $wpdb->query("INSERT INTO kept.$table SELECT * FROM $table");
}
"""
_RESET_TABLES = """
$wpdb->query('START TRANSACTION');
foreach ($wpdb->get_col('SHOW TABLES') as $table) {
    $wpdb->query("DELETE FROM $table");
    $wpdb->query("INSERT INTO $table SELECT * FROM kept.$table");
}
$wpdb->query('COMMIT');
"""


@dataclass(frozen=True, slots=True)
class Site:
    """An installed WordPress in `folder`, running or not.

    `php` works from the moment it exists; the functions of `servers` give it an address.
    """

    folder: Path
    release: str
    permalinks: Permalinks
    environment: EnvironmentType
    mariadb_socket: Path | None = None
    """Where its database server listens; None where the database is the SQLite file `database`."""

    @property
    def document_root(self) -> Path:
        """Where `wp-load.php` and `wp-config.php` are."""
        return self.folder / "wordpress"

    @property
    def content(self) -> Path:
        """`wp-content`, which no other site shares (plugins and themes excepted: those are hard links)."""
        return self.document_root / "wp-content"

    @property
    def uploads(self) -> Path:
        """Where the files of the media library are, below a folder for each month."""
        return self.content / "uploads"

    @property
    def database(self) -> Path:
        """The SQLite file, in WAL mode while WordPress uses it."""
        return self.content / "database" / ".ht.sqlite"

    @property
    def kept_database(self) -> Path:
        """The copy to which `reset` goes back."""
        return self.folder / "kept.sqlite"

    @property
    def debug_log(self) -> Path:
        """PHP's and WordPress's own messages; missing until there is one."""
        return self.folder / "debug.log"

    def php(self, code: str, **values: object) -> str:
        """Run `code` (without `<?php`) inside WordPress and return what it prints.

        Each of `values` is a PHP variable of that name; JSON carries it, so that nothing needs to be quoted.

        Raises:
            PhpError: it ended with a status other than 0.

        """
        # Without WordPress's own handler an error is one line and not a page.
        load = (
            f"const WP_DISABLE_FATAL_ERROR_HANDLER = true; require {php_string(f'{self.document_root}/wp-load.php')};"
        )
        script = f"{load} extract(json_decode($argv[1], true)); {code}"
        return run_php(["-r", script, "--", json.dumps(values)], log=self.debug_log)


def run_php(arguments: list[str], *, log: Path) -> str:
    """Run PHP's command line and return what it prints.

    Raises:
        PhpError: it ended with a status other than 0.

    """
    settings = php_options(PHP_SETTINGS | {"display_errors": "stderr"})
    ran = subprocess.run(
        [program("php"), *settings, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PHP_TIMEOUT_SECONDS,
    )
    if ran.returncode != 0:
        raise PhpError(f"PHP ended with {ran.returncode}.\n{ran.stdout}\n{ran.stderr}\n{tail(log)}")
    return ran.stdout


def php_options(settings: Mapping[str, str]) -> list[str]:
    """`settings` as options of PHP's command line."""
    return [part for name, value in settings.items() for part in ("-d", f"{name}={value}")]


def php_string(text: str) -> str:
    """`text` as a PHP literal in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def tail(file: Path, *, max_bytes: int = 20_000) -> str:
    """The end of a log; nothing where there is none yet."""
    if not file.exists():
        return ""
    return file.read_bytes()[-max_bytes:].decode(errors="replace")


def create_users(site: Site, *new: NewUser) -> tuple[User, ...]:
    """Create users with random passwords; one call of PHP for all.

    Raises:
        PhpError: WordPress refuses one; those before it exist.

    """
    rows = [_row(user) for user in new]
    ids = json.loads(site.php(_CREATE_USERS, users=rows))
    return tuple(
        User(user_id, row["user_login"], row["user_pass"], row["user_email"], row["role"])
        for user_id, row in zip(ids, rows, strict=True)
    )


def create_application_password(site: Site, user: User, *, name: str = "") -> ApplicationPassword:
    """Let `user` have another application password; WordPress wants a new name for each, random when none is given.

    Raises:
        PhpError: the user does not exist, or has one of this name.

    """
    made = json.loads(site.php(_ALLOW_APPLICATION, login=user.login, name=name or f"test {secrets.token_hex(4)}"))
    return ApplicationPassword(uuid=made["uuid"], login=user.login, password=made["password"])


def keep(site: Site) -> None:
    """Make the database as it is now what `reset` goes back to; users created before it stay."""
    if site.mariadb_socket:
        site.php(_KEEP_TABLES)
    else:
        copy_database(site.database, site.kept_database)


def reset(site: Site) -> None:
    """Put the database back to the last `keep`, or to the state after installation, and empty the uploads.

    The site may be running: it is one transaction, and SQLite's own backup takes the locks that it needs.
    """
    if site.mariadb_socket:
        site.php(_RESET_TABLES)
    else:
        copy_database(site.kept_database, site.database)
    shutil.rmtree(site.uploads, ignore_errors=True)


def copy_database(source: Path, target: Path) -> None:
    """Make the SQLite file `target` hold what `source` holds, as one transaction."""
    with (
        closing(sqlite3.connect(source, timeout=_DATABASE_TIMEOUT_SECONDS)) as old,
        closing(sqlite3.connect(target, timeout=_DATABASE_TIMEOUT_SECONDS)) as new,
    ):
        old.backup(new)


def _row(user: NewUser) -> dict[str, str]:
    """The array that wp_insert_user() takes."""
    return {
        "user_login": user.login,
        "user_pass": secrets.token_urlsafe(18),
        "user_email": user.email or f"{user.login}@example.com",
        "role": user.role,
        "first_name": user.first_name,
        "last_name": user.last_name,
    }
