"""The engines: the program's numbers, found in other ways."""

import csv
import os
import re
import signal
import subprocess
import sys
from argparse import Namespace
from functools import partial
from itertools import islice
from random import Random
from types import SimpleNamespace

import pytest

ENGINES = ["vectors", "numpy", "torch"]
BATCHING = ["numpy", "torch"]
DOCS = ["anna", "bo", "e", "maximiliane", "otto", "zoe", "nora"]
SIZES = [
    {"n_embd": 8, "n_head": 2, "block_size": 6},
    {"n_embd": 6, "n_head": 3, "n_layer": 3, "block_size": 16},
    {"n_embd": 5, "n_head": 1, "n_layer": 2, "block_size": 1},
]


def needs(name):
    """Skip a test where a library is missing; in CI none may be."""
    if name != "vectors" and not os.environ.get("CI"):
        pytest.importorskip(name, reason=f"the engine needs {name}")


@pytest.fixture(scope="module")
def load(program, microgpt):
    """Return an engine as a module; it imports the program that the tests use."""
    sys.path.insert(0, str(program.folder))

    def load(name):
        needs(name)
        return __import__(f"microgpt_{name}")

    yield load
    sys.path.remove(str(program.folder))


def start(microgpt, docs=DOCS, **sizes):
    """Return a fresh model and its Adam."""
    model = microgpt.Model(microgpt.Tokenizer("".join(docs)), **sizes)
    model.randomize(Random(42))
    return model, microgpt.Adam(model.params())


def trainer(module, **settings):
    """Return the train of an engine, or of the program."""
    if not hasattr(module, "Engine"):
        return module.train
    usual = {"batch": 1, "accumulate": 1, "device": "cpu", "dtype": "float64"}
    return partial(module.train, Namespace(**(usual | settings)))


def numbers(adam):
    """Return all that a training changes: parameters, and Adam's means."""
    return [*(p.data for p in adam.params), *adam.m, *adam.v]


def largest_difference(found, expected):
    assert len(found) == len(expected)
    return max(abs(x - y) for x, y in zip(found, expected))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"width {sizes['n_embd']}")
def test_an_engine_learns_what_the_program_learns(microgpt, load, name, sizes):
    model, adam = start(microgpt, **sizes)
    expected = [*microgpt.train(model, DOCS, 20, 0.01, adam)]
    other, its_adam = start(microgpt, **sizes)
    losses = [*trainer(load(name))(other, DOCS, 20, 0.01, its_adam)]
    assert largest_difference(losses, expected) < 1e-12
    assert largest_difference(numbers(its_adam), numbers(adam)) < 1e-12
    assert its_adam.steps == adam.steps == 20


def mean_slopes(microgpt, docs, **sizes):
    """Return the mean of the program's slopes for some documents."""
    model, _ = start(microgpt, **sizes)
    for doc in docs:
        (microgpt.mean_loss(model.tokenizer.encode(doc), model) / len(docs)).backward()
    return [p.grad for p in model.params()]


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("name", BATCHING)
def test_a_batch_has_the_mean_of_the_programs_slopes(microgpt, load, name, accumulate):
    """With beta1 = 0 Adam's first mean is the slope itself."""
    module, sizes = load(name), SIZES[0]
    model, adam = start(microgpt, **sizes)
    adam.beta1 = 0.0
    train = trainer(module, batch=len(DOCS), accumulate=accumulate)
    [_] = train(model, DOCS, 1, 0.01, adam)
    assert largest_difference(adam.m, mean_slopes(microgpt, DOCS, **sizes)) < 1e-12


