"""Make sites quickly: WordPress is installed once for each release, and a site is a copy of that.

Core files are hard links to the template's; `wp-config.php`, the database, uploads and must-use plugins are the site's.
"""

import hashlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from demo.wordpress.packages import BUILDS, CACHE, SQLITE_DROP_IN, Release, appearing_at_once, cache_lock, fetch
from demo.wordpress.site import (
    ADMIN,
    EnvironmentType,
    Permalinks,
    Site,
    copy_database,
    php_string,
    run_php,
)
from demo.wordpress.watched import Say

TITLE = "App Connect demo"

_STRAY_CONTENT = ("wp-content/database", "wp-content/mu-plugins")
_STRAY = (
    ".default_theme",
    "wordpress-remote-asset-paths",
    "wp-config.php",
    "wp-content/database",
    "wp-content/mu-plugins",
)
_SALTS = ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE")
_IMPLEMENTATION = "sqlite-database-integration"

_INSTALL = """
define('WP_INSTALLING', true);
function wp_new_blog_notification() {}  // wp_install() would send mail
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter('pre_http_request', fn() => new WP_Error('offline'));  // and ask over HTTP whether rewriting works
wp_install($argv[2], $argv[3], $argv[4], true, '', $argv[5]);
"""
_NOTHING_TO_UPDATE = """
// Otherwise admin pages ask for updates, and log that they may not.
foreach (['update_core', 'update_plugins', 'update_themes'] as $of) {
    set_site_transient($of, (object) [
        'last_checked' => PHP_INT_MAX, 'version_checked' => $wp_version, 'updates' => [], 'response' => [],
    ]);
}
"""
_SET_PERMALINKS = """
$wp_rewrite->set_permalink_structure($structure);
$wp_rewrite->flush_rules(false);
"""
_STRUCTURES = {Permalinks.PRETTY: "/%postname%/", Permalinks.PLAIN: ""}


def create_site(
    folder: Path,
    release: Release,
    *,
    permalinks: Permalinks = Permalinks.PRETTY,
    environment: EnvironmentType = EnvironmentType.LOCAL,
    plugins: Mapping[str, str] | None = None,
    say: Say = print,
) -> Site:
    """Make a site with the administrator `ADMIN`, one post, one page and the must-use `plugins` (file name → PHP text).

    What is not in the cache yet is fetched and installed first; after that it takes a fraction of a second.

    Raises:
        FileExistsError: `folder` exists.

    """
    template = ensure_template(release, say=say)
    site = Site(folder, release, permalinks, environment)
    folder.mkdir(parents=True)
    shutil.copytree(template / "wordpress", site.document_root, copy_function=link_or_copy)
    for database in (site.database, site.kept_database):
        database.parent.mkdir(exist_ok=True)
        shutil.copyfile(_installed_database(template, permalinks), database)
    for name, text in (plugins or {}).items():
        write_plugin(site, name, text)
    write_salts(site)
    write_config(site, home="http://127.0.0.1")
    return site


def write_plugin(site: Site, name: str, text: str) -> None:
    """Add or replace a must-use plugin, `text` beginning with `<?php`; the next request runs it."""
    folder = site.content / "mu-plugins"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def write_config(site: Site, *, home: str) -> None:
    """Write `wp-config.php` for the address `home` (no slash at the end)."""
    constants: dict[str, str] = {
        "WP_HOME": php_string(home),
        "WP_SITEURL": php_string(home),
        "WP_ENVIRONMENT_TYPE": php_string(site.environment),
        "WP_DEBUG": "true",
        "WP_DEBUG_LOG": php_string(str(site.debug_log)),
        "WP_DEBUG_DISPLAY": "false",
        "DISABLE_WP_CRON": "true",
        "WP_HTTP_BLOCK_EXTERNAL": "true",
        "AUTOMATIC_UPDATER_DISABLED": "true",
        "DB_NAME": "'wordpress'",
        "DB_USER": "'wordpress'",
        "DB_PASSWORD": "''",
        "DB_HOST": php_string(f"localhost:{site.mariadb_socket}" if site.mariadb_socket else ""),
        "DB_CHARSET": "'utf8mb4'",
    }
    lines = [f"define( '{name}', {value} );" for name, value in constants.items()]
    text = "\n".join(
        [
            "<?php",
            *lines,
            "$table_prefix = 'wp_';",
            f"require {php_string(str(_salts_file(site)))};",
            "defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );",
            "require_once ABSPATH . 'wp-settings.php';",
            "",
        ]
    )
    (site.document_root / "wp-config.php").write_text(text)


