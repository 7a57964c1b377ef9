"""Other houses that know who people are: providers of OpenID Connect, and LDAP. Each needs an extra of ours."""

from ringback.config.logins import Ldap, Oidc
from ringback.core.permissions import Role
from ringback.ports.directories import Admission


def admission_of(kind: str, settings: Oidc | Ldap) -> Admission:
    """What the owner decided about those who come from it, in the words of the flow."""
    return Admission(
        kind=kind,
        label=settings.label,
        create=settings.create,
        default_role=settings.default_role,
        roles={Role(role): frozenset(groups) for role, groups in settings.roles.items()},
        departments={name: frozenset(groups) for name, groups in settings.departments.items()},
    )
