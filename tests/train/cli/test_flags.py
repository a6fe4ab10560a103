import typer
from typer.testing import CliRunner

from tests.train.training_worlds import IN_YAML_ALONE
from train.cli.flags import flags
from train.config.option_table import options_of
from train.config.options import AlignConfig, PretrainConfig, SegmentConfig, StageConfig

received: dict[str, object] = {}


def command(stage: type[StageConfig]) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @flags(stage)
    def run(data: str, given: dict[str, object], out: str = "here") -> None:
        """Trains."""
        received.clear()
        received.update(given, data=data, out=out)

    return app


def test_only_what_was_said_is_given() -> None:
    words = ["d", "--steps", "3", "--patch", "32", "16", "64", "--no-augment", "--spacing-mm", "1", "1.5", "2"]
    done = CliRunner().invoke(command(PretrainConfig), words)
    assert done.exit_code == 0, done.output
    patch, spacing = received.pop("patch"), received.pop("spacing_mm")
    assert tuple(patch) == (32, 16, 64) and tuple(spacing) == (1.0, 1.5, 2.0)  # type: ignore[arg-type]
    assert received == {"steps": 3, "augment": False, "data": "d", "out": "here"}
    assert CliRunner().invoke(command(PretrainConfig), ["d"]).exit_code == 0
    assert received == {"data": "d", "out": "here"}


def test_every_option_is_a_flag_with_its_text_and_default() -> None:
    for stage in (PretrainConfig, AlignConfig, SegmentConfig):
        parameters = {parameter.name: parameter for parameter in typer.main.get_command(command(stage)).params}
        without_flag = set()
        for name, (_, field, default) in options_of(stage).items():
            if name not in parameters:
                without_flag.add(name)
                continue
            flag = parameters[name]
            assert f"--{name.replace('_', '-')}" in flag.opts
            assert getattr(flag, "help").startswith(field.metadata["help"])  # noqa: B009
            assert flag.default is None and (default != "" or getattr(flag, "show_default") is False)  # noqa: B009
        assert without_flag == IN_YAML_ALONE & options_of(stage).keys()


def test_a_wrong_word_ends_with_two() -> None:
    for words in (["d", "--steps", "many"], ["d", "--on-problem", "cry"], ["d", "--patch", "3", "3"], ["d", "--stepz"]):
        assert CliRunner().invoke(command(PretrainConfig), words).exit_code == 2


def test_the_command_keeps_its_name_and_text() -> None:
    @flags(AlignConfig)
    def align(given: dict[str, object]) -> None:
        """Aligns."""

    assert (align.__name__, align.__doc__) == ("align", "Aligns.\n\nSettings of the YAML file alone: log_every.")


def test_the_help_names_the_layouts_that_there_are() -> None:
    from train.data.layouts import LAYOUTS

    help_ = options_of(AlignConfig)["layout"][1].metadata["help"]
    assert help_.removesuffix(".").partition(": ")[2].split(", ") == [layout.name for layout in LAYOUTS]


def test_the_flag_of_an_old_name_is_hidden_and_its_value_is_given_by_that_name() -> None:
    done = CliRunner().invoke(command(AlignConfig), ["d", "--words-weight", "0.5"])
    assert done.exit_code == 0, done.output
    assert received == {"words_weight": "0.5", "data": "d", "out": "here"}
    assert "words-weight" not in CliRunner().invoke(command(AlignConfig), ["--help"]).output
    assert CliRunner().invoke(command(PretrainConfig), ["d", "--words-weight", "0.5"]).exit_code == 2
