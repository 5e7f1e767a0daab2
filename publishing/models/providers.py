"""What flows need of the world outside: model providers, and secrets that flows name. Both are sealed at rest."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from identity.models import Tenant

ref_validator = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}\Z",
    "Use 1 to 100 letters, digits and _ . : - with a letter or digit first.",
)


class ModelProvider(models.Model):
    """A server that speaks OpenAI's chat protocol, known to the tenant's flows by its ref. The key never leaves here
    but in a request to `base_url`."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="model_providers")
    ref = models.CharField(max_length=100, validators=[ref_validator])
    base_url = models.CharField(max_length=500)
    sealed_key = models.BinaryField(null=True, editable=False)
    timeout_s = models.FloatField(
        default=60.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(600.0)],
        help_text="Longest silence before the first token, and between two of them.",
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="How the server wants to be asked; see `scaicore.model_options`."
    )
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["ref"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "ref"],
                name="provider_ref_unique_in_tenant",
                violation_error_message="A provider with this ref exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def has_key(self) -> bool:
        """Whether calls carry a key."""
        return self.sealed_key is not None


class Secret(models.Model):
    """A text of the tenant that flows name and nobody reads again: an API token, a signing key."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=100, validators=[ref_validator])
    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="secret_name_unique_in_tenant",
                violation_error_message="A secret with this name exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
