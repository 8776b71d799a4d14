"""Keep accounts of the identity provider under its issuer: the same subject at another issuer is another person.

Accounts keep their people and their names. Which issuer an account belongs to is in the ID token of its last sign-in.
"""

from django.db import migrations

_OLD = "oidc"


def by_issuer(apps, schema_editor):
    for account in _accounts(apps, schema_editor).filter(provider=_OLD):
        token = account.extra_data.get("id_token") if isinstance(account.extra_data, dict) else None
        issuer = str((token or {}).get("iss", "")).rstrip("/")
        if issuer:
            account.provider = issuer
            account.save(update_fields=["provider"])


def by_name(apps, schema_editor):
    """Newest first, where two issuers have the same subject: the older one has no place in the old form."""
    taken = set()
    for account in _accounts(apps, schema_editor).filter(provider__startswith="http").order_by("-last_login"):
        if account.uid not in taken:
            taken.add(account.uid)
            account.provider = _OLD
            account.save(update_fields=["provider"])


def _accounts(apps, schema_editor):
    return apps.get_model("socialaccount", "SocialAccount").objects.using(schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("access", "0004_role_created_by"), ("socialaccount", "0006_alter_socialaccount_extra_data")]
    operations = [migrations.RunPython(by_issuer, by_name)]
