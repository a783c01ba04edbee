"""Bad input: one line on standard error, exit status 2, nothing written or lost."""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading

import pytest

NAMES = "emma\nolivia\nava\n"
PRECIOUS = '{"format": "microgpt", "precious": true}'
# What is refused is refused before this takes its time.
ENDLESS = ("--steps", 10**9)


def contents(folder):
    """What is in a folder: the bytes of each file by its path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files if os.access(path, os.R_OK)}


@pytest.fixture
def refuses(program, tmp_path):
    """Run the program with bad input, check how it refuses; return what it says."""

    def check(*arguments, **settings):
        before = contents(tmp_path)
        settings = {"cwd": tmp_path, "timeout": 30, **settings}
        done = program.run(*arguments, **settings)
        assert done.stderr.startswith("microgpt: error: ")
        assert len(done.stderr) < 1000
        assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n")
        assert (done.stdout, done.returncode) == ("", 2)
        assert contents(tmp_path) == before
        return done.stderr.removeprefix("microgpt: error: ")

    (tmp_path / "names.txt").write_text(NAMES)
    return check


as_root = hasattr(os, "geteuid") and os.geteuid() == 0
skip_for_root = pytest.mark.skipif(as_root, reason="root may read and write everything")
linux = pytest.mark.skipif(sys.platform != "linux", reason="a device of Linux")


# The input


def test_a_missing_file(refuses):
    message = refuses("--input", "nowhere.txt")
    assert "nowhere.txt" in message and "No such file" in message


def test_a_folder(refuses, tmp_path):
    assert str(tmp_path) in refuses("--input", tmp_path)


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n\r\n\n", "\ufeff", "\ufeff\n"])
def test_no_documents(refuses, tmp_path, text):
    (tmp_path / "blank.txt").write_text(text, encoding="utf-8")
    assert "empty" in refuses("--input", "blank.txt")


@pytest.mark.parametrize(
    "data", ["zoé".encode("latin-1"), "zoé".encode("utf-16"), b"\x80", b"ab\xc3"]
)
def test_not_utf_8(refuses, tmp_path, data):
    (tmp_path / "latin.txt").write_bytes(NAMES.encode() + data)
    message = refuses("--input", "latin.txt")
    assert "latin.txt" in message and "UTF-8" in message


@skip_for_root
def test_an_unreadable_file(refuses, tmp_path):
    (tmp_path / "secret.txt").write_text(NAMES)
    (tmp_path / "secret.txt").chmod(0)
    assert "secret.txt" in refuses("--input", "secret.txt")


def test_an_empty_name_of_the_input(refuses):
    refuses("--input", "", "--steps", 0)


def test_input_txt_here_is_bad(refuses, tmp_path):
    (tmp_path / "input.txt").write_text("\n")
    assert "input.txt" in refuses()


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/names.txt",
        "https://127.0.0.1:9/names.txt",
        "http://",
        "http://[bad",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:99999/",
        "http://a b/",
        "http://127.0.0.1:9/é",
        "http://\udcff/",
        "ftp://127.0.0.1/names.txt",
    ],
)
def test_an_address_that_cannot_be_reached(refuses, address):
    refuses("--input", address, env=without_proxy())


def without_proxy():
    return {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}


@pytest.fixture(scope="module")
def server():
    """The address of a web server with a few pages, good and bad."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            pages = {"/names.txt": NAMES.encode(), "/latin.txt": b"zo\xe9"}
            page = pages.get(self.path, NAMES.encode())
            self.send_response(404 if self.path == "/nowhere" else 200)
            longer = 100 if self.path == "/cut-off" else 0
            self.send_header("Content-Length", str(len(page) + longer))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Pages) as server:
        work = threading.Thread(target=server.serve_forever)
        work.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        work.join()


@pytest.mark.parametrize("page", ["nowhere", "cut-off", "latin.txt"])
def test_a_page_that_is_bad(refuses, server, page):
    message = refuses("--input", f"{server}/{page}", env=without_proxy())
    assert f"{server}/{page}" in message


