"""What the command line does when all is well: options, samples, saving, streams."""

import itertools
import json
import os
import random
import re
import stat
import subprocess
import sys
from pathlib import Path
from unittest.mock import ANY

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = "emma\nolivia\nava\n"
HEADER = "--- inference (new, hallucinated names) ---"


@pytest.fixture
def runs(program, tmp_path):
    """Run the program in a folder with a small input.txt; return what it prints."""

    def run(*arguments, said="learning from input.txt\n", **settings):
        done = program.run(*arguments, **{"cwd": tmp_path, **settings})
        assert (done.stderr, done.returncode) == (said, 0)
        return done.stdout

    (tmp_path / "input.txt").write_text(NAMES)
    return run


def samples(output):
    return re.findall(r"^sample [ \d]\d: (.*)$", output, re.MULTILINE)


# What is printed


def test_the_form_of_the_output(runs):
    lines = runs("--steps", 2, "--samples", 1, "--n-embd", 4).split("\n")
    assert lines[:3] == ["num docs: 3", "vocab size: 8", "num params: 320"]
    assert re.fullmatch(r"step    1 /    2 \| loss \d\.\d{4}", lines[3])
    assert re.fullmatch(r"step    2 /    2 \| loss \d\.\d{4}", lines[4])
    assert lines[5:7] == ["", HEADER]
    assert re.fullmatch(r"sample  1: [aeilmov]*", lines[7])
    assert lines[8:] == [""]


def test_no_steps_and_no_samples(runs):
    lines = runs("--steps", 0, "--samples", 0, "--n-embd", 4).split("\n")
    assert lines[3:] == ["", HEADER, ""]


def test_20_samples_by_default(runs):
    assert len(samples(runs("--steps", 0))) == 20


def test_the_same_seed_prints_the_same_and_another_seed_does_not(runs):
    first, again, other = (runs("--steps", 1, "--seed", s) for s in (1, 1, 2))
    assert first == again != other


def test_samples_are_at_most_block_size_letters(runs):
    names = samples(runs("--steps", 0, "--block-size", 3, "--samples", 50))
    assert {len(name) for name in names} <= {0, 1, 2, 3}
    assert 3 in map(len, names)


@pytest.mark.parametrize("prompt", ["", "e", "emma", "avaavaavaavaava"])
def test_a_prompt_is_part_of_the_samples(runs, prompt):
    names = samples(runs("--steps", 0, "--prompt", prompt))
    assert all(name.startswith(prompt) and len(name) <= 16 for name in names)
    assert any(name != prompt for name in names)


def test_a_low_temperature_makes_samples_alike(runs):
    options = ["--steps", 20, "--samples", 10]
    cold = samples(runs(*options, "--temperature", 0.001))
    hot = samples(runs(*options, "--temperature", 5))
    assert len(set(cold)) == 1 < len(set(hot))


def test_help(runs):
    output = runs("--help", said="")
    for option in (
        *("--input", "--steps", "--seed", "--n-embd", "--n-head", "--n-layer"),
        *("--block-size", "--learning-rate", "--temperature", "--samples"),
        *("--prompt", "--save", "--load", "--held-out", "--log", "--quiet"),
    ):
        assert option in output


def test_the_version_is_the_projects(runs):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search('^version = "(.*)"$', project, re.MULTILINE)[1]
    assert runs("--version", said="") == f"microgpt {version}\n"


def test_quiet_silences_standard_error_only(runs):
    output = runs("--steps", 2, "--held-out", 1, "--quiet", said="")
    assert output == runs("--steps", 2, "--held-out", 1, said=ANY)


# The input


def test_input_txt_here_comes_first(runs):
    assert runs("--steps", 0).startswith("num docs: 3\n")


def test_else_the_names_beside_the_program(runs, program, tmp_path):
    (tmp_path / "input.txt").unlink()
    names = (program.folder / "names.txt").read_text().split()
    assert runs("--steps", 0, said="").startswith(f"num docs: {len(names)}\n")


def test_a_folder_called_input_txt_is_no_input(runs, program, tmp_path):
    (tmp_path / "input.txt").unlink()
    (tmp_path / "input.txt").mkdir()
    assert not runs("--steps", 0, said="").startswith("num docs: 3\n")


