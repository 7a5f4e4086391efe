"""The nested form of a recipe: a section for losses, one for optimizers, one for schedules.

    loss_functions:
      global: {default_loss: cross_entropy, enable_analysis: true, gradient_clipping: 1.0}
      classification:
        cross_entropy: {enabled: true, label_smoothing: 0.1}
        focal_loss: {enabled: true, gamma: 2.0}
    optimization_algorithms:
      global: {default_optimizer: adam}
      adaptive:
        adam: {lr: 0.001, betas: [0.9, 0.999]}
    learning_rate_schedulers:
      global: {default_scheduler: step, enable_monitoring: true}
      step_based:
        step_lr: {step_size: 30, gamma: 0.1}

A section holds categories, which are headings and may be called anything, and these the definitions.  ``default_...``
names the one that is used; without it, that is the only one which is enabled.  Every entry is checked, used or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lossopt import registry
from lossopt.definition import Kind
from lossopt.errors import LossoptError
from lossopt.recipes.config import ALSO, RUN, Draft, read_clip, read_run, read_schedule
from lossopt.recipes.document import Node, Place
from lossopt.recipes.reader import Made, Problems, checked, located, mapping, read_definition, switch, word
from lossopt.recipes.recipe import clip_by


@dataclass(frozen=True)
class Section:
    """One of the three."""

    kind: Kind
    part: str
    default: str
    example: str


SECTIONS = {
    "loss_functions": Section("loss", "loss", "default_loss", "cross_entropy"),
    "optimization_algorithms": Section("optimizer", "optimizer", "default_optimizer", "adam"),
    "learning_rate_schedulers": Section("schedule", "schedule", "default_scheduler", "cosine"),
}
SWITCHES = {
    "enable_analysis": "analysis",
    "enable_monitoring": "monitoring",
    "gradient_clipping": "clip",
    "enable_gradient_clipping": "clip",
}
"""What any section's ``global`` may say, and the setting that it is."""
KEYS = (*SECTIONS, "task", *RUN)


@dataclass(frozen=True)
class Entry:
    """A definition in its category."""

    name: str
    key: str
    enabled: bool
    made: Made
    place: Place


def is_nested(root: Node) -> bool:
    """Whether a document is of this form."""
    return isinstance(root.value, dict) and any(name in root.value for name in SECTIONS)


def draft(root: Node, problems: Problems) -> Draft:
    """What the document says."""
    for short, section in (("loss", "loss_functions"), ("optimizer", "optimization_algorithms"), ("schedule", "learning_rate_schedulers")):
        if short in root.value:
            with problems.gather():
                raise root.keys[short].error(f"this file is of the nested form, where it stands in the section {section}", short)
    known = {name: node for name, node in root.value.items() if name not in ("loss", "optimizer", "schedule")}
    entries = mapping(Node(known, root.place, root.keys), "", KEYS, problems, also=tuple(ALSO))
    found = Draft()
    read_run(entries, found, problems)
    told: dict[str, tuple[str, Place, Any]] = {}
    for name, section in SECTIONS.items():
        with problems.gather():
            node = entries.get(name)
            if node is not None and node.value is not None:
                _section(name, section, node, found, problems, told)
            elif section.part != "schedule":
                place = root.place if node is None else node.place
                raise place.error(f"a recipe has {'an' if section.part == 'optimizer' else 'a'} {section.part}: "
                                  f"write global: {{{section.default}: {section.example}}}", name)  # fmt: skip
    for setting, (key, place, _) in told.items():
        if setting in entries:
            with problems.gather():
                raise place.error(f"{setting} (line {entries[setting].place.line}) says the same: leave one out", key)
    return found


def _section(name: str, section: Section, node: Node, found: Draft, problems: Problems, told: dict[str, Any]) -> None:
    categories = mapping(node, name, example=f"{name}: {{global: {{{section.default}: {section.example}}}}}")
    options: dict[str, Node] = {}
    if "global" in categories:
        at = categories.pop("global")
        with problems.gather():
            options = {} if at.value is None else mapping(at, f"{name}.global", (section.default, *SWITCHES), problems)
    for switch_name in options:
        if switch_name in SWITCHES:
            with problems.gather():
                _switch(f"{name}.global.{switch_name}", SWITCHES[switch_name], options[switch_name], found, told)
    before = len(problems.found)
    entries: dict[str, Entry] = {}
    for category, listed in categories.items():
        with problems.gather():
            _category(f"{name}.{category}", category, section, listed, node.keys[category], entries, problems)
    with problems.gather():
        _choose(name, section, options.get(section.default), entries, node.place, found, complete=len(problems.found) == before)


