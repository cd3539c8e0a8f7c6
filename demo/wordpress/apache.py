"""Configuration of Apache and `mod_php` for one site, as Debian's package has it where WordPress could notice."""

import os
from pathlib import Path

from demo.wordpress.debian import APACHE_MODULES, mod_php
from demo.wordpress.site import PHP_SETTINGS, Site

WEB_USER = "www-data"
"""Who Apache's workers are where root starts it; they are never root themselves."""

_WORKERS = 8  # each keeps its connection, and nobody else's, for up to five idle seconds

_MODULES = (
    "mpm_prefork",
    "authz_core",
    "authz_host",
    "access_compat",
    "alias",
    "deflate",
    "dir",
    "env",
    "filter",
    "mime",
    "negotiation",
    "reqtimeout",
    "rewrite",
    "setenvif",
)


def apache_text(site: Site, folder: Path, port: int, *, says_https: bool) -> str:
    """`apache.conf` for `site`; Apache keeps its own files in `folder`.

    Raises:
        PackagesMissing: `mod_php` is not installed.

    """
    modules = "\n".join(f'LoadModule {name}_module "{APACHE_MODULES}/mod_{name}.so"' for name in _MODULES)
    # An admin value is final: display_errors as anything but 0 would put messages into pages, whatever WordPress says.
    values = PHP_SETTINGS | {"display_errors": "0"}
    settings = "\n".join(f'php_admin_value {name} "{value}"' for name, value in values.items())
    return f"""
ServerRoot "{folder}"
DefaultRuntimeDir "{folder}"
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/apache.log"
{modules}
LoadModule php_module "{mod_php()}"
Listen 127.0.0.1:{port}
ServerName 127.0.0.1:{port}
ServerLimit {_WORKERS}
MaxRequestWorkers {_WORKERS}
StartServers 2
MinSpareServers 1
MaxSpareServers 4
{f"User {WEB_USER}" if os.geteuid() == 0 else ""}
{f"Group {WEB_USER}" if os.geteuid() == 0 else ""}
LogFormat "%h %l %u %t \\"%r\\" %>s %O" plain
CustomLog "{folder}/access.log" plain
TypesConfig /etc/mime.types
AddOutputFilterByType DEFLATE text/html text/plain text/css application/javascript application/json
{"SetEnv HTTPS on" if says_https else ""}
{settings}
DocumentRoot "{site.document_root}"
DirectoryIndex index.php index.html
<Directory />
    Options FollowSymLinks
    AllowOverride None
    Require all denied
</Directory>
<Directory "{site.document_root}">
    Options Indexes FollowSymLinks
    AllowOverride All
    Require all granted
</Directory>
<FilesMatch "^\\.ht">
    Require all denied
</FilesMatch>
<FilesMatch ".+\\.ph(?:ar|p|tml)$">
    SetHandler application/x-httpd-php
</FilesMatch>
"""
