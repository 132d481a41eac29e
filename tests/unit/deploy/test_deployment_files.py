"""What is shipped for platforms names the processes of the Procfile, and settings that there are."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.run.roles import GRANTS
from ops.run.up import read_procfile
from shared.db.tables import metadata
from shared.own_secrets import NEEDED
from shared.queue.messages import FRAMES
from shared.settings import SECRETS, Settings
from shared.telemetry.metrics.table import TABLE

ROOT = Path(__file__).parents[3]
PROCESSES = set(read_procfile(ROOT / "Procfile"))
LASTING = PROCESSES - {"release"}
SETTINGS = {name.upper() for name in Settings.model_fields}
#: The role in the database of each process; release is the owner.
ROLES = {"web": "web", "worker": "worker", "worker_identity": "identity", "clock": "clock", "events": "events"}
#: The variables with the roles' passwords, which only release has.
PASSWORDS = {f"LIVENESS_{role.upper()}_PASSWORD" for role in ROLES.values()}
#: Seconds that a process may take to end: FRAME_DEADLINE and what gunicorn gives beside it.
ENDING = Settings.model_fields["frame_deadline"].default + 5

APP = json.loads((ROOT / "app.json").read_text())
COMPOSE = yaml.safe_load((ROOT / "ops/deploy/docker/compose.yml").read_text())
KUBERNETES = ROOT / "ops/deploy/kubernetes"
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "liveness"}


def manifests(*names: str) -> list[dict[str, Any]]:
    """All documents of some of ops/deploy/kubernetes' files."""
    return [document for name in names for document in yaml.safe_load_all((KUBERNETES / name).read_text())]


def applied() -> list[dict[str, Any]]:
    """Everything that the two kustomizations name."""
    (whole,), (first,) = manifests("kustomization.yaml"), manifests("migrate/kustomization.yaml")
    return manifests(*whole["resources"], *(f"migrate/{name}" for name in first["resources"]))


def valid(environment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that a process makes of an environment."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        if name in PASSWORDS:
            continue
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def filled_in(text: str) -> str:
    """What compose makes of `${NAME}`, `${NAME:-default}` and `${NAME:?sentence}`, each NAME that has no default filled."""
    return re.sub(r"\$\{\w+(?:(:[-?])([^}]*))?\}", lambda m: m[2] if m[1] == ":-" else "x" * 32, text)


def test_app_json_has_every_process_and_only_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(APP["formation"]) == LASTING
    assert set(APP["env"]) <= SETTINGS
    assert all(variable["description"] for variable in APP["env"].values())
    secret = {name: "f" * 64 for name, variable in APP["env"].items() if variable.get("generator") == "secret"}
    assert set(secret) == {"TOKEN_SECRET", "METRICS_TOKEN"}
    settings = valid({n: v["value"] for n, v in APP["env"].items() if "value" in v} | secret, monkeypatch)
    assert settings.auth == "required"


def test_compose_has_every_process_and_only_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {role for service in OURS.values() for role in service["command"]} == PROCESSES
    assert sum(service["command"] == ["web"] for service in OURS.values()) == 2
    for service in OURS.values():
        assert set(service["environment"]) <= SETTINGS | PASSWORDS
        assert valid({n: filled_in(v) for n, v in service["environment"].items()}, monkeypatch).auth == "required"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert int(service["stop_grace_period"].removesuffix("s")) > ENDING
        assert set(service["depends_on"]) <= set(COMPOSE["services"])


def test_compose_has_no_password_but_from_the_environment() -> None:
    text = (ROOT / "ops/deploy/docker/compose.yml").read_text()
    example = (ROOT / "ops/deploy/docker/env.example").read_text()
    secrets = set(re.findall(r"\b\w+_(?:PASSWORD|SECRET|TOKEN)\b", text)) - {"POSTGRES_PASSWORD"} | {
        "POSTGRES_PASSWORD"
    }
    secrets -= PASSWORDS  # as migrate calls those of env.example
    assert len(secrets) == 10
    for name in secrets:
        assert re.search(rf"^{name}=$", example, re.MULTILINE), f"{name} has a value in env.example, or no line"
        assert len(re.findall(rf"\$\{{{name}\b", text)) == len(re.findall(rf"\$\{{{name}:\?", text)) > 0
    used = set(re.findall(r"\$\{(\w+)", text))
    assert used == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def only_what_it_needs(process: str, environment: dict[str, str]) -> None:
    """A process has the secrets that it needs, and signs in to the database by its own role."""
    given = {name.lower() for name in environment} & SECRETS
    if process == "release":
        assert "metrics_token" not in given
        assert set(environment) >= PASSWORDS
        assert re.match(r"postgres://liveness:|$", environment["DATABASE_URL"])
        return
    assert given == NEEDED.get(process, frozenset())
    assert not set(environment) & (PASSWORDS | {"POSTGRES_PASSWORD"})
    assert re.match(rf"postgres://liveness_{ROLES[process]}:|$", environment["DATABASE_URL"])


def test_compose_gives_each_process_its_own_secrets_and_its_own_role() -> None:
    for service in OURS.values():
        (process,) = service["command"]
        only_what_it_needs(process, service["environment"])
    text = (ROOT / "ops/deploy/docker/compose.yml").read_text()
    for role in ROLES.values():
        assert f"LIVENESS_{role.upper()}_PASSWORD: ${{{role.upper()}_PASSWORD:?" in text
        assert f"postgres://liveness_{role}:${{{role.upper()}_PASSWORD:?" in text


def test_compose_confines_the_servers_as_well() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_table_is_thought_of_in_the_roles() -> None:
    """A new table is to be granted to the processes that use it."""
    assert set(GRANTS) == set(ROLES.values())
    assert {table for grants in GRANTS.values() for table in grants} == set(metadata.tables)


def test_compose_gives_nginx_each_web_process() -> None:
    webs = {f"{name}:8000" for name, service in OURS.items() if service["command"] == ["web"]}
    given = COMPOSE["services"]["nginx"]["environment"]
    assert set(re.findall(r"server (\S+) ", given["WEB_SERVERS"])) == webs
    template = (ROOT / "ops/deploy/nginx/liveness.conf.template").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) == set(given)


