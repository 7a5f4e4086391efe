"""An identification in words, and as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lossopt.identify.fit import Fit
from lossopt.identify.known import left_open
from lossopt.identify.naming import Named

if TYPE_CHECKING:
    from lossopt.identify.identification import Identification
    from lossopt.identify.search import Part

SHOWN = 3
"""Of what else fits, or comes next."""


def text(found: Identification, top: int = SHOWN) -> str:
    """What a person reads."""
    lines = [f"{found.label}: {headline(found)}"]
    for i, part in enumerate(found.parts):
        lines += _part(part, several=len(found.parts) > 1, first=i == 0, top=top)
    if found.groups:
        lines += ["  parameters:", *(f"    {group}" for group in found.groups)]
    if found.schedule is not None:
        lines.append(f"  learning rate: {found.schedule}")
    if found.clipping is not None:
        lines.append(f"  {found.clipping}")
    lines += [f"  {note}" for note in found.notes]
    if found.best is not None:
        lines += ["  to type:", f"    torch  {found.best.code('torch')}", f"    jax    {found.best.code('jax')}"]
        if options := found.options():
            lines.append(f"    and    lossopt.get_optimizer(..., groups={options}); parameter groups in torch, masks in optax")
    if found.excluded:
        lines.append(f"  not tried: {'; '.join(_reasons(found))}")
    return "\n".join(lines)


def headline(found: Identification) -> str:
    """One line: what it is, and how sure that is."""
    said = [sentence(part.best, found) if part.best else "nothing explains" for part in found.parts]
    if found.best is None:
        closest = found.parts[0].others[0] if found.parts[0].others else None
        near = "" if closest is None else f"; the closest is {closest.rule.name}, off by {closest.relative:.2g} of an update"
        return f"no definition explains the updates of {found.steps} steps{near}"
    return ", and ".join(said) if len(said) > 1 else said[0]


def sentence(best: Named, found: Identification | None = None) -> str:
    """``adamw, torch convention, lr 0.001, betas (0.9, 0.999), weight_decay 0.01; residual 1.1 roundings``."""
    h = best.spec.hyperparameters
    scheduled = found is not None and found.schedule is not None and found.schedule.spec.definition.name != "constant"
    lr = "lr as scheduled" if scheduled else f"lr {_number(h['lr'])}" if "lr" in h else ""
    names = [c.name for c in best.rule.free] + [n for n in h if h[n] != best.spec.definition.defaults_of(best.convention)[n]]
    shown = [n for n in dict.fromkeys(names) if n in h and n != "lr" and (h[n] != 0 or n == "weight_decay")]
    said = [f"{n} {_number(h[n])}" for n in shown]
    parts = [best.name, f"{best.convention} convention", *([lr] if lr else []), *said]
    return f"{', '.join(parts)}; residual {best.residual:.2g} roundings"


def _part(part: Part, *, several: bool, first: bool, top: int) -> list[str]:
    lines = []
    if several:
        lines.append(f"  {sentence(part.best) if part.best else 'nothing explains'}: {_names(part.names)}")
    lines += [f"  {told}" for told in part.told]
    if part.best is not None:
        if still := left_open(part.best.known):
            lines.append(f"  not determined: {'; '.join(still)}")
        others = [n for n in part.family[1:] if n.words <= part.best.words + 1][:top]
        if others:
            lines.append(f"  the same on these data: {', '.join(repr(n.spec) for n in others)}")
    best = part.best.residual if part.best else None
    others = _of_other_names([fit for fit in part.others if best is None or fit.residual > 2 * best], part.best)[:top]
    if others:
        lines.append("  next best:" if part.best else "  closest:")
        lines += [f"    {_other(fit, best)}" for fit in others]
    return lines


def _of_other_names(fits: Sequence[Fit], best: Named | None) -> list[Fit]:
    """The closest of each definition that is not the best's."""
    own = None if best is None else best.rule.name
    firsts = {fit.rule.name: fit for fit in reversed(fits) if fit.rule.name != own}
    return [fit for fit in fits if firsts.get(fit.rule.name) is fit]


def _other(fit: Fit, best: float | None) -> str:
    from lossopt.identify.identification import spec_of

    times = "" if best is None else f", {_times(fit.residual / max(best, 1e-3))} worse"
    return f"{fit.rule.name}{times}: {_short(repr(spec_of(fit)))}"


def _times(ratio: float) -> str:
    if ratio < 100:
        return f"{ratio:.2g} times"
    exponent = math.floor(math.log10(ratio))
    return f"{ratio / 10**exponent:.0f}e{exponent} times"


def _short(said: str, most: int = 110) -> str:
    return said if len(said) <= most else said[: most - 3] + "..."


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _number(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_number(v) for v in value)})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _reasons(found: Identification) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for e in found.excluded:
        by_reason.setdefault(e.why, []).append(e.name)
    return [f"{', '.join(names)} ({why})" for why, names in by_reason.items()]


def to_dict(found: Identification) -> dict[str, Any]:
    """Plain data, for JSON."""
    return {
        "label": found.label,
        "headline": headline(found),
        "steps": found.steps,
        "parts": [_part_dict(part) for part in found.parts],
        "groups": [group.to_dict() for group in found.groups],
        "schedule": found.schedule.to_dict() if found.schedule else None,
        "clipping": found.clipping.to_dict() if found.clipping else None,
        "notes": list(found.notes),
        "excluded": [{"name": e.name, "why": e.why} for e in found.excluded],
    }


def _part_dict(part: Part) -> dict[str, Any]:
    return {
        "names": list(part.names),
        "family": [_named_dict(n) for n in part.family],
        "others": [{"name": fit.rule.name, "residual": fit.residual, "relative": fit.relative} for fit in part.others],
        "told": list(part.told),
    }


def _named_dict(n: Named) -> dict[str, Any]:
    return {
        "name": n.name,
        "convention": n.convention,
        "hyperparameters": dict(n.spec.hyperparameters),
        "residual": n.residual,
        "relative": n.relative,
        "known": [asdict(k) for k in n.known],
        "torch": n.code("torch"),
        "jax": n.code("jax"),
    }