def test_a_page_that_is_good(program, server):
    options = ["--input", f"{server}/names.txt", "--steps", 1]
    done = program.run(*options, env=without_proxy())
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith("num docs: 3\n")


# The options

SIZES = ["--n-embd", "--n-head", "--n-layer", "--block-size"]
BAD_NUMBERS = [
    *[(option, bad) for option in SIZES for bad in ("0", "-1", "1.5", "abc", "")],
    *[("--steps", bad) for bad in ("-1", "1.5", "abc", "", "nan", "1e3")],
    *[("--samples", bad) for bad in ("-1", "1.5", "abc", "", "inf")],
    *[("--seed", bad) for bad in ("1.5", "abc", "", "-1")],
    *[
        (option, bad)
        for option in ("--learning-rate", "--temperature")
        for bad in ("0", "-1", "-0.0", "nan", "inf", "-inf", "1e400", "abc", "")
    ],
]


@pytest.mark.parametrize("option, bad", BAD_NUMBERS)
def test_a_number_that_is_none(refuses, option, bad):
    assert option in refuses("--input", "names.txt", f"{option}={bad}")


@pytest.mark.parametrize("bad", ["0", "-1", "nan", "-inf"])
def test_a_number_that_is_an_argument_of_its_own(refuses, bad):
    assert "--temperature" in refuses("--temperature", bad)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["--step", "3"],  # no abbreviations: --steps might be --step one day
        ["names.txt"],
        ["--steps"],
        ["--input", "--steps", "3"],
        ["-x"],
    ],
)
def test_options_that_do_not_exist(refuses, arguments):
    assert "--help" in refuses(*arguments)


@pytest.mark.parametrize("n_embd, n_head", [(10, 4), (3, 4), (16, 3)])
def test_a_width_that_the_heads_cannot_share(refuses, n_embd, n_head):
    message = refuses("--n-embd", n_embd, "--n-head", n_head, *ENDLESS)
    assert f"{n_embd}" in message and f"{n_head}" in message


@pytest.mark.parametrize("prompt", ["x", "emmax", " ", "é", "\n", "\udcff"])
def test_a_prompt_with_an_unknown_character(refuses, prompt):
    message = refuses("--input", "names.txt", "--prompt", prompt, *ENDLESS)
    assert ascii(prompt[-1]) in message or repr(prompt[-1]) in message


@pytest.mark.parametrize("block_size, prompt", [(16, "a" * 16), (1, "a"), (3, "avaa")])
def test_a_prompt_that_does_not_fit(refuses, block_size, prompt):
    options = ["--input", "names.txt", "--block-size", block_size]
    room = f"--prompt has room for {block_size - 1} characters"
    assert room in refuses(*options, "--prompt", prompt, *ENDLESS)


# Loading