def test_the_image_holds_what_it_copies_and_every_package_of_the_service() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert all((ROOT / path).exists() for path in let_in)
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE):
        for source in sources.split():
            assert any(source.startswith(path) for path in let_in), f"{source} is kept out by .dockerignore"
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert all(f"COPY {package}/ {package}/" in dockerfile for package in packages | {"bin", "migrations"})


def test_every_deployment_asks_for_keys_from_the_beginning() -> None:
    """Else a database without keys, as a mistyped DATABASE_URL names one, would open the service."""
    (settings,) = manifests("settings.yaml")
    assert APP["env"]["AUTH"]["value"] == "required"
    assert settings["data"]["AUTH"] == "required"
    assert {service["environment"]["AUTH"] for service in OURS.values()} == {"required"}
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^ENV [^\n]*(\\\n[^\n]*)*\bAUTH=required$", last, re.MULTILINE)


def test_a_role_is_the_procfiles_command_and_anything_else_is_run_as_it_is(tmp_path: Path) -> None:
    for program in ("gunicorn", "dramatiq", "python"):
        (tmp_path / program).write_text('#!/bin/sh\necho "$0" "$@"\n')
        (tmp_path / program).chmod(0o755)

    def said(*arguments: str) -> str:
        environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "WORKER_PROCESSES": "3"}
        command = [str(ROOT / "bin" / "role"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    assert said("web") == f"{tmp_path}/gunicorn -c ops/gunicorn.conf.py api:create_app()\n"
    assert said("worker") == f"{tmp_path}/python -m workers -p 3 -t 1 -Q frames\n"
    assert said("worker_identity") == f"{tmp_path}/python -m workers -p 1 -t 1 -Q identity\n"
    assert said("echo", "web:", "a  b") == "web: a  b\n"


def test_kubernetes_has_every_process_and_nothing_that_is_not_applied() -> None:
    pods = [document["spec"]["template"]["spec"] for document in applied() if document["kind"] in ("Deployment", "Job")]
    roles = {tuple(container["args"]) for pod in pods for container in pod["containers"]}
    assert roles == {(process,) for process in PROCESSES}
    assert len(pods) == len(PROCESSES)
    files = {str(path.relative_to(KUBERNETES)) for path in KUBERNETES.rglob("*.yaml")}
    named = {*manifests("kustomization.yaml")[0]["resources"], "migrate/migrate.yaml", "keda-redis.yaml"}
    assert {file for file in files if "kustomization" not in file and "examples" not in file} == named


def test_every_pod_is_confined_and_has_time_to_end() -> None:
    for document in applied():
        if document["kind"] not in ("Deployment", "Job"):
            continue
        pod = document["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", "/app/var"}
            assert set(container["resources"]["limits"]) == {"cpu", "memory"}
        if document["kind"] == "Deployment":
            paused = 5 if document["metadata"]["name"] == "web" else 0
            assert pod["terminationGracePeriodSeconds"] > ENDING + paused
            labels = document["spec"]["template"]["metadata"]["labels"]
            assert document["spec"]["selector"]["matchLabels"] == labels
            budgets = [
                d
                for d in applied()
                if d["kind"] == "PodDisruptionBudget" and d["spec"]["selector"]["matchLabels"] == labels
            ]
            assert len(budgets) == 1


def test_kubernetes_gives_only_settings_and_valid_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    (settings,) = manifests("settings.yaml")
    secrets = {secret["metadata"]["name"]: secret["stringData"] for secret in manifests("examples/secrets.yaml")}
    assert {value for secret in secrets.values() for value in secret.values()} == {""}, "a secret in the repository"
    for document in applied():
        if document["kind"] in ("Deployment", "Job"):
            (container,) = document["spec"]["template"]["spec"]["containers"]
            assert {variable["name"] for variable in container.get("env", [])} <= SETTINGS
            first, *sources = [next(iter(source.values()))["name"] for source in container["envFrom"]]
            assert first == settings["metadata"]["name"]
            given = settings["data"] | {name: value for source in sources for name, value in secrets[source].items()}
            assert set(given) <= SETTINGS | PASSWORDS
            assert valid(given, monkeypatch).auth == "required"
            only_what_it_needs(container["args"][0], given)
            if container["args"] == ["release"]:
                assert "QUEUE_URL" not in given, "it needs the database alone"


def test_kubernetes_lets_in_only_confined_pods_from_images_that_cannot_be_moved() -> None:
    (namespace,) = manifests("namespace.yaml")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    (operator,) = manifests("examples/operator.yaml")
    pods = [d["spec"]["template"]["spec"] for d in applied() if d["kind"] in ("Deployment", "Job")] + [operator["spec"]]
    for pod in pods:  # what "restricted" asks for
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["securityContext"]["runAsNonRoot"]
        assert all(set(volume) == {"name", "emptyDir"} for volume in pod["volumes"])
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for kustomization in ("kustomization.yaml", "migrate/kustomization.yaml"):
        (image,) = manifests(kustomization)[0]["images"]
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", image["digest"])
        assert "newTag" not in image


def test_every_pod_talks_to_what_it_needs_and_to_nobody_else() -> None:
    policies = {document["metadata"]["name"]: document["spec"] for document in manifests("network.yaml")}
    everybody = policies.pop("nobody")
    assert everybody["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in everybody
    assert [port["port"] for rule in everybody["egress"] for port in rule["ports"]] == [53, 53]
    pods = [d for d in applied() if d["kind"] in ("Deployment", "Job")]
    assert {document["metadata"]["name"] for document in pods} == set(policies)
    for document in pods:
        name = document["metadata"]["name"]
        labels = document["spec"]["template"]["metadata"]["labels"]
        assert policies[name]["podSelector"]["matchLabels"] == labels
        assert everybody["podSelector"]["matchLabels"].items() <= labels.items()
        assert policies[name]["policyTypes"] == ["Ingress", "Egress"]
        assert ("ingress" in policies[name]) == (name == "web")
        ports = {port["port"] for rule in policies[name]["egress"] for port in rule["ports"]}
        assert ports <= {5432, 6379, 5671, 5672} | ({443} if name == "events" else set())
        assert 5432 in ports
    private = {
        block for rule in policies["events"]["egress"] for to in rule.get("to", []) for block in to["ipBlock"]["except"]
    }
    assert private >= {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"}


@pytest.mark.parametrize("file", ["keda.yaml", "keda-redis.yaml"])
def test_keda_looks_at_our_queue_and_at_a_metric_that_there_is(file: str) -> None:
    authentication, scaled = manifests(file)
    deployments = {d["metadata"]["name"]: d["spec"] for d in applied() if d["kind"] == "Deployment"}
    assert "replicas" not in deployments[scaled["spec"]["scaleTargetRef"]["name"]], (
        "each apply would undo what KEDA did"
    )
    assert scaled["spec"]["minReplicaCount"] == 2
    by_length, by_age = scaled["spec"]["triggers"]
    queue = by_length["metadata"].get("queueName") or by_length["metadata"]["listName"].removeprefix("dramatiq:")
    assert queue == FRAMES
    assert by_length["authenticationRef"]["name"] == authentication["metadata"]["name"]
    metric, label = re.fullmatch(r'max\((\w+)\{(\w+)="frames"\}\)', by_age["metadata"]["query"]).groups()  # type: ignore[union-attr]
    assert label in TABLE[metric].labels
    assert 0 < float(by_age["metadata"]["threshold"]) < Settings.model_fields["frame_wait"].default


def test_web_is_scaled_and_reached() -> None:
    web = {document["kind"]: document["spec"] for document in manifests("web.yaml")}
    assert web["HorizontalPodAutoscaler"]["minReplicas"] == 2
    assert "replicas" not in web["Deployment"]
    labels = web["Deployment"]["template"]["metadata"]["labels"]
    assert web["Service"]["selector"] == labels
    (container,) = web["Deployment"]["template"]["spec"]["containers"]
    assert {port["name"] for port in container["ports"]} == {port["targetPort"] for port in web["Service"]["ports"]}
    assert str(container["ports"][0]["containerPort"]) == manifests("settings.yaml")[0]["data"]["PORT"]
    backend = manifests("examples/ingress.yaml")[0]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == "web"
    assert backend["port"]["name"] in {port["name"] for port in web["Service"]["ports"]}
