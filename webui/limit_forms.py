"""The form of a limit: whose calls, of which model, how much of what."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from identity.models import ApiKey, Group, Tenant, User
from publishing.actions import LimitTerms
from publishing.models import Core, Each, Measure, Per, Price, UsageLimit
from webui.provider_forms import RefusableForm

ALL, EACH_USER, EACH_KEY, USER, KEY, GROUP, MEMBER = "all", "each-user", "each-key", "user", "key", "group", "member"
WHOSE: Final = (
    (ALL, "All of the tenant’s, together"),
    (EACH_USER, "Each user’s"),
    (EACH_KEY, "Each API key’s"),
    (GROUP, "A group’s, together"),
    (MEMBER, "Each member’s of a group"),
    (USER, "One user’s"),
    (KEY, "One API key’s"),
)
PLACES: Final = 6
NAMED: Final = {GROUP: "group", MEMBER: "group", USER: "user", KEY: "key"}


def _decimal() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


class PriceForm(RefusableForm):
    """What a million tokens of a model cost; 0 for both is no price."""

    name_field = "prompt"

    prompt = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=PLACES, label="Tokens in, a million", widget=_decimal()
    )
    completion = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=PLACES, label="Tokens out, a million", widget=_decimal()
    )

    @classmethod
    def of(cls, price: Price | None) -> PriceForm:
        """The form as it is shown for a price, or for none."""
        if price is None:
            return cls(initial={"prompt": "0", "completion": "0"})
        return cls(initial={name: f"{getattr(price, name).normalize():f}" for name in ("prompt", "completion")})


class LimitForm(RefusableForm):
    """A limit to add, or with `limit` one of which the amount is changed: whom it is about stays."""

    name_field = "amount"

    whose = forms.ChoiceField(choices=WHOSE, label="Whose calls")
    who = forms.CharField(
        required=False,
        max_length=254,
        label="Which one",
        help_text="The id of the group, the e-mail address of the user, or the id of the API key.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    model = forms.CharField(
        required=False,
        max_length=200,
        label="Model",
        help_text="Its published name. Empty: all models.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "list": "models"}),
    )
    amount = forms.DecimalField(
        min_value=0,
        max_digits=20,
        decimal_places=PLACES,
        label="At most",
        widget=_decimal(),
    )
    measure = forms.ChoiceField(choices=Measure.choices, label="of")
    per = forms.ChoiceField(choices=Per.choices, label="in")
    is_soft = forms.BooleanField(required=False, label="Only warn", help_text="Calls beyond it are answered.")

    def __init__(self, *args: Any, tenant: Tenant, limit: UsageLimit | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tenant, self._limit = tenant, limit
        if limit is not None:
            for name in ("whose", "who", "model", "measure", "per"):
                del self.fields[name]

    @classmethod
    def of(cls, limit: UsageLimit) -> LimitForm:
        """The form as it is shown for a limit that exists."""
        shown = {"amount": f"{limit.amount.normalize():f}", "is_soft": limit.is_soft}
        return cls(initial=shown, tenant=limit.tenant, limit=limit)

    def clean(self) -> dict[str, Any]:
        """Find what the form names among the tenant's own."""
        given = super().clean() or {}
        if self._limit is None:
            given["named"] = self._find_named(given.get("whose", ALL), given.get("who", "").strip())
            given["core"] = self._find_core(given.get("model", "").strip())
        return given

    def terms(self) -> LimitTerms:
        """What the form says."""
        given, limit = self.cleaned_data, self._limit
        if limit is not None:
            kept = {name: getattr(limit, name) for name in ("measure", "per", "each", "user", "key", "group", "core")}
            return LimitTerms(**kept, amount=given["amount"], is_soft=given["is_soft"])
        each = {EACH_USER: Each.USER, MEMBER: Each.USER, EACH_KEY: Each.KEY}.get(given["whose"], Each.TOGETHER)
        found = {NAMED[given["whose"]]: given["named"]} if given["whose"] in NAMED else {}
        fields = {name: given[name] for name in ("measure", "per", "amount", "is_soft", "core")}
        return LimitTerms(**fields, **found, each=each)

    def _find_named(self, whose: str, who: str) -> Any:
        kind = NAMED.get(whose)
        if kind is None:
            return None
        rows: dict[str, Any] = {
            "group": Group.objects.filter(tenant=self._tenant, scaikey_id=who),
            "user": User.objects.filter(tenant=self._tenant, email__iexact=who),
            "key": ApiKey.objects.filter(user__tenant=self._tenant, pk=who),
        }
        if not who or "\0" in who or (found := rows[kind].first()) is None:
            self.add_error("who", f"There is no such {kind} in your tenant.")
            return None
        return found

    def _find_core(self, name: str) -> Core | None:
        if not name:
            return None
        found = Core.objects.filter(tenant=self._tenant, publication__name=name).first() if "\0" not in name else None
        if found is None:
            self.add_error("model", ValidationError("Your tenant publishes no model with this name."))
        return found
