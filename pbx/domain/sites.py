"""Users change their site: the label alone, or with the site's defaults instead of their own (domain-features 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from pbx.domain.directory import Directory
from pbx.domain.tenancy import Site, User

_EMPTY: dict[str, object] = {
    "time_zone": "",
    "area_code": "",
    "caller_id": None,
    "caller_id_name": "",
    "emergency_caller_id": None,
    "emergency_address": "",
    "ring_s": None,
    "dial_policy": "",
    "recording": "",
    "shuffled_music": None,
}
"""What a user has from the site while it has none of its own: field → its value for *none*."""


def assign_site(directory: Directory, extensions: Collection[str], site: str) -> Directory:
    """Put users into a site, and nothing else: where the site would change something, what held is written down.

    ValueError for a site or an extension there is not.
    """
    new = directory.sites_by_name.get(site)
    return _assigned(directory, extensions, site, lambda user: _kept(directory, user, new))


def assign_and_overwrite(directory: Directory, extensions: Collection[str], site: str) -> Directory:
    """*Assign and overwrite with site defaults*: the site's values hold from now on, the users' own are gone."""
    return _assigned(directory, extensions, site, lambda user: _EMPTY)


def _assigned(
    directory: Directory, extensions: Collection[str], site: str, values: Callable[[User], dict[str, object]]
) -> Directory:
    if site and site not in directory.sites_by_name:
        raise ValueError(f"there is no site {site}; there are {', '.join(directory.sites_by_name) or 'none'}")
    if missing := sorted(set(extensions) - set(directory.users_by_extension)):
        raise ValueError(f"there is no user {', '.join(missing)}")
    return directory.replaced(
        users=tuple(
            user.model_copy(update={**values(user), "site": site}) if user.extension in extensions else user
            for user in directory.users
        )
    )


def _kept(directory: Directory, user: User, new: Site | None) -> dict[str, object]:
    """What held for a user and would not any more in the new site."""
    old = directory.sites_by_name.get(user.site)
    after: tuple[object, ...] = (user, new, directory.domain, directory.domain.platform)
    before: tuple[object, ...] = (user, old, directory.domain, directory.domain.platform)
    held = {name: _first(before, name, empty) for name, empty in _EMPTY.items()}
    return {name: value for name, value in held.items() if value != _first(after, name, _EMPTY[name])}


def _first(owners: Iterable[object], name: str, empty: object) -> object:
    values = (getattr(owner, name, empty) for owner in owners)
    return next((value for value in values if value != empty), empty)