def test_a_byte_order_mark_belongs_to_no_name(runs, tmp_path):
    (tmp_path / "marked.txt").write_text(NAMES, encoding="utf-8-sig")
    output = runs("--input", "marked.txt", "--steps", 1, said="")
    assert output == runs("--steps", 1)


# Saving and loading


def test_a_saved_model_has_the_sizes_the_characters_and_the_parameters(runs, tmp_path):
    sizes = ["--n-embd", 6, "--n-head", 3, "--n-layer", 2, "--block-size", 5]
    runs("--steps", 1, *sizes, "--save", "model.json")
    saved = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert saved["version"] == 2
    assert [saved[k] for k in ("n_embd", "n_head", "n_layer", "block_size")] == [
        *(6, 3, 2, 5)
    ]
    assert saved["chars"] == list("aeilmov")
    shapes = {k: (len(m), len(m[0])) for k, m in saved["state_dict"].items()}
    assert len(shapes) == 3 + 2 * 6
    assert (shapes["wpe"], shapes["layer1.mlp_fc2"]) == ((5, 6), (6, 24))


def test_what_is_loaded_is_what_was_saved_to_the_last_bit(runs, tmp_path):
    runs("--steps", 3, "--save", "first.json")
    runs("--load", "first.json", "--save", "second.json", said="")
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert first.read_bytes() == second.read_bytes()


def test_a_loaded_model_computes_what_the_saved_one_did(microgpt, tmp_path):
    model = microgpt.Model(microgpt.Tokenizer("aé漢"), n_embd=4)
    model.randomize(microgpt.random.Random(1))
    list(microgpt.train(model, ["aé漢"], 3))
    microgpt.save(model, tmp_path / "model.json")
    loaded, training = microgpt.load(str(tmp_path / "model.json"))
    assert training is None
    assert [p.data for p in loaded.params()] == [p.data for p in model.params()]
    tokens = model.tokenizer.encode("漢é")
    loss = microgpt.mean_loss(tokens, model).data
    assert microgpt.mean_loss(loaded.tokenizer.encode("漢é"), loaded).data == loss


def test_a_loaded_model_prints_the_lines_from_vocab_size_on(runs, tmp_path):
    runs("--steps", 3, "--save", "model.json")
    (tmp_path / "input.txt").write_bytes(b"\xff")  # not needed, so not read
    lines = runs("--load", "model.json", "--samples", 1, said="").split("\n")
    assert lines[:4] == ["vocab size: 8", "num params: 3584", "", HEADER]
    assert len(lines) == 6


def test_a_loaded_model_is_a_trained_model(runs):
    runs("--steps", 200, "--n-embd", 8, "--samples", 0, "--save", "model.json")
    names = samples(runs("--load", "model.json", "--temperature", 0.1, said=""))
    assert set(names) <= set(NAMES.split())


# Going on


SMALL = ["--n-embd", 4, "--samples", 5]


@pytest.mark.parametrize("done", [0, 1, 7, 12])
def test_what_goes_on_prints_what_a_whole_run_prints(runs, program, tmp_path, done):
    """Interrupted after so many steps, and gone on with: the same to the last digit."""
    whole = runs("--steps", 12, *SMALL, "--save", "whole.json")
    model, training = stopped(program.module, tmp_path, 12, done)
    program.module.save(model, tmp_path / "part.json", training)
    options = ["--load", "part.json", "--steps", 12, "--samples", 5]
    rest = runs(*options, "--save", "rest.json")
    lines = whole.splitlines(keepends=True)
    assert rest == "".join(lines[1:3] + lines[3 + done :])
    saved = [(tmp_path / name).read_bytes() for name in ("whole.json", "rest.json")]
    assert saved[0] == saved[1]


def stopped(microgpt, folder, steps, done):
    """A model and its training as Ctrl-C leaves them after so many steps."""
    names = ["--input", str(folder / "input.txt")]
    options = microgpt.parse([*names, "--steps", str(steps), "--n-embd", "4"])
    docs, model, training = microgpt.begin(options)
    adam = microgpt.Adam(model.params())
    adam.m, adam.v = training["m"], training["v"]
    for _ in itertools.islice(microgpt.train(model, docs, steps, 0.01, adam), done):
        training["done"] = adam.steps
    return model, training