@pytest.fixture(scope="module")
def saved(program, tmp_path_factory):
    """What is in a good saved file, for the letters of NAMES."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "input.txt").write_text(NAMES)
    options = ["--steps", 1, "--samples", 0, "--n-embd", 4, "--save", "model.json"]
    done = program.run("--input", "input.txt", *options, cwd=folder)
    assert (done.stderr, done.returncode) == ("", 0)
    return (folder / "model.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"17",
        b'"microgpt"',
        b'{"format": "other", "version": 1}',
        b"\x00\xff\x80binary",
        b"\x80\x04K\x01.",  # a pickle
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 10_000,
        NAMES.encode(),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_a_foreign_file(refuses, tmp_path, data):
    (tmp_path / "model.json").write_bytes(data)
    assert "model.json" in refuses("--load", "model.json")


def test_a_missing_model(refuses):
    assert "nowhere.json" in refuses("--load", "nowhere.json")


def test_a_folder_as_a_model(refuses, tmp_path):
    assert str(tmp_path) in refuses("--load", tmp_path)


def test_an_empty_name_of_a_model(refuses):
    refuses("--load", "", "--steps", 0)


def test_every_cut_of_a_saved_file_is_refused(program, tmp_path, saved, capsys):
    """In the same process, because there are many cuts."""
    path = tmp_path / "model.json"
    for length in [*range(0, len(saved), len(saved) // 50), len(saved) - 1]:
        path.write_text(saved[:length])
        assert program.module.main(["--load", str(path)]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1


MATRIX = "layer0.attn_wq"


def put(*path_and_value):
    """A change of one place in the saved data."""
    *path, last, value = path_and_value

    def change(data):
        for key in path:
            data = data[key]
        data[last] = value

    return change


def drop(*path):
    *path, last = path

    def change(data):
        for key in path:
            data = data[key]
        del data[last]

    return change


DAMAGES = {
    "another version": put("version", 3),
    "no version": drop("version"),
    "another format": put("format", "nanogpt"),
    "no sizes": drop("n_embd"),
    "size 0": put("n_layer", 0),
    "a size that is text": put("n_embd", "4"),
    "a size that is a fraction": put("n_embd", 4.0),
    "a size that is true": put("n_layer", True),
    "a huge block": put("block_size", 10**12),
    "a huge number of layers": put("n_layer", 10**12),
    "a huge width": put("n_embd", 10**12),
    "a width beyond all integers": put("n_embd", 10**40),
    "heads that do not share the width": put("n_head", 3),
    "no matrices": drop("state_dict"),
    "matrices that are a list": put("state_dict", [1] * 9),
    "matrices that are null": put("state_dict", None),
    "a matrix missing": drop("state_dict", MATRIX),
    "a matrix too many": put("state_dict", "layer1.attn_wq", [[0.0] * 4] * 4),
    "a matrix that is null": put("state_dict", MATRIX, None),
    "a row missing": drop("state_dict", MATRIX, 3),
    "a row too many": put("state_dict", MATRIX, [[0.0] * 4] * 5),
    "a short row": drop("state_dict", MATRIX, 0, 0),
    "a row that is a number": put("state_dict", MATRIX, 0, 1.5),
    "a row that is text": put("state_dict", MATRIX, 0, "1234"),
    "nan": put("state_dict", MATRIX, 0, 0, float("nan")),
    "infinity": put("state_dict", MATRIX, 0, 0, float("inf")),
    "a number beyond all floats": put("state_dict", MATRIX, 0, 0, 10**400),
    "text in the place of a number": put("state_dict", MATRIX, 0, 0, "abc"),
    "null in the place of a number": put("state_dict", MATRIX, 0, 0, None),
    "no characters": drop("chars"),
    "characters that are text": put("chars", "aeilmov"),
    "characters out of order": put("chars", ["e", "a", "i", "l", "m", "o", "v"]),
    "a character twice": put("chars", ["a", "a", "i", "l", "m", "o", "v"]),
    "a character of two": put("chars", 0, "ab"),
    "a character that is none": put("chars", 0, 5),
    "a character too few": drop("chars", 0),
    "a character that cannot be printed": put("chars", -1, "\ud800"),
    "a character that breaks the line": put("chars", 0, "\n"),
    "a training that is a list": put("training", [1]),
    "a training with nothing in it": put("training", {"m": []}),
    "a mean too few": drop("training", "m", 0),
    "a mean that is text": put("training", "v", 0, "abc"),
    "a mean that is not finite": put("training", "v", 0, float("inf")),
    "a rate that is text": put("training", "learning_rate", "fast"),
    "steps that are a fraction": put("training", "done", 0.5),
    "no generator": drop("training", "generator"),
    "a generator of another kind": put("training", "generator", [3, [1, 2], None]),
    "a generator that is no list": put("training", "generator", 7),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_model(refuses, tmp_path, saved, damage):
    data = json.loads(saved)
    damage(data)
    (tmp_path / "model.json").write_text(json.dumps(data))
    assert "model.json" in refuses("--load", "model.json")


def test_a_model_so_large_that_sampling_overflows(program, tmp_path, saved):
    """Every number is finite, but what is computed from them is not."""
    data = json.loads(saved)
    for name, matrix in data["state_dict"].items():
        data["state_dict"][name] = [[1e308 for _ in row] for row in matrix]
    (tmp_path / "model.json").write_text(json.dumps(data))
    done = program.run("--load", tmp_path / "model.json")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2 and done.stderr.count("\n") == 1


SPEAKING = [
    ["--input", "/nonexistent"],
    ["--learning-rate", "5"],
    ["--log", "log.csv"],
    ["--held-out", "1"],
    ["--samples", "0", "--prompt", "a"],
]


@pytest.mark.parametrize("idle", SPEAKING, ids=lambda idle: idle[-2])
def test_an_option_that_has_no_effect_on_a_model_that_only_speaks(
    refuses, tmp_path, saved, idle
):
    (tmp_path / "model.json").write_text(saved)
    assert idle[-2] in refuses("--load", "model.json", *idle)


@pytest.mark.parametrize(
    "idle",
    [
        ["--steps", "0", "--learning-rate", "0.1"],
        ["--steps", "0", "--log", "log.csv"],
        ["--samples", "0", "--temperature", "1"],
    ],
    ids=lambda idle: idle[-2],
)
def test_an_option_that_has_no_effect(refuses, idle):
    assert idle[-2] in refuses("--input", "names.txt", *idle)


OTHERWISE = {
    "--seed": ["--seed", "7"],
    "--learning-rate": ["--learning-rate", "0.1"],
    "--held-out": ["--held-out", "1"],
    "other documents": ["--input", "other.txt"],
    "1 steps are done": ["--steps", "0"],
}


@pytest.mark.parametrize("problem, option", OTHERWISE.items(), ids=OTHERWISE.keys())
def test_a_training_that_cannot_go_on_so(refuses, tmp_path, saved, problem, option):
    (tmp_path / "model.json").write_text(saved)
    (tmp_path / "other.txt").write_text("emma\nolivia\n")
    options = ["--load", "model.json", "--input", "names.txt", "--steps", "9"]
    assert problem in refuses(*options, *option)


def test_a_model_of_version_1_cannot_go_on(refuses, tmp_path, saved):
    (tmp_path / "model.json").write_text(version_1(saved))
    options = ["--load", "model.json", "--input", "names.txt", "--steps", "9"]
    assert "no training" in refuses(*options)


def version_1(saved):
    """A model as it was saved before it held its training."""
    data = json.loads(saved) | {"version": 1}
    del data["training"]
    return json.dumps(data)


@pytest.mark.parametrize("option", SIZES)
def test_a_size_that_conflicts_with_the_model(refuses, tmp_path, saved, option):
    (tmp_path / "model.json").write_text(saved)
    message = refuses("--load", "model.json", option, 8)
    assert option in message and "model.json" in message


def test_a_size_that_agrees_with_the_model(program, tmp_path, saved):
    (tmp_path / "model.json").write_text(saved)
    sizes = ["--n-embd", 4, "--n-head", 4, "--n-layer", 1, "--block-size", 16]
    done = program.run("--load", tmp_path / "model.json", *sizes)
    assert (done.stderr, done.returncode) == ("", 0)


def test_training_a_model_on_letters_that_it_lacks(refuses, tmp_path, saved):
    (tmp_path / "model.json").write_text(saved)
    (tmp_path / "other.txt").write_text("emma\nzoe\n")
    options = ["--load", "model.json", "--input", "other.txt"]
    assert "other documents" in refuses(*options, "--steps", 1)


def test_a_prompt_that_the_model_lacks(refuses, tmp_path, saved):
    (tmp_path / "model.json").write_text(saved)
    assert "'z'" in refuses("--load", "model.json", "--prompt", "z")


# Saving: what cannot work is found before training


@pytest.mark.parametrize("place", ["missing/model.json", ".", "", "names.txt/x"])
def test_a_place_that_is_none(refuses, place):
    refuses("--save", place, *ENDLESS)


@linux
@pytest.mark.parametrize("place", ["/dev/null", "/dev/full", "/dev/fd/1", "/proc/x"])
def test_a_place_that_is_no_file(refuses, place):
    assert place in refuses("--save", place, *ENDLESS)


def test_a_name_that_is_too_long(refuses):
    refuses("--save", "x" * 300, *ENDLESS)


@skip_for_root
def test_a_write_protected_file(refuses, tmp_path):
    (tmp_path / "model.json").write_text(PRECIOUS)
    (tmp_path / "model.json").chmod(0o400)
    assert "model.json" in refuses("--save", "model.json", *ENDLESS)


@skip_for_root
def test_a_write_protected_folder(refuses, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "model.json").write_text(PRECIOUS)
    folder.chmod(0o500)
    with contextlib.ExitStack() as stack:
        stack.callback(folder.chmod, 0o700)
        assert "locked" in refuses("--save", "locked/model.json", *ENDLESS)


@pytest.mark.parametrize(
    "trouble",
    [
        ["--input", "nowhere.txt"],
        ["--n-embd", "10"],
        ["--prompt", "X"],
        ["--load", "names.txt"],
        ["--nonsense"],
    ],
)
def test_other_troubles_leave_an_existing_model_alone(refuses, tmp_path, trouble):
    (tmp_path / "model.json").write_text(PRECIOUS)
    refuses("--save", "model.json", *trouble)  # it compares the files


@pytest.mark.parametrize("option", ["--save", "--log"])
def test_what_is_not_ours_is_not_written_over(refuses, option):
    assert "something else" in refuses(option, "names.txt", *ENDLESS)


@pytest.mark.parametrize("place", ["missing/log.csv", ".", "", "names.txt/x"])
def test_a_log_that_cannot_be_written(refuses, place):
    refuses("--log", place, *ENDLESS)


def test_more_documents_held_out_than_there_are(refuses):
    assert "--held-out" in refuses("--input", "names.txt", "--held-out", 3, *ENDLESS)


@linux
@pytest.mark.skipif(not as_root, reason="only root can mount")
def test_a_file_that_is_mounted_by_itself(refuses, tmp_path):
    """It can be written, but no other file can take its place."""
    (tmp_path / "there.json").write_text(PRECIOUS)
    (tmp_path / "model.json").write_text(PRECIOUS)
    mount = ["mount", "--bind", tmp_path / "there.json", tmp_path / "model.json"]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        assert "model.json" in refuses("--save", "model.json", *ENDLESS)
    finally:
        subprocess.run(["umount", tmp_path / "model.json"], check=True)


def test_a_file_that_a_killed_run_left_is_no_hindrance(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text(NAMES)
    (tmp_path / f"model.json.{os.getpid()}.part").write_text("half")
    options = ["--input", "names.txt", "--steps", "0", "--save", "model.json"]
    assert program.module.main(options) == 0
    assert sorted(os.listdir(tmp_path)) == ["model.json", "names.txt"]


# Training that goes wrong


def test_a_training_that_diverges(program, tmp_path):
    (tmp_path / "input.txt").write_text(NAMES)
    (tmp_path / "model.json").write_text(PRECIOUS)
    options = ["--learning-rate", "9e99", "--steps", 20, "--save", "model.json"]
    done = program.run(*options, "--input", "input.txt", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "--learning-rate" in done.stderr
    assert (tmp_path / "model.json").read_text() == PRECIOUS


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("rate", ["1e10", "1e50", "9e99"])
@pytest.mark.parametrize("temperature", ["1e-99", "0.5"])
def test_no_extreme_settings_end_in_a_traceback(
    program, tmp_path, steps, rate, temperature
):
    (tmp_path / "input.txt").write_text(NAMES)
    options = ["--learning-rate", rate, "--temperature", temperature]
    options += ["--input", "input.txt", "--steps", steps, "--n-embd", 4]
    done = program.run(*options, cwd=tmp_path)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    assert done.stderr.count("\n") == (done.returncode == 2)