def test_two_processes_have_the_slopes_of_one(microgpt, load, monkeypatch):
    """Each is asked alone for its part; the parts add up to the mean of all."""
    module, found = load("torch"), []
    monkeypatch.setattr(module, "RANKS", 2)
    monkeypatch.setattr(
        module.dist, "all_reduce", lambda part: found.append(part.tolist())
    )
    for rank in (0, 1):
        monkeypatch.setattr(module, "RANK", rank)
        model, adam = start(microgpt, **SIZES[0])
        [_] = trainer(module, batch=len(DOCS))(model, DOCS, 1, 0.01, adam)
    (first, loss), (second, other_loss) = found[:2], found[2:]
    slopes = mean_slopes(microgpt, DOCS, **SIZES[0])
    assert largest_difference([*map(sum, zip(first, second))], slopes) < 1e-12
    model, adam = start(microgpt, **SIZES[0])
    [whole] = trainer(load("numpy"), batch=len(DOCS))(model, DOCS, 1, 0.01, adam)
    assert loss + other_loss == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("name", BATCHING)
def test_a_ctrl_c_while_numbers_come_home_waits(microgpt, load, name, small, capsys):
    """A second one would leave some of them new and some of them old."""
    module, place = load(name), small[1].replace("names.txt", "model.json")
    give_back, step = module.Engine.give_back, module.Engine.step

    def interrupted(engine, docs, rate):
        if engine.adam.steps == 4:
            signal.raise_signal(signal.SIGINT)
        return step(engine, docs, rate)

    def interrupted_again(engine):
        signal.raise_signal(signal.SIGINT)
        give_back(engine)

    options = [*small, "--steps", "12", "--save", place]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Engine, "step", interrupted)
        patch.setattr(module.Engine, "give_back", interrupted_again)
        assert run_main(load, name, capsys, *options).status == 130
    rest = run_main(load, name, capsys, *options, "--load", place).out.splitlines()
    assert microgpt.main(options) == 0
    assert capsys.readouterr().out.splitlines()[8:] == rest[2:]


@pytest.mark.parametrize("name", BATCHING)
def test_batches_go_round_the_documents(microgpt, load, name):
    model, adam = start(microgpt, **SIZES[0])
    adam.beta1 = 0.0
    *_, _ = trainer(load(name), batch=4)(model, DOCS, 2, 1e-30, adam)
    expected = mean_slopes(microgpt, DOCS[4:] + DOCS[:1], **SIZES[0])
    assert largest_difference(adam.m, expected) < 1e-12


@pytest.mark.parametrize("first", ["program", *ENGINES])
@pytest.mark.parametrize("second", ["program", *ENGINES])
def test_one_goes_on_where_another_stopped(microgpt, load, first, second):
    model, adam = start(microgpt, **SIZES[0])
    expected = [*microgpt.train(model, DOCS, 8, 0.01, adam)]
    model, adam = start(microgpt, **SIZES[0])
    losses = []
    for name, count in ((first, 5), (second, 3)):
        module = microgpt if name == "program" else load(name)
        training = trainer(module)(model, DOCS, 8, 0.01, adam)
        losses += islice(training, count)
        training.close()
    assert largest_difference(losses, expected) < 1e-12


@pytest.mark.parametrize("name", BATCHING)
def test_the_numbers_are_there_when_the_program_saves(microgpt, load, name):
    model, adam = start(microgpt, **SIZES[2])
    training = trainer(load(name))(model, DOCS, 200, 0.01, adam)
    before = numbers(adam)
    for _ in islice(training, 99):
        pass
    assert numbers(adam) == before
    next(training)
    assert numbers(adam) != before
    training.close()


def test_without_a_mask_it_learns_to_look_ahead(microgpt, program, load, monkeypatch):
    """The book says what becomes of the loss, and of the names."""
    module, rng = load("numpy"), Random(42)
    monkeypatch.setattr(module.np, "triu", lambda square, _: square & False)
    docs = microgpt.split_docs((program.folder / "names.txt").read_text())
    rng.shuffle(docs)
    model = microgpt.Model(microgpt.Tokenizer("".join(docs))).randomize(rng)
    adam = microgpt.Adam(model.params())
    losses = [*trainer(module)(model, docs, 1000, 0.01, adam)]
    assert f"{sum(losses[-100:]) / 100:.2f}" == "0.04"
    assert [[*microgpt.generate(model, rng)] for _ in range(20)] == [[]] * 20