def test_other_steps_than_planned_follow_their_own_rate_and_say_so(runs):
    runs("--steps", 3, *SMALL, "--save", "model.json")
    said = (
        "learning from input.txt\nnot the steps that were planned: the rate changes\n"
    )
    output = runs("--load", "model.json", "--steps", 5, said=said)
    lines = output.splitlines()
    assert lines[:2] == ["vocab size: 8", "num params: 320"]
    assert [line.partition("|")[0] for line in lines[2:4]] == [
        "step    4 /    5 ",
        "step    5 /    5 ",
    ]


def test_a_training_that_was_done_does_nothing_more(runs):
    whole = runs("--steps", 3, *SMALL, "--save", "model.json")
    again = runs("--load", "model.json", "--steps", 3, "--samples", 5)
    lines = whole.splitlines(keepends=True)
    assert again == "".join(lines[1:3] + lines[6:])


def test_a_loaded_model_says_what_it_said_and_with_a_seed_something_else(runs):
    whole = runs("--steps", 3, *SMALL, "--save", "model.json")
    speak = ["--load", "model.json", "--samples", 5]
    assert samples(runs(*speak, said="")) == samples(whole)
    other = samples(runs(*speak, "--seed", 7, said=""))
    assert other != samples(whole)
    assert other == samples(runs(*speak, "--seed", 7, said=""))


def test_a_model_of_version_1_speaks_as_it_did(runs, tmp_path):
    """It holds no generator: the seed begins anew."""
    runs("--steps", 3, *SMALL, "--save", "model.json")
    saved = json.loads((tmp_path / "model.json").read_text()) | {"version": 1}
    del saved["training"]
    (tmp_path / "old.json").write_text(json.dumps(saved))
    names = samples(runs("--load", "old.json", "--samples", 5, said=""))
    assert names == samples(runs("--load", "model.json", "--seed", 42, said=""))[:5]


def test_a_model_may_be_saved_where_it_was_loaded_from(runs, tmp_path):
    runs("--steps", 1, "--save", "model.json")
    before = (tmp_path / "model.json").read_bytes()
    options = ["--load", "model.json", "--steps", 2, "--save", "model.json"]
    runs(*options, said=ANY)
    assert (tmp_path / "model.json").read_bytes() != before
    assert sorted(os.listdir(tmp_path)) == ["input.txt", "model.json"]


# What is held out, and the log


def test_held_out_documents_are_not_trained_on_and_their_loss_is_told(
    runs, program, tmp_path
):
    microgpt = program.module
    docs = NAMES.split()
    random.Random(42).shuffle(docs)
    lines = "learning from input.txt\nheld-out loss: "
    done = program.run("--steps", 4, *SMALL, "--held-out", 1, cwd=tmp_path)
    assert done.stderr.startswith(lines) and done.stdout.startswith("num docs: 3\n")
    rng = random.Random(42)
    rng.shuffle([*docs])
    model = microgpt.Model(microgpt.Tokenizer("".join(docs)), n_embd=4).randomize(rng)
    losses = [*microgpt.train(model, docs[:2], 4)]
    shown = [float(line.split()[-1]) for line in done.stdout.splitlines()[3:7]]
    assert shown == [round(loss, 4) for loss in losses]
    loss = microgpt.loss_per_token(docs[2:], model)
    assert done.stderr == f"{lines}{loss:.4f}\n"


def test_the_loss_per_token_is_the_mean_over_all_tokens(microgpt):
    model = microgpt.Model(microgpt.Tokenizer("ab"), n_embd=4, block_size=3)
    model.randomize(random.Random(1))
    docs = ["a", "ab", "abab"]
    total = sum(
        microgpt.mean_loss(model.tokenizer.encode(doc), model).data * count
        for doc, count in zip(docs, (2, 3, 3))
    )
    assert microgpt.loss_per_token(docs, model) == pytest.approx(total / 8)


