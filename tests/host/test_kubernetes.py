"""Kubernetes manifests: valid by the schemas, and in agreement with the image, the proxy and the settings."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from engine.serving import config
from tests.host.test_files import PORT, compose, instructions
from tests.serving import ROOT

HOSTING = ROOT / "hosting"
VERSION = "1.34"  # strict schemas of this one; nothing in the manifests is newer
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((HOSTING / "kustomization.yaml").read_text("utf-8"))
OBJECTS: list[dict[str, Any]] = [
    each for path in KUSTOMIZATION["resources"] for each in yaml.safe_load_all((HOSTING / path).read_text("utf-8"))
]


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = named("Deployment", name)["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_a_manifest_is_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_a_mistake_is_found() -> None:
    wrong = {**named("Service", "app"), "spec": {**named("Service", "app")["spec"], "clusterIp": "None"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_every_manifest_is_listed() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == sorted(
        str(path.relative_to(HOSTING)) for path in (HOSTING / "kubernetes").glob("*.yaml")
    )


def test_selectors_ports_and_probes_agree() -> None:
    for name in ("app", "proxy"):
        deployment, service = named("Deployment", name), named("Service", name)
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == labels
        (container,) = pod(name)["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert all(port["targetPort"] in ports for port in service["spec"]["ports"])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            check = container.get(probe, container["readinessProbe"])
            assert (check.get("httpGet") or check["tcpSocket"])["port"] in ports
    (app,) = pod("app")["containers"]
    assert {port["containerPort"] for port in app["ports"]} == {PORT, 9101}
    assert app["readinessProbe"]["httpGet"]["path"] in instructions("HEALTHCHECK")[0]


def test_the_proxy_finds_every_replica() -> None:
    (caddy,) = pod("proxy")["containers"]
    rules = (HOSTING / "Caddyfile").read_text("utf-8")
    service = re.search(r"name \{\$APP:(\w+)\}", rules)
    assert service is not None and named("Service", service[1])["spec"]["clusterIP"] == "None"
    environment = {entry["name"]: entry["value"] for entry in caddy["env"]}
    assert environment["SITE"] == f":{caddy['ports'][0]['containerPort']}" and "{$SITE:" in rules
    (volume,) = [each for each in pod("proxy")["volumes"] if "configMap" in each]
    generated = {each["name"]: each for each in KUSTOMIZATION["configMapGenerator"]}
    assert all((HOSTING / file).is_file() for file in generated[volume["configMap"]["name"]]["files"])
    assert caddy["image"] == compose()["proxy"]["image"]


def test_replicas_share_a_secret_and_the_settings_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    (app,) = pod("app")["containers"]
    (secret,) = app["env"]
    assert secret["name"] == "STREAMLIT_SERVER_COOKIE_SECRET" and "value" not in secret
    reference = secret["valueFrom"]["secretKeyRef"]
    text = (HOSTING / "kustomization.yaml").read_text("utf-8")
    assert f"secret generic {reference['name']} --from-literal={reference['key']}=" in text
    (literals,) = [each["literals"] for each in KUSTOMIZATION["configMapGenerator"] if each["name"] == "settings"]
    settings = dict(line.split("=", 1) for line in literals)
    for name, value in settings.items():
        assert name in compose()["app"]["environment"]
        monkeypatch.setenv(name, value)
    assert config.current().sessions == 60 and config.current().metrics == "0.0.0.0:9101"
    assert app["envFrom"] == [{"configMapRef": {"name": "settings"}}]


@pytest.mark.parametrize("name", ["app", "proxy"])
def test_nobody_is_root(name: str) -> None:
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    (container,) = pod(name)["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True and security["allowPrivilegeEscalation"] is False
    assert security["capabilities"]["drop"] == ["ALL"]
    if name == "app":
        assert str(pod(name)["securityContext"]["runAsUser"]) == instructions("USER")[0]