# The command line


def run_main(load, name, capsys, *arguments):
    """Return the exit status of an engine's main, and what it printed."""
    module = load(name)
    status = (
        module.microgpt.main(arguments, lambda options: module.train)
        if name == "vectors"
        else module.main([*arguments])
    )
    return SimpleNamespace(status=status, **capsys.readouterr()._asdict())


@pytest.fixture
def small(tmp_path):
    """Options for a small model and few documents."""
    (tmp_path / "names.txt").write_text("\n".join(DOCS))
    sizes = ["--n-embd", "4", "--block-size", "8", "--samples", "2"]
    return ["--input", str(tmp_path / "names.txt"), *sizes]


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_prints_what_the_program_prints(
    microgpt, load, name, capsys, small, tmp_path
):
    place, options = tmp_path / "model.json", [*small, "--steps", "12"]
    assert microgpt.main(options) == 0
    expected = capsys.readouterr()
    found = run_main(load, name, capsys, *options, "--save", str(place))
    assert (found.status, found.out, found.err) == (0, expected.out, expected.err)
    said = expected.out.partition("\n\n")[2]
    assert microgpt.main(["--load", str(place), "--samples", "2"]) == 0
    assert capsys.readouterr().out.endswith(said.rpartition("hallucinated names")[2])


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_goes_on_with_a_saved_model(microgpt, load, name, capsys, small):
    place = small[1].replace("names.txt", "model.json")
    options = [*small, "--steps", "12", "--save", place]
    assert microgpt.main(options) == 0
    whole = capsys.readouterr().out.splitlines()

    def losses(*_):
        yield from islice(microgpt.train(*_), 5)
        raise KeyboardInterrupt

    microgpt.main(options, lambda options: losses)
    capsys.readouterr()
    found = run_main(load, name, capsys, *options, "--load", place)
    assert found.status == 0
    assert found.out.splitlines() == [*whole[1:3], *whole[8:]]


BAD = [
    ["--steps", "ten"],
    ["--input", "not/there"],
    ["--n-head", "5"],
    ["--unknown"],
    ["--learning-rate", "1e90"],
]
BAD_BATCHES = [["--batch", "0"], ["--batch", "many"], ["--batch", "8"]]
BAD_TENSORS = [
    ["--accumulate", "0"],
    ["--dtype", "int8"],
    ["--device", "nowhere"],
    ["--device", "meta"],
]


@pytest.mark.parametrize(
    ("name", "options"),
    [(name, options) for name in ENGINES for options in BAD]
    + [(name, options) for name in BATCHING for options in BAD_BATCHES]
    + [("torch", options) for options in BAD_TENSORS],
    ids=lambda x: x if isinstance(x, str) else " ".join(x),
)
def test_bad_input_gets_one_line(load, name, options, capsys, small):
    found = run_main(load, name, capsys, *small, "--steps", "20", *options)
    assert found.status == 2
    assert re.fullmatch(r"microgpt: error: [^\n]+\n", found.err)


@pytest.mark.parametrize("name", BATCHING)
def test_a_missing_library_is_named(program, name):
    code = f"import sys; sys.modules['{name}'] = None; import microgpt_{name}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=program.folder,
        capture_output=True,
        encoding="utf-8",
    )
    library = {"numpy": "NumPy", "torch": "PyTorch"}[name]
    assert done.returncode == 1
    assert re.fullmatch(rf"This engine needs {library}: [^\n]+\n", done.stderr)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_fewer_bits_give_nearly_the_same(microgpt, load, dtype):
    model, adam = start(microgpt, **SIZES[0])
    expected = [*microgpt.train(model, DOCS, 10, 0.01, adam)]
    model, adam = start(microgpt, **SIZES[0])
    losses = [*trainer(load("torch"), dtype=dtype)(model, DOCS, 10, 0.01, adam)]
    difference = largest_difference(losses, expected)
    assert 0 < difference < {"float32": 1e-5, "bfloat16": 0.1}[dtype]


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_short(program, name):
    text = (program.folder / f"microgpt_{name}.py").read_text()
    assert len(text.splitlines()) < 260


