"""`zhenxue calibrate`: how well the face model and the liveness check do on this site's people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zipfile import BadZipFile

import typer

from app.cli.answer import FOUND, Json, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.settings import Settings
    from app.vision.calibrate import PadReport, Rate
    from app.vision.model_card import ModelCard

DRAWS = 400  # enrolments and sittings drawn of each identity of a labelled set

app = typer.Typer(help="Measure the face models.")


@app.callback(invoke_without_command=True)
def calibrate(
    apply: Annotated[bool, typer.Option("--apply", help="Decide by what is measured.")] = False,
    attacks: Annotated[
        Path | None,
        typer.Option(help="Folder of labelled presentations, one folder a species, and `live`."),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(help="Measure this .npz (`x` n by dim, `id` n) instead of the stored faces."),
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="`id` is the truth: print ROC, EER, threshold, FNMR.")
    ] = False,
    fmr: Annotated[float, typer.Option(help="Wanted FMR.", min=1e-6, max=0.5)] = 0.01,
    pictures: Annotated[int, typer.Option(help="Pictures a mean.", min=1, max=20)] = 3,
    as_json: Json = False,
) -> None:
    """Thresholds from the stored faces (no labels needed), or figures of a labelled set.

    Exits with 1 when the model does not fit the people it is used on.
    """
    from app.errors import BadInput
    from app.settings import Settings

    settings = Settings()
    if apply and (embeddings or attacks):
        raise BadInput("not_applicable", "--apply needs the faces of the site, not a set of files")
    if labels and embeddings is None:
        raise BadInput("labels_missing", "--labels speaks of an --embeddings file")
    if attacks is not None:
        report, lines = _attacks(attacks, settings)
    elif embeddings is not None:
        card = settings.model_files.card()
        report, lines = _file(embeddings, card, labels, fmr, pictures)
    else:
        report, lines = _site(settings, apply, fmr)
    say(report, as_json, "\n".join(lines))
    if report.get("alarm"):
        raise typer.Exit(FOUND)


def _site(settings: Settings, apply: bool, fmr: float) -> tuple[dict[str, Any], list[str]]:
    from app.jobs.calibration import calibrate as measure
    from app.services import open_services

    with open_services(settings) as services:
        made = measure(services, actor="system:cli", apply=apply, fmr=fmr, by_group=True)
    head = f"calibration {made.id} of {made.model}, {made.body['persons']} persons"
    state = "it decides from now on" if apply else "not applied: --apply lets it decide"
    report = {"calibration": made.id, "model": made.model, "applied": apply, **made.body}
    return report, [f"{head}; {state}", *threshold_lines(made.body)]


def threshold_lines(body: dict[str, Any]) -> list[str]:
    """What a calibration measured, as it is printed."""
    lines = []
    for name in ("raw", "centred"):
        found = body[name]
        used = "decides" if body["decides_on"] == name else "does not decide"
        lines.append(
            f"{name} ({used}): {found['pairs']} pairs of people, {found['own']} comparisons of one "
            "person's own sittings"
        )
        for it in found["counts"]:
            low, high = it["interval_95"]
            lines.append(
                f"  {it['enrolled']} enrolled v {it['moments']} moments: match up to "
                f"{it['match']:.3f} for FMR {body['fmr']:.1%} (95 % interval of the estimate "
                f"{low:.3f} to {high:.3f}), mismatch above {it['mismatch']:.3f}"
            )
    for it in body["errors"]:
        review, mismatch = _share(it["review"]), _share(it["mismatch"])
        lines.append(
            f"honest sittings, {it['group']} ({it['people']} people): to a person {review}, "
            f"called somebody else {mismatch}"
        )
    lines += _left_out(body)
    return [*lines, f"ALARM: {body['alarm']}"] if body["alarm"] else lines


def _left_out(body: dict[str, Any]) -> list[str]:
    """Of whom no rate is told, and why."""
    from app.domain.faces.group_errors import LEAST_IN_GROUP

    lines = [
        f"honest sittings, {it['group']}: {it['people']} people, too few to tell a rate of "
        f"({LEAST_IN_GROUP} are needed)"
        for it in body["small_groups"]
    ]
    if lines or len(body["errors"]) > 1:
        lines.append(f"in no group, as no ID number tells sex and age: {body['ungrouped']} people")
    return lines


def _share(rate: dict[str, Any]) -> str:
    low, high = rate["interval_95"]
    if rate["value"] is None:
        return "no sittings"
    return f"{rate['value']:.1%} of {rate['sittings']} ({low:.1%} to {high:.1%})"


def _file(
    path: Path, card: ModelCard, labels: bool, fmr: float, pictures: int
) -> tuple[dict[str, Any], list[str]]:
    import numpy as np

    from app.errors import BadInput
    from app.vision import calibrate as measure

    vectors, names = _loaded(path, card)
    if not labels:
        return _unlabelled(vectors, names, card, fmr)
    rng = np.random.default_rng(0)
    rows = [vectors[names == name].mean(axis=0) for name in np.unique(names)]
    report: dict[str, Any] = {"file": path.name, "identities": len(rows), "pictures": pictures}
    lines = [f"{path.name}: {len(vectors)} embeddings of {len(rows)} identities"]
    for kind, centre in (("raw", None), ("centred", np.stack(rows).mean(axis=0))):
        try:
            genuine, impostor = measure.grouped_comparisons(
                vectors,
                names,
                pictures,
                pictures,
                rng,
                draws=DRAWS,
                metric=card.metric,
                cohort_mean=centre,
            )
        except ValueError as few:
            raise BadInput("no_embeddings", str(few)) from few
        eer, at = measure.equal_error(genuine, impostor)
        point = measure.point_at_fmr(genuine, impostor, fmr)
        curve = measure.roc(genuine, impostor)
        shown = curve[np.linspace(0, len(curve) - 1, 101).astype(int)].round(5)
        report[kind] = {
            "eer": round(eer, 5),
            "eer_threshold": round(at, 5),
            "threshold": round(point.threshold, 5),
            "fmr": _rate(point.fmr),
            "fnmr": _rate(point.fnmr),
            "roc": shown.tolist(),
        }
        lines.append(
            f"{kind}: EER {eer:.2%} at {at:.3f}; threshold {point.threshold:.3f} for FMR {fmr:.2%}"
            f": FMR {_rate_text(point.fmr)}, FNMR {_rate_text(point.fnmr)}"
        )
    return report, lines


def _loaded(path: Path, card: ModelCard) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Embeddings float32[n, dim] and the identity of each."""
    import numpy as np

    from app.errors import BadInput

    try:
        with path.open("rb") as file, np.load(file) as stored:
            vectors, names = stored["x"].astype(np.float32), stored["id"]
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError) as wrong:
        raise BadInput("no_embeddings", f"{path} holds no arrays x and id: {wrong}") from wrong
    if vectors.ndim != 2 or vectors.shape[1] != card.dim or names.shape != vectors.shape[:1]:
        raise BadInput("no_embeddings", f"{path}: x must be n by {card.dim}, id n long")
    return vectors, names


