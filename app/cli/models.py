"""`zhenxue models`: which models read faces here, which are worth fetching, and trying another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.answer import ACTOR, BAD_INPUT, Json, refuse, say
from app.cli.calibrate import threshold_lines

if TYPE_CHECKING:
    from app.vision.model_files import BackendFiles
    from app.vision.recommended import ModelRole, RecommendedModel

app = typer.Typer(help="Face models: those in force, those worth fetching.")

CARRY = (
    "为内网取用：在能上网的机器上从发布处下载（Git LFS 文件须真正取下），用 U 盘或光盘带入，"
    "再运行 zhenxue models install 名称 文件夹；文件名不限，只认 SHA-256。\n"
    "For an intranet: download where it is published (Git LFS files in full), carry it in, then\n"
    "zhenxue models install NAME FOLDER; names do not matter, the SHA-256 does."
)
AGAIN = "it takes effect when the service and its workers start next"
CARDS_SAME = 'the card says `id = "{id}"`, which the model in force uses already: give it another'


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: Json = False) -> None:
    """What decides for each role, and what is recommended with licence, source and SHA-256."""
    if context.invoked_subcommand:
        return
    from app.settings import Settings
    from app.vision import recommended

    files = Settings().model_files
    in_force = files.named()
    known = recommended.recommended()
    answer = {
        "in_force": in_force,
        "complaints": list(files.complaints()),
        "recommended": [_described(it) for it in known],
    }
    lines = [f"{role}: {', '.join(names) or _default(role)}" for role, names in in_force.items()]
    lines += files.complaints()
    for it in known:
        lines += ["", f"{it.name}  {it.zh}", f"  {it.en}"]
        lines += [f"  {it.licence}; {it.provenance}", f"  {it.published}"]
        lines += [f"  {file.sha256}  {file.name}  {file.bytes:,} bytes" for file in it.file]
    say(answer, as_json, "\n".join([*lines, "", CARRY]))


@app.command()
def install(
    name: Annotated[str, typer.Argument(help="Name of a recommended model.")],
    source: Annotated[Path, typer.Argument(help="A folder that holds its files, or the file.")],
    as_json: Json = False,
) -> None:
    """Take a recommended model's files, checked by SHA-256, and let it decide."""
    from app.settings import Settings
    from app.vision import recommended
    from app.vision.errors import ModelFileRejected

    known = {it.name: it for it in recommended.recommended()}
    if name not in known:
        refuse(f"{name} is none of {', '.join(known)}; an embedder of your own: zhenxue models try")
    try:
        installed = Settings().installed_models.install(known[name], source)
    except (ModelFileRejected, OSError) as rejected:
        refuse(str(rejected))
    complaints = _loaded(Settings().model_files)
    answer = {"name": name, "files": installed.files, "complaints": complaints}
    say(answer, as_json, "\n".join([f"{name} is installed; {AGAIN}", *complaints]))
    if complaints:
        raise typer.Exit(BAD_INPUT)