# In full


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("which", ["own", "published"])
def test_a_thousand_losses_are_equal(program, name, which, request, tmp_path):
    """Equal to four decimals, as printed; the names that it speaks are equal, too."""
    needs(name)
    options = []
    if which == "published":
        options = ["--input", str(request.getfixturevalue("published_names"))]
    expected = program.run(*options).stdout
    engine = str(program.folder / f"microgpt_{name}.py")
    done = subprocess.run(
        [sys.executable, engine, *options],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout == expected
    assert len(expected.splitlines()) == 3 + 1000 + 2 + 20


# Several processes


def torchrun(program, processes, *options, restarts=0, file=None):
    """Return the command that runs the engine, or a `file`, in so many processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "--max-restarts", str(restarts)]
    return [*command, "--", str(file or program.folder / "microgpt_torch.py"), *options]


def logged(place):
    with open(place) as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_learn_what_one_learns(program, processes, tmp_path):
    """A hundred steps; with 4 processes and 6 documents some have more than others."""
    needs("torch")
    options = ["--steps", "100", "--batch", "6", "--accumulate", "2", "--samples", "1"]
    one = [sys.executable, str(program.folder / "microgpt_torch.py"), *options]
    many = torchrun(program, processes, *options)
    printed = [
        subprocess.run(
            [*command, "--log", str(tmp_path / name)],
            stdout=subprocess.PIPE,
            timeout=300,
            check=True,
        ).stdout
        for name, command in (("one", one), ("many", many))
    ]
    assert printed[0] == printed[1]
    found, expected = logged(tmp_path / "many"), logged(tmp_path / "one")
    assert len(found) == 100 and largest_difference(found, expected) < 1e-12


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="there is no /proc")
def test_nothing_of_the_group_outlives_main(program, tmp_path):
    """A thread of gloo that still runs at the very end may abort its process."""
    needs("torch")
    script = tmp_path / "main.py"
    lines = [
        "import os, sys",
        f"sys.path.insert(0, {str(program.folder)!r})",
        "import microgpt_torch",
        "microgpt_torch.main()",
        "sys.exit(len(os.listdir('/proc/self/task')) - 1)",
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    command = torchrun(program, 2, "--steps", "2", "--samples", "1", file=script)
    assert subprocess.run(command, stdout=subprocess.PIPE).returncode == 0


@pytest.mark.slow
def test_a_killed_process_costs_nothing_but_time(program, tmp_path):
    needs("torch")
    options = ["--steps", "300", "--batch", "3", "--samples", "3"]
    one = [sys.executable, str(program.folder / "microgpt_torch.py"), *options]
    whole = subprocess.run(one, stdout=subprocess.PIPE, text=True, check=True).stdout
    options += ["--save", str(tmp_path / "model.json")]
    printed, killed = [], False
    with subprocess.Popen(
        torchrun(program, 2, *options, restarts=2),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},
    ) as leader:
        for line in leader.stdout:
            printed.append(line)
            if line.startswith("step  150 ") and not killed:
                os.kill(max(children(leader.pid)), 9)
                killed = True
    assert leader.returncode == 0
    steps = [line for line in printed if line.startswith("step")]
    again = steps.index(next(x for x in steps if x.startswith("step  101 "))) + 1
    assert any(line.startswith("step  101 ") for line in steps[again:])
    assert {*steps} == {x for x in whole.splitlines(True) if x.startswith("step")}
    assert printed[-5:] == whole.splitlines(True)[-5:]


def children(pid):
    """Return the numbers of the processes that a process has started."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
    )
    return [int(word) for word in found.stdout.split()]
