"""Who asks: tenants, users, ScaiKey groups, API keys, and the audit log of everything they changed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from identity import ids

slug_validator = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z",
    "Use 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end.",
)


OPERATORS = "operators"


class Tenant(models.Model):
    """An organisation. Its slug is part of every model name that clients send, so it never changes."""

    slug = models.CharField(primary_key=True, max_length=63, validators=[slug_validator])
    name = models.CharField(max_length=200)
    is_active = models.BooleanField("active", default=True, help_text="Off: every key of the tenant answers 401.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Role(models.TextChoices):
    """What a user may change in the tenant. No role decides who may call a model."""

    ADMIN = "tenant_admin", "Tenant admin"
    USER = "tenant_user", "Tenant user"
    VIEWER = "tenant_viewer", "Tenant viewer"


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address; the address is stored in lower case."""

    def create_user(self, email: str, *, tenant: Tenant, password: str | None = None, **fields: Any) -> User:
        """A saved user; without a password the user signs in nowhere and calls by key alone."""
        user = self.model(email=email.strip().lower(), tenant=tenant, **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, *, tenant: Tenant | str = OPERATORS, password: str | None = None, **fields: Any
    ) -> User:
        """A saved superuser, of the tenant `operators` by default: `createsuperuser` may be the first command ever."""
        home = tenant if isinstance(tenant, Tenant) else Tenant.objects.get_or_create(slug=tenant)[0]
        fields = {"role": Role.ADMIN, **fields, "is_staff": True, "is_superuser": True}
        return self.create_user(email, tenant=home, password=password, **fields)

    def admins_of(self, tenant_id: str) -> models.QuerySet[User]:
        """Those who may change what belongs to the tenant."""
        return self.filter(tenant=tenant_id, role=Role.ADMIN, is_active=True)

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this e-mail address, however it is written."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person or service account of exactly one tenant."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.user_id, editable=False)
    email = models.EmailField(
        "e-mail address",
        unique=True,
        # The same whether it is taken here or in another tenant, whose people are nobody's business here.
        error_messages={"unique": "This e-mail address cannot be used. Choose another one."},
    )
    name = models.CharField(max_length=200, blank=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="users")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.USER)
    is_active = models.BooleanField("active", default=True, help_text="Off: no sign-in, and every key answers 401.")
    is_staff = models.BooleanField("staff", default=False, help_text="May open this admin, for the own tenant.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["email"]
        constraints = [
            # An address in two spellings would be two users with one mailbox.
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="user_email_lower",
                violation_error_message="Write the e-mail address in lower case.",
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Group(models.Model):
    """A ScaiKey group: a set of users and of groups, known in its tenant by the id that ScaiKey gave it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="groups")
    scaikey_id = models.CharField(
        "group id",
        max_length=128,
        validators=[RegexValidator(r"\A[\w.:@-]+\Z", "Use letters, digits and _ . : @ - only.")],
    )
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    users: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="scaikey_groups"
    )

    class Meta:
        ordering = ["scaikey_id"]
        verbose_name = "ScaiKey group"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scaikey_id"],
                name="group_id_unique_in_tenant",
                violation_error_message="A group with this id exists already.",
            ),
            # What the composite foreign keys of memberships, nestings and grants point to.
            models.UniqueConstraint(fields=["tenant", "id"], name="group_tenant_id"),
        ]

    def __str__(self) -> str:
        return self.scaikey_id

    @property
    def label(self) -> str:
        """The id, and the name behind it where there is one."""
        return f"{self.scaikey_id} ({self.name})" if self.name else self.scaikey_id


class Membership(models.Model):
    """A user is directly in a group of the same tenant (a composite foreign key enforces the tenant)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "group"],
                name="membership_unique",
                violation_error_message="The user is in this group already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Nesting(models.Model):
    """Everyone in `child` is also in `parent`; the decision follows this through any number of levels."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    parent = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="children")
    child = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="parents")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "child"],
                name="nesting_unique",
                violation_error_message="The group is nested here already.",
            ),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("child")),
                name="nesting_not_itself",
                violation_error_message="A group cannot be nested in itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} in {self.parent_id}"


class ApiKey(models.Model):
    """A bearer secret of one user. Only its SHA-256 is stored, under a unique index that finds it.

    `models` limits it to those published names, and to the chat; null is no limit.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.apikey_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    models = ArrayField(models.CharField(max_length=200), null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            # An empty list would read as "no limit" to one reader and as "nothing" to the next.
            models.CheckConstraint(
                condition=models.Q(models__isnull=True) | models.Q(models__len__gt=0), name="key_limit_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class LiveKey(models.Model):
    """The keys that open anything now: not revoked, not expired, of an active user of an active tenant.

    A view of the database, whose text is in `identity/keys.py`, so that the chat's one statement and every other
    endpoint ask the same question.
    """

    key = models.OneToOneField(ApiKey, primary_key=True, on_delete=models.DO_NOTHING, related_name="live")
    digest = models.BinaryField()
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, related_name="+")
    is_stale = models.BooleanField()
    models = ArrayField(models.CharField(max_length=200), null=True)

    class Meta:
        managed = False
        db_table = "identity_live_key"

    def __str__(self) -> str:
        return self.key_id


class Door(models.TextChoices):
    """Where somebody came in to change something."""

    API = "api", "REST API"
    PAGE = "page", "Web pages"
    ADMIN = "admin", "Admin"
    COMMAND = "command", "Command line"


class AuditEntry(models.Model):
    """What somebody changed, written in the transaction of the change; names are text and outlive their rows.

    `door` is empty where nobody came in, and in entries older than the field; so are `request_id` and `address`. The
    database refuses to change or remove an entry (`identity.audit.chain`).
    """

    at = models.DateTimeField()
    tenant = models.CharField(max_length=63)
    actor_id = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=254)
    door = models.CharField(max_length=10, choices=Door.choices, blank=True, default="")
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=300)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    # The database's own defaults: a process of the version before goes on writing while this one begins.
    request_id = models.CharField(max_length=40, blank=True, default="", db_default="")
    address = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["tenant", "-at"], name="audit_by_tenant"),
            models.Index(fields=["target", "-at"], name="audit_by_target"),
            # What the admin reads by: the newest of all tenants, an actor's own, and every way of a search.
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["actor_id", "-at"], name="audit_by_actor"),
            models.Index(fields=["actor"], name="audit_by_actor_name", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["action"], name="audit_by_action", opclasses=["varchar_pattern_ops"]),
            GinIndex(fields=["before"], name="audit_by_before", opclasses=["jsonb_path_ops"]),
            GinIndex(fields=["after"], name="audit_by_after", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}"


class AuditLink(models.Model):
    """The place of an entry in the chain of its tenant, written by the database alone.

    `digest`: SHA-256 of the entry. `hash`: SHA-256 of the hash before, `seq` and `digest`. No foreign key: of entries
    that retention cut away, the last one's link stays.
    """

    pk = models.CompositePrimaryKey("tenant", "seq")
    tenant = models.CharField(max_length=63)
    seq = models.BigIntegerField()
    entry_id = models.BigIntegerField(unique=True)
    digest = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    objects: ClassVar[models.Manager[AuditLink]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.tenant} {self.seq}"


class SignInCell(models.Model):
    """How often something was tried, for one limit and one subject (`identity.throttle`).

    `due` is the time in seconds since 1970 up to which the tries so far use the limit up.
    """

    subject = models.CharField(max_length=64, primary_key=True)
    due = models.FloatField()

    def __str__(self) -> str:
        return self.subject
