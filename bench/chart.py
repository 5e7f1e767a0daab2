"""`make chart-test`: the Helm chart is linted and rendered as Helm does it, and what comes of it is held to Kubernetes'
own schemas, oldest and newest, the product's settings, and the promises of the image.

Runs in an environment of its own, with Helm's library and the schemas in it: no cluster, no network.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import yaml
from helm_python import HelmError
from helm_python.chart import Chart, lint

ROOT: Final = Path(__file__).resolve().parent.parent
CHART: Final = ROOT / "deploy" / "helm" / "scaigrid"
# Kubernetes has no schema of the Prometheus operator's.
FOREIGN: Final = {"ServiceMonitor"}
EVERYTHING: Final[dict[str, Any]] = {
    "publicUrl": "https://grid.example.com:8443",
    "settings": {"LOG_LEVEL": "DEBUG", "MAX_BODY_BYTES": 20_000_000, "USAGE_GATHER_S": 0.02, "ACCESS_LOG": True},
    "autoscaling": {"enabled": True},
    "ingress": {"enabled": True, "tlsSecretName": "grid-tls"},
    "metrics": {"enabled": True, "serviceMonitor": True},
    "imagePullSecrets": [{"name": "registry"}],
    "podAnnotations": {"example.com/team": "grid"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "grid", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}
WRONG: Final[dict[str, dict[str, Any]]] = {
    "no pod": {"replicas": 0},
    "a URL with a path": {"publicUrl": "https://grid.example.com/x"},
    "a word where a number belongs": {"workers": "many"},
    "a value that nothing reads": {"replica": 3},
    "a secret among the settings": {"settings": {"SECRET_KEY": "x"}},
    "a setting that the chart sets": {"settings": {"DRAIN_S": 60}},
    "less at most than at least": {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}},
    "a monitor of nothing": {"metrics": {"serviceMonitor": True}},
    "no secret": {"existingSecret": ""},
}


def main() -> None:
    """Check all of it; a broken promise ends with an error."""
    report = lint(CHART, strict=True)
    worse = [one for one in report["messages"] if one["severity"] > 1]
    assert not worse and not report["errors"], report
    versions = kubernetes_validate.utils.all_versions()
    tried = [versions[-1], *[one for one in versions if one.startswith("1.27.")][-1:]]
    for name, values in {"as it is": {}, "with everything": EVERYTHING}.items():
        found = rendered(values)
        for resource in found:
            for version in tried:
                if resource["kind"] not in FOREIGN:
                    kubernetes_validate.validate(resource, version, strict=True)
        _check_promises(found)
        print(f"{name}: {', '.join(sorted(one['kind'] for one in found))}; valid in Kubernetes {', '.join(tried)}")
    for name, values in WRONG.items():
        try:
            rendered(values)
        except HelmError:
            continue
        raise SystemExit(f"{name} is not refused")
    _check_budgets()
    print(f"refused: {', '.join(WRONG)}")


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """What an installation with these values is made of."""
    with Chart.load(CHART) as chart:
        chart.validate_schema(values)
        texts = chart.render(values, name="grid", namespace="agents")
    documents = [one for path, text in texts.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text)]
    return [one for one in documents if one]


def _check_promises(found: list[dict[str, Any]]) -> None:
    (deployment,) = (one for one in found if one["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"USER {pod['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text()
    environment = {one["name"]: one["value"] for one in container["env"]}
    known = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert environment.keys() <= known, environment.keys() - known
    assert all(isinstance(value, str) for value in environment.values())
    assert environment.get("MAX_BODY_BYTES", "20000000") == "20000000", "Helm writes large numbers with an exponent"
    longest = sum(float(environment[name]) for name in ("DRAIN_S", "SHUTDOWN_TIMEOUT_S"))
    assert pod["terminationGracePeriodSeconds"] > longest + float(
        container["lifecycle"]["preStop"]["exec"]["command"][1]
    )
    selector = deployment["spec"]["selector"]["matchLabels"].items()
    assert selector <= deployment["spec"]["template"]["metadata"]["labels"].items()
    for one in found:
        assert one["metadata"]["namespace"] == "agents"
        if one["kind"] == "Service":
            assert one["spec"]["selector"].items() <= selector
            assert {port["targetPort"] for port in one["spec"]["ports"]} <= {
                port["name"] for port in container["ports"]
            }
        if one["kind"] == "Ingress":
            assert one["spec"]["rules"][0]["host"] == "grid.example.com"


def _check_budgets() -> None:
    """One pod may go; a budget that keeps it would keep its machine from being emptied."""
    kinds = {one["kind"] for one in rendered({"replicas": 1})}
    assert "PodDisruptionBudget" not in kinds
    assert "PodDisruptionBudget" in {one["kind"] for one in rendered({})}


if __name__ == "__main__":
    main()
