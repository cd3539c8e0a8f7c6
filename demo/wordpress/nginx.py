"""Configuration of nginx and PHP-FPM for one site, as WordPress's handbook has it."""

import os
from dataclasses import dataclass
from pathlib import Path

from demo.wordpress.site import PHP_SETTINGS, Permalinks, Site

WORKERS = 4

_MIME_TYPES = {
    "application/javascript": "js mjs",
    "application/json": "json map",
    "font/woff2": "woff2",
    "image/gif": "gif",
    "image/jpeg": "jpg jpeg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "text/css": "css",
    "text/html": "html htm",
    "text/plain": "txt",
}

_FASTCGI = {
    "QUERY_STRING": "$query_string",
    "REQUEST_METHOD": "$request_method",
    "CONTENT_TYPE": "$content_type",
    "CONTENT_LENGTH": "$content_length",
    "SCRIPT_NAME": "$fastcgi_script_name",
    "SCRIPT_FILENAME": "$document_root$fastcgi_script_name",
    "REQUEST_URI": "$request_uri",
    "DOCUMENT_URI": "$document_uri",
    "DOCUMENT_ROOT": "$document_root",
    "SERVER_PROTOCOL": "$server_protocol",
    "REQUEST_SCHEME": "$scheme",
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SERVER_SOFTWARE": "nginx/$nginx_version",
    "REMOTE_ADDR": "$remote_addr",
    "REMOTE_PORT": "$remote_port",
    "SERVER_ADDR": "$server_addr",
    "SERVER_PORT": "$server_port",
    "SERVER_NAME": "$host",
    "REDIRECT_STATUS": "200",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files for a server at `host`, which must lead to loopback; `authority` is who signed it."""

    chain: Path
    key: Path
    authority: Path
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where nginx listens and what it lets PHP know."""

    port: int
    certificate: Certificate | None
    says_https: bool
    passes_authorization: bool


def nginx_text(site: Site, folder: Path, socket: Path, listener: Listener) -> str:
    """`nginx.conf` for `site`; nginx keeps its own files in `folder` and meets PHP-FPM at `socket`."""
    fastcgi = dict(_FASTCGI)
    if listener.says_https:
        fastcgi["HTTPS"] = "on"
    if not listener.passes_authorization:
        # A parameter of this name replaces the header, and an empty one is then not sent: as with Apache and CGI.
        fastcgi["HTTP_AUTHORIZATION"] = '"" if_not_empty'
    tls = ""
    if listener.certificate:
        tls = f'ssl_certificate "{listener.certificate.chain}"; ssl_certificate_key "{listener.certificate.key}";'
    unmatched = "/index.php?$args" if site.permalinks is Permalinks.PRETTY else "=404"
    return f"""
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 1;
pid "{folder}/nginx.pid";
error_log "{folder}/nginx.log" warn;
events {{ worker_connections 512; }}
http {{
    types {{ {" ".join(f"{kind} {names};" for kind, names in _MIME_TYPES.items())} }}
    default_type application/octet-stream;
    access_log "{folder}/access.log";
    client_body_temp_path "{folder}/body";
    fastcgi_temp_path "{folder}/fastcgi";
    proxy_temp_path "{folder}/proxy";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    sendfile on;
    server {{
        listen 127.0.0.1:{listener.port}{" ssl" if listener.certificate else ""};
        {tls}
        root "{site.document_root}";
        index index.php;
        client_max_body_size 128m;
        location / {{ try_files $uri $uri/ {unmatched}; }}
        location ~ /\\. {{ deny all; }}
        location ~ \\.php$ {{
            try_files $uri =404;
            {" ".join(f"fastcgi_param {name} {value};" for name, value in fastcgi.items())}
            fastcgi_buffer_size 32k;
            fastcgi_buffers 16 32k;
            fastcgi_read_timeout 120s;
            fastcgi_pass "unix:{socket}";
        }}
    }}
}}
"""


def fpm_text(folder: Path, socket: Path) -> str:
    """`php-fpm.conf` with a fixed number of workers that run as whoever starts it."""
    # An admin value is final: display_errors as anything but 0 would put messages into pages, whatever WordPress says.
    values = PHP_SETTINGS | {"display_errors": "0"}
    settings = "\n".join(f"php_admin_value[{name}] = {value}" for name, value in values.items())
    return f"""
[global]
daemonize = no
error_log = {folder}/php-fpm.log
[www]
{"user = root" if os.geteuid() == 0 else ""}
{"group = root" if os.geteuid() == 0 else ""}
listen = {socket}
pm = static
pm.max_children = {WORKERS}
catch_workers_output = yes
decorate_workers_output = no
{settings}
"""
