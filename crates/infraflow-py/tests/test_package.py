import importlib.resources
import re

import infraflow


def test_the_package_says_its_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", infraflow.__version__)


def test_the_package_is_typed():
    assert (importlib.resources.files(infraflow) / "py.typed").is_file()


def test_everything_public_is_exported_by_name():
    for name in infraflow.__all__:
        assert hasattr(infraflow, name), name