def test_the_log_has_every_step(runs, tmp_path):
    output = runs("--steps", 3, *SMALL, "--log", "log.csv")
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert rows[0] == "step,loss"
    steps = [row.split(",") for row in rows[1:]]
    assert [step for step, _ in steps] == ["1", "2", "3"]
    shown = re.findall(r"loss (\S+)$", output, re.MULTILINE)
    assert [f"{float(loss):.4f}" for _, loss in steps] == shown
    runs("--steps", 1, *SMALL, "--log", "log.csv")  # a log may be written anew
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


# How it is saved


def test_saving_with_an_address_that_is_a_link_keeps_the_link(runs, tmp_path):
    (tmp_path / "real.json").write_text('{"format": "microgpt"}')
    (tmp_path / "link.json").symlink_to("real.json")
    runs("--steps", 0, "--save", "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["version"] == 2


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_saving_gives_an_ordinary_file(runs, tmp_path):
    runs("--steps", 0, "--save", "model.json", umask=0o022)
    assert stat.S_IMODE((tmp_path / "model.json").stat().st_mode) == 0o644


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_saving_keeps_the_permissions_of_what_was_there(runs, tmp_path):
    runs("--steps", 0, "--save", "model.json")
    (tmp_path / "model.json").chmod(0o600)
    runs("--steps", 0, "--save", "model.json")
    assert stat.S_IMODE((tmp_path / "model.json").stat().st_mode) == 0o600


def test_a_failure_while_saving_keeps_the_old_file(microgpt, tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    path.write_text("precious")

    def full(data, file, **options):
        file.write("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(microgpt.json, "dump", full)
    model = microgpt.Model(microgpt.Tokenizer("ab"))
    with pytest.raises(microgpt.InputError, match="No space left"):
        microgpt.save(model, path)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["model.json"]


def test_a_long_training_saves_every_hundred_steps(microgpt, tmp_path, monkeypatch):
    (tmp_path / "names.txt").write_text("anna\nbob\n")
    done = []
    monkeypatch.setattr(
        microgpt, "save", lambda model, path, training: done.append(training["done"])
    )
    options = ["--input", str(tmp_path / "names.txt"), "--n-embd", "4"]
    options += ["--steps", "250", "--samples", "0", "--save", str(tmp_path / "m")]
    assert microgpt.main(options) == 0
    assert done == [100, 200, 250]


# The streams


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_standard_output_is_utf_8(runs, tmp_path, locale):
    (tmp_path / "input.txt").write_text("яна\n漢字é\n", encoding="utf-8")
    ignored = ("PYTHONIOENCODING", "PYTHONUTF8", "LANG")
    env = {k: v for k, v in os.environ.items() if k not in ignored}
    output = runs("--steps", 0, "--prompt", "я漢", env=dict(env, LC_ALL=locale))
    assert all(name.startswith("я漢") for name in samples(output))


def test_standard_output_is_utf_8_whatever_python_is_told(runs, tmp_path):
    (tmp_path / "input.txt").write_text("яна\n", encoding="utf-8")
    env = dict(os.environ, PYTHONIOENCODING="latin-1")
    assert "я" in runs("--steps", 0, "--samples", 50, env=env)


def test_a_reader_that_leaves_early(program, tmp_path):
    """As in `| head -3`: the reader has its lines, and nobody complains."""
    (tmp_path / "input.txt").write_text(NAMES)
    with subprocess.Popen(
        program.command("--input", "input.txt", "--steps", 10**6),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        lines = [running.stdout.readline() for _ in range(3)]
        running.stdout.close()
        assert running.stderr.read() == b""
        running.wait(timeout=60)
    assert lines == [b"num docs: 3\n", b"vocab size: 8\n", b"num params: 3584\n"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["--steps", "1"], ["--steps", "0"]])
def test_a_full_disk_behind_standard_output(program, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            program.command(*arguments),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_stream_that_is_closed(program, tmp_path, closed):
    (tmp_path / "input.txt").write_text(NAMES)
    command = f'"$0" "$1" --input input.txt --steps 1 --save model.json {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, program.path],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert (tmp_path / "model.json").exists()