def _category(key: str, category: str, section: Section, node: Node, at: Place, entries: dict[str, Entry], problems: Problems) -> None:
    if node.value is None:
        return
    listed = mapping(node, key, example=f"{category}: {{{section.example}: {{enabled: true}}}}")
    entries_within = all(isinstance(v.value, dict | None) and _is_defined(k, section.kind) for k, v in listed.items())
    if _is_defined(category, section.kind) and not entries_within:
        heading = {"loss": "classification", "optimizer": "adaptive"}.get(section.kind, "step_based")
        raise at.error(f"{category!r} is a {section.part} and stands in a category: {heading}: {{{category}: {{...}}}}", key)
    for name, body in listed.items():
        with problems.gather():
            entry = _entry(f"{key}.{name}", name, section, body, node.keys[name])
            if (other := entries.get(entry.name)) is not None:
                raise node.keys[name].error(f"{entry.name} stands twice; the first is {other.key} in line {other.place.line}", entry.key)
            entries[entry.name] = entry


def _entry(key: str, name: str, section: Section, node: Node, place: Place) -> Entry:
    """One definition with its hyperparameters, and whether it may be used."""
    kinds: tuple[Kind, ...] = ("optimizer", "transform") if section.kind == "optimizer" else (section.kind,)
    canonical = located(place, key, lambda: registry.definition(name, *kinds)).name
    body = {} if node.value is None else mapping(node, key, example=f"{name}: {{enabled: true}}")
    enabled = switch(body.pop("enabled"), f"{key}.enabled") if "enabled" in body else True
    rest = Node(body, place if node.value is None else node.place, node.keys)
    if section.kind == "schedule":
        made = read_schedule(rest, key, named=name, place=place, partial=not enabled)
    else:
        made = read_definition(rest, section.kind, key, named=name, place=place, partial=not enabled)
    return Entry(canonical, key, enabled, made, place)


def _choose(name: str, section: Section, default: Node | None, entries: dict[str, Entry], place: Place, found: Draft,
            *, complete: bool) -> None:  # fmt: skip
    """The entry that is used: the default, else the only one that is enabled."""
    key = f"{name}.global.{section.default}"
    if default is not None and not (section.part == "schedule" and default.value is None):
        asked = word(default, key)
        kinds: tuple[Kind, ...] = ("optimizer", "transform") if section.kind == "optimizer" else (section.kind,)
        canonical = located(default.place, key, lambda: registry.definition(asked, *kinds)).name
        entry = entries.get(canonical)
        if entry is None and complete:
            found.parts[section.part] = read_definition(default, section.kind, key)
            found.origins[section.part] = default.place
        elif entry is not None and not entry.enabled:
            raise default.place.error(f"{asked} has enabled: false in line {entry.place.line}: enable it, or name another", key)
        elif entry is not None:
            found.parts[section.part], found.origins[section.part] = entry.made, entry.place
        return
    enabled = [entry for entry in entries.values() if entry.enabled]
    if default is None and len(enabled) == 1:
        found.parts[section.part], found.origins[section.part] = enabled[0].made, enabled[0].place
    elif default is None and enabled:
        names = ", ".join(entry.name for entry in enabled)
        raise place.error(f"{names} are enabled: say which is used, such as global: {{{section.default}: {enabled[0].name}}}", name)
    elif section.part != "schedule" and complete:
        article = "an" if section.part == "optimizer" else "a"
        raise place.error(f"a recipe has {article} {section.part}: write global: {{{section.default}: {section.example}}}", name)


def _switch(key: str, setting: str, node: Node, found: Draft, told: dict[str, tuple[str, Place, Any]]) -> None:
    """One of `SWITCHES`; where two sections say it, they say the same."""
    if setting == "clip":
        made = _clipping(node, key)
        value = [] if made is None else made.spec
    else:
        made, value = None, switch(node, key)
    if setting in told and told[setting][2] != value:
        other, line = told[setting][0], told[setting][1].line
        raise node.place.error(f"{node.plain()!r} here and otherwise in {other} (line {line}): write the same, or leave one out", key)
    told[setting] = (key, node.place, value)
    if setting == "clip":
        found.clip = made
    else:
        found.settings[setting], found.origins[setting] = value, node.place


def _clipping(node: Node, key: str) -> Made | None:
    """true, false, the largest global norm, or what `clip` takes."""
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        from lossopt import hyper

        number = checked(node, key, hyper.NonNegative)
        return Made([clip_by("global_norm", number)], {((0,), "max_norm"): node.place})
    if node.value is None or isinstance(node.value, str | list):
        raise node.place.error(f"must be true, false, the largest global norm or {{global_norm: 1.0}}, got {node.plain()!r}", key)
    return read_clip(node, key)


def _is_defined(name: str, kind: Kind) -> bool:
    try:
        registry.definition(name, kind)
    except LossoptError:
        return False
    return True



