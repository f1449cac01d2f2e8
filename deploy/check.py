#!/usr/bin/env python3
"""Checks the manifests below deploy/ by the types of Kubernetes and of Knative, without a cluster.

A field that does not exist is ignored by the types, so what they make of a manifest is compared
with what it says.
"""

import importlib
import pathlib
import sys

import yaml

TYPES = {
    "v1": "kubernetes.core.v1",
    "apps/v1": "kubernetes.apps.v1",
    "policy/v1": "kubernetes.policy.v1",
    "autoscaling/v2": "kubernetes.autoscaling.v2",
    "networking.k8s.io/v1": "kubernetes.networking.v1",
    "serving.knative.dev/v1": "knative_serving.serving.v1",
}
# Read by other programs than a cluster.
OTHERS = {"Kustomization"}
DIRECTORIES = ("kubernetes", "cloud-run")


def lost(said: object, understood: object, path: str = "") -> list[str]:
    """The places where something is said that was not understood."""
    if isinstance(said, dict) and isinstance(understood, dict):
        parts = [(key, said[key], understood.get(key)) for key in said]
    elif isinstance(said, list) and isinstance(understood, list) and len(said) == len(understood):
        parts = [(str(at), *pair) for at, pair in enumerate(zip(said, understood, strict=True))]
    else:
        return [] if said == understood else [f"{path}: {said!r} became {understood!r}"]
    return [problem for key, *pair in parts for problem in lost(*pair, f"{path}.{key}")]


def check(manifest: dict) -> list[str]:
    version, kind = manifest.get("apiVersion", ""), manifest.get("kind", "")
    if kind in OTHERS:
        return []
    if version not in TYPES:
        return [f"{version}/{kind}: not known here"]
    kind_type = getattr(importlib.import_module(f"cloudcoil.models.{TYPES[version]}"), kind, None)
    if kind_type is None:
        return [f"{version} has no {kind}"]
    try:
        understood = kind_type.model_validate(manifest)
    except (TypeError, ValueError) as error:
        return [str(error)]
    return lost(manifest, understood.model_dump(mode="json", by_alias=True, exclude_none=True))


def main() -> int:
    here = pathlib.Path(__file__).parent
    checked, problems = 0, []
    for path in sorted(file for name in DIRECTORIES for file in (here / name).glob("*.yaml")):
        for manifest in yaml.safe_load_all(path.read_text()):
            checked += 1
            problems += [f"{path.relative_to(here)}: {problem}" for problem in check(manifest)]
    print("\n".join(problems) if problems else f"{checked} manifests are as their types have it")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
