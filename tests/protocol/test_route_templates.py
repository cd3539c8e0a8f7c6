"""The route templates of the site: kept with it, and looked at again as plugins come and go."""

from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from appconnect.control.routes import refresh_route_templates
from appconnect.control_plane import clock, control_context, open_store
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import SiteDescription, SiteProblem, UpstreamError
from appconnect.settings import Settings
from appconnect.store.engine import open_engine
from appconnect.store.migrate import MIGRATIONS, migrate
from appconnect.store.sql_store import SqlStore
from tests.protocol.conftest import settings_in

SITE = SiteAddress("https://your-site.com", "https://your-site.com", has_pretty_permalinks=True)
TEMPLATES = ("/wp/v2/posts", "/wp/v2/posts/(?P<id>[\\d]+)", "/shop/v1/orders/(?P<number>\\w+)")
ORDER = RouteRule.parse("GET /wp-json/shop/v1/orders/a7")


@pytest.fixture
def store(settings: Settings) -> SqlStore:
    found = open_store(settings)
    with found.transaction() as change:
        change.save_site(SITE)
    return found


def pinned(store: SqlStore) -> list[bytes]:
    return [pin.name for pin in store.snapshot(now=clock()).templates.pinned_by(ORDER)]


class Index:
    """A site of which nothing is asked but its index."""

    def __init__(self, *templates: str, is_away: bool = False) -> None:
        self.templates, self.is_away = templates, is_away

    def describe(self) -> SiteDescription:
        if self.is_away:
            raise UpstreamError(SiteProblem.UNREACHABLE, "It is away.", "Wait.")
        return SiteDescription(SITE, "Shop", None, self.templates)


def refresh(gateway_context, index: Index) -> None:
    refresh_route_templates(replace(gateway_context, site_at=lambda _: index))


@pytest.fixture
def context(settings: Settings, store: SqlStore):

    return control_context(settings, store, actor="test")


def test_templates_are_kept_with_the_site(store):
    with store.transaction() as change:
        change.save_route_templates(TEMPLATES)
    assert store.snapshot(now=clock()).templates.texts == TEMPLATES
    assert pinned(store) == [b"number"]


def test_templates_are_compiled_once_for_all_snapshots(store):
    with store.transaction() as change:
        change.save_route_templates(TEMPLATES)
    first = store.snapshot(now=clock()).templates
    with store.transaction():
        pass
    assert store.snapshot(now=clock()).templates is first


def test_a_site_that_is_disconnected_takes_them_along(store):
    with store.transaction() as change:
        change.save_route_templates(TEMPLATES)
    with store.transaction() as change:
        change.save_site(None)
    assert store.snapshot(now=clock()).templates.texts == ()


def test_what_a_plugin_brought_is_found(store, context):
    refresh(context, Index(*TEMPLATES))
    assert pinned(store) == [b"number"]


def test_an_index_that_has_not_changed_changes_nothing(store, context):
    refresh(context, Index(*TEMPLATES))
    before = store.revision()
    refresh(context, Index(*TEMPLATES))
    assert store.revision() == before


def test_a_site_that_is_away_keeps_what_is_known_of_it(store, context):
    refresh(context, Index(*TEMPLATES))
    refresh(context, Index(is_away=True))
    assert store.snapshot(now=clock()).templates.texts == TEMPLATES


def test_without_a_site_nothing_is_asked(settings, context):
    with context.store.transaction() as change:
        change.save_site(None)
    refresh(context, Index(is_away=True))
    assert context.store.snapshot(now=clock()).templates.texts == ()


def test_a_database_of_before_gets_room_for_them_and_loses_nothing(tmp_path):
    settings = settings_in(tmp_path)
    settings.database_path.touch()
    engine = open_engine(settings.database_path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("UPDATE sites SET url = 'https://your-site.com', upstream_url = url"))

    migrate(engine)

    snapshot = open_store(settings).snapshot(now=clock())
    assert snapshot.site is not None
    assert snapshot.templates.texts == ()
