"""The command `wsss`: its table of subcommands, and what it says to a wrong one."""

import importlib
import subprocess
import sys

import pytest

from tests.messages import lacking
from wsss_stages.commands import wsss


@pytest.mark.parametrize("name", wsss.COMMANDS)
def test_every_subcommand_has_a_module_with_a_main_and_examples(name, monkeypatch, capsys):
    module = importlib.import_module(f"wsss_stages.commands.{wsss.COMMANDS[name].module}")
    monkeypatch.setattr(sys, "argv", [f"wsss {name}", "--help"])
    with pytest.raises(SystemExit):
        module.main(["--help"])
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: wsss {name} ") and f"    wsss {name} " in shown


def test_help_names_all_and_loads_no_library():
    code = (
        "import sys; from wsss_stages.commands import wsss; wsss.main(['--help']); "
        "assert not {'torch', 'numpy', 'pydantic', 'yaml'} & set(sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not lacking(shown, *wsss.COMMANDS)


def test_version(capsys):
    wsss.main(["--version"])
    assert capsys.readouterr().out.startswith("wsss-stages ")


@pytest.mark.parametrize(("typed", "words"), [("rnu", ["'rnu'", "wsss run"]), ("zzzz", ["'zzzz'", "run, check, plan"])])
def test_a_typo_names_the_nearest_or_all(typed, words):
    with pytest.raises(SystemExit) as left:
        wsss.main([typed])
    assert not lacking(str(left.value), *words)


def test_a_subcommand_gets_its_arguments_and_its_name(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["wsss", "inspect", "nothing", "--results", "/nowhere"])
    with pytest.raises(SystemExit) as left:
        wsss.main()
    assert not lacking(str(left.value), "error: ", "nothing", "/nowhere") and sys.argv[0] == "wsss inspect"