def write_salts(site: Site) -> None:
    """Random keys, written once, so that a site that gets another address keeps its sessions."""
    names = [f"{name}_{kind}" for name in _SALTS for kind in ("KEY", "SALT")]
    lines = [f"define( '{name}', '{secrets.token_urlsafe(48)}' );" for name in names]
    _salts_file(site).write_text("\n".join(["<?php", *lines, ""]))


def install_wordpress(site: Site) -> None:
    """Fill the empty database of a site that has its files.

    Raises:
        PhpError: WordPress could not be installed.

    """
    write_salts(site)
    write_config(site, home="http://127.0.0.1")
    account = [ADMIN.login, ADMIN.email, ADMIN.password]
    run_php(["-r", _INSTALL, "--", str(site.document_root), TITLE, *account], log=site.debug_log)
    site.php(_NOTHING_TO_UPDATE)


def set_permalinks(site: Site, permalinks: Permalinks) -> None:
    """Set the structure of the addresses of posts, in the database only.

    Raises:
        PhpError: WordPress does not work.

    """
    site.php(_SET_PERMALINKS, structure=_STRUCTURES[permalinks])


def link_or_copy(source: str, target: str) -> None:
    """Share the file where both are on one file system; a file that is there already stays.

    Nobody writes into a core file: the updater is off, and whoever changes one replaces it.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        return  # the two halves of a build have some files in common, the same in both
    except OSError:
        shutil.copy2(source, target)


def ensure_template(release: Release, *, say: Say = print) -> Path:
    """The folder with this release installed; made now if it is not there, in about two seconds once it is fetched."""
    fetch(say=say)
    template = CACHE / f"template-{release}-{_recipe()}"
    with cache_lock():
        if not template.exists():
            say(f"Installing WordPress {release}")
            for outdated in CACHE.glob(f"template-{release}-*"):
                shutil.rmtree(outdated)
            with appearing_at_once(template) as folder:
                _install_template(folder, release)
    return template


def _recipe() -> str:
    """Changes whenever what is installed, or how, changes."""
    text = f"{BUILDS.integrity} {SQLITE_DROP_IN.integrity} {ADMIN} {Path(__file__).read_text()}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _install_template(folder: Path, release: Release) -> None:
    site = Site(folder, release, Permalinks.PLAIN, EnvironmentType.LOCAL)
    _unpack_core(site.document_root, release)
    _unpack_drop_in(site.content)
    site.database.parent.mkdir()
    install_wordpress(site)
    for permalinks in Permalinks:
        set_permalinks(site, permalinks)
        copy_database(site.database, _installed_database(folder, permalinks))
    shutil.rmtree(site.database.parent)
    (site.document_root / "wp-config.php").unlink()


def _installed_database(template: Path, permalinks: Permalinks) -> Path:
    return template / f"{permalinks}.sqlite"


def _unpack_core(target: Path, release: Release) -> None:
    """Both halves of a build, without what the builders left in it."""
    with zipfile.ZipFile(BUILDS.folder / "src" / "wordpress" / f"{release.build}.zip") as archive:
        archive.extractall(target)
    for stray in _STRAY:
        path = target / stray
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.copytree(BUILDS.folder / "public" / release.build, target, copy_function=link_or_copy, dirs_exist_ok=True)


def _unpack_drop_in(content: Path) -> None:
    """Put the drop-in where WordPress looks for it, its code beside it: in no list of plugins."""
    with zipfile.ZipFile(SQLITE_DROP_IN.folder / f"{_IMPLEMENTATION}.zip") as archive:
        archive.extractall(content)
    implementation = (content / f"plugin-{_IMPLEMENTATION}").rename(content / _IMPLEMENTATION)
    text = (implementation / "db.copy").read_text()
    text = text.replace("'{SQLITE_IMPLEMENTATION_FOLDER_PATH}'", f"__DIR__ . '/{_IMPLEMENTATION}'")
    text = text.replace("{SQLITE_PLUGIN}", f"{_IMPLEMENTATION}/load.php")
    (content / "db.php").write_text(text)


def _salts_file(site: Site) -> Path:
    return site.folder / "salts.php"