@app.command()
def remove(role: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Let the default decide for a role again: detector, embedder or anti_spoof."""
    from app.settings import Settings
    from app.vision.errors import ModelFileRejected

    try:
        removed = Settings().installed_models.remove(_role(role))
    except (ModelFileRejected, OSError) as rejected:
        refuse(str(rejected))
    message = (
        f"{removed.name} decides no more; {AGAIN}" if removed else f"{role}: none is installed"
    )
    say({"removed": removed and removed.name}, as_json, message)


@app.command("try")
def try_embedder(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".onnx or .dat")],
    card: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its card (TOML).")],
    pictures: Annotated[
        Path | None, typer.Option(help="Folder of photos, one folder a person.", exists=True)
    ] = None,
    persons: Annotated[int, typer.Option(help="Learners to measure on.", min=1)] = 300,
    use: Annotated[bool, typer.Option("--use", help="Let it decide from the next start.")] = False,
    as_json: Json = False,
) -> None:
    """Read pictures and this site's kept photos with an embedder, and tell what it would decide.

    Nothing changes without --use; with it, faces enrolled before must be enrolled again.
    """
    from app.services import open_services
    from app.settings import Settings
    from app.vision.errors import ModelFileRejected
    from app.vision.model_card import read_card
    from app.vision.readers import FaceReaders

    settings = Settings()
    try:
        read, files = read_card(card), _candidate(settings.model_files, model, card)
    except (ModelFileRejected, OSError) as rejected:
        refuse(str(rejected))
    complaints = [it for it in _loaded(files) if it.startswith("embedder")]
    if complaints:
        refuse("\n".join(complaints))
    if read.model == settings.model_files.card().model:
        refuse(CARDS_SAME.format(id=read.id))
    report: dict[str, Any] = {"model": read.model, "licence": read.licence}
    lines = [f"{read.model} ({read.licence})"]
    readers = FaceReaders(0, files)
    if pictures is not None:
        report["pictures"], told = _on_pictures(readers, pictures, read.metric)
        lines += told
    with open_services(settings) as services:
        from app.jobs import model_trial

        trial = model_trial.on_own_people(services, readers, read, persons=persons, actor=ACTOR)
    report["site"], told = _on_own_people(trial)
    lines += told
    if use:
        settings.installed_models.use(model, card, f"{read.id}-{read.version}")
        lines.append(f"{read.model} is installed; {AGAIN}; learners enrol their faces again")
    else:
        lines.append("nothing has changed: --use lets it decide")
    say({**report, "in_force": use}, as_json, "\n".join(lines))


def _on_own_people(trial: Any) -> tuple[dict[str, Any], list[str]]:
    """What was read of the site's kept photos, and what it would decide by them."""
    counts = {"persons": trial.persons, "photos": trial.photos, "moments": trial.moments}
    told = (
        f"this site: {trial.photos} photos of {trial.persons} learners were read, "
        f"{trial.moments} moments of sittings"
    )
    thresholds = threshold_lines(trial.body) if trial.body else [trial.too_few or ""]
    return {**counts, "measured": trial.body}, [told, *thresholds]


def _on_pictures(readers: Any, folder: Path, metric: Any) -> tuple[dict[str, Any], list[str]]:
    """How many pictures show a face, and how far apart two of one person and two strangers are."""
    import numpy as np

    from app.vision import calibrate
    from app.vision.match import pairwise
    from app.vision.seen import Seen, vector

    vectors, names, total = [], [], 0
    for file in sorted(it for it in folder.rglob("*") if it.is_file()):
        total += 1
        (seen,) = readers.read([file.read_bytes()])
        if isinstance(seen, Seen) and seen.embedding:
            vectors.append(vector(seen.embedding))
            names.append(file.parent)
    report: dict[str, Any] = {"files": total, "faces": len(vectors)}
    lines = [f"{folder.name}: a face in {len(vectors)} of {total} files"]
    if len(vectors) > 1:
        apart = pairwise(np.stack(vectors), np.stack(vectors), metric)
        one, two = np.triu_indices(len(vectors), 1)
        same = np.array([names[a] == names[b] for a, b in zip(one, two, strict=True)])
        if same.any() and not same.all():
            eer, at = calibrate.equal_error(apart[one, two][same], apart[one, two][~same])
            report |= {"persons": len(set(names)), "eer": round(eer, 4), "at": round(at, 4)}
            lines.append(f"one picture against one, {len(set(names))} persons: EER {eer:.1%}")
    return report, lines


def _candidate(files: BackendFiles, model: Path, card: Path) -> BackendFiles:
    from dataclasses import replace

    from app.vision.model_files import ModelFile
    from app.vision.recommended import sha256_of

    network, its_card = (ModelFile(it.resolve(), sha256_of(it)) for it in (model, card))
    return replace(files, embedder=network, embedder_card=its_card)


def _loaded(files: BackendFiles) -> list[str]:
    """What is wrong with the files, once they were loaded."""
    from app.vision import backends

    return list(backends.load(files).notices)


def _default(role: str) -> str:
    from app.vision.recommended import ModelRole

    none = "无（none: prints and screens are not recognised; zhenxue models install minifasnet …）"
    return none if role == ModelRole.ANTI_SPOOF else "dlib, installed with the requirements"


def _role(name: str) -> ModelRole:
    from app.vision.recommended import ModelRole

    if name not in list(ModelRole):
        refuse(f"{name} is none of {', '.join(ModelRole)}")
    return ModelRole(name)


def _described(model: RecommendedModel) -> dict[str, Any]:
    import msgspec

    described: dict[str, Any] = msgspec.to_builtins(model)
    return described