def _unlabelled(
    vectors: Any, names: Any, card: ModelCard, fmr: float
) -> tuple[dict[str, Any], list[str]]:
    """As on the site: each id is an account with two sittings, its first and second half."""
    import numpy as np

    from app.domain.faces.calibration import Faces, measured
    from app.vision.match import Moment

    faces = []
    for number, name in enumerate(np.unique(names)):
        own = [Moment(it) for it in vectors[names == name]]
        half = len(own) // 2
        faces.append(Faces(number, number, [own[:half], own[half:]]))
    body, _ = measured(card, faces, fmr)
    return {"model": card.model, **body}, threshold_lines(body)


def _attacks(folder: Path, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    from app.errors import BadInput
    from app.vision import attack_set, backends

    if not folder.is_dir():
        raise BadInput("no_attacks", f"{folder} is no folder")
    models = backends.load(settings.model_files)
    found = attack_set.judge_all(folder, models)
    model = None if models.anti_spoof is None else models.anti_spoof.model
    report = {"anti_spoof": model, **_pad(found), "notices": list(models.notices)}
    lines = [f"anti-spoofing model: {model or 'none supplied'}"]
    for species, rate in found.apcer.items():
        silent = found.attack_non_response[species]
        nothing = "; nothing was judged, so the APCER says nothing" if silent.value == 1 else ""
        lines.append(
            f"{species}: APCER {_rate_text(rate)}, non-response {_rate_text(silent)}{nothing}"
        )
    if found.worst_species:
        lines.append(f"APCER, worst species: {_rate_text(found.apcer[found.worst_species])}")
    lines.append(
        f"BPCER {_rate_text(found.bpcer)}, non-response {_rate_text(found.live_non_response)}"
    )
    return report, [*lines, *models.notices]


def _pad(found: PadReport) -> dict[str, Any]:
    worst = found.worst_species
    return {
        "apcer": {name: _rate(rate) for name, rate in found.apcer.items()},
        "apcer_max": None if worst is None else {"species": worst, **_rate(found.apcer[worst])},
        "attack_non_response": {
            name: _rate(rate) for name, rate in found.attack_non_response.items()
        },
        "bpcer": _rate(found.bpcer),
        "live_non_response": _rate(found.live_non_response),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return {
        "value": rate.value,
        "errors": rate.errors,
        "trials": rate.trials,
        "interval_95": [round(low, 5), round(high, 5)],
    }


def _rate_text(rate: Rate) -> str:
    if rate.value is None:
        return "no trials"
    low, high = rate.interval
    return f"{rate.value:.2%} ({rate.errors} of {rate.trials}; {low:.2%} to {high:.2%})"
