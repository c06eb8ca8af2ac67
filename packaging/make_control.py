"""Writes debian/control: packaging/debian/control.in, and for each manifest the package of its plugin.

usage: make_control.py TREE OUT
"""

import json
import pathlib
import re
import sys
import textwrap

# Of apt-build.txt, what only speeds up work in the tree.
NOT_FOR_PACKAGES = {"ccache", "g++", "tzdata", "python3-pip", "unzip"}
# Unpacked instead of installed where the profile says so: its package depends on Qt and much else.
VALIJSON = "libvalijson-dev <!pkg.patchbay.unpacked>"
# What no plugin outside the tree is linked with.
ONLY_HOST = {"cmake", "pkg-config", "python3", "ninja-build", "libboost-dev", "libboost-program-options-dev", "libspdlog-dev", "libfmt-dev",
             "libyaml-cpp-dev", "libhowardhinnant-date-dev"}


def plugins(tree):
    built = re.findall(r"add_subdirectory\((\S+)\)", (tree / "plugins/CMakeLists.txt").read_text())
    manifests = {path.stem: json.loads(path.read_text()) for path in (tree / "manifests").glob("*.json")}
    for lost in set(built) - set(manifests):
        sys.exit(f"plugins/{lost}: has no manifests/{lost}.json; write it")
    for lost in set(manifests) - set(built):
        sys.exit(f"manifests/{lost}.json: plugins/CMakeLists.txt has no add_subdirectory({lost}); add it")
    return [manifests[name] for name in sorted(built)]


def package(manifest):
    return "patchbay-plugin-" + manifest["id"].replace("_", "-")


def stanza(manifest):
    kinds = sorted({component["kind"] for component in manifest["components"]})
    summary = manifest["summary"].rstrip(".")
    about = (f"{summary}. A plugin of patchbay with these kinds of components: {', '.join(kinds)}. "
             f"`patchbay plugins show {manifest['id']}` lists their options.")
    short = f"{manifest['id']} plugin of patchbay: {summary}"
    if len(short) > 79:  # what lintian allows; at the end of a part
        short = re.sub(r"[,;:] [^,;:]*$", "", short[:79])
    return "\n".join([f"Package: {package(manifest)}", "Architecture: any",
                      "Depends: ${misc:Depends}, ${shlibs:Depends}, ${patchbay:Depends}",
                      f"Description: {short}",
                      *textwrap.wrap(about, 78, initial_indent=" ", subsequent_indent=" ")])


def main():
    tree, out = map(pathlib.Path, sys.argv[1:])
    build = [word for word in (tree / "packaging/apt-build.txt").read_text().split() if word not in NOT_FOR_PACKAGES]
    listed = plugins(tree)
    lines = lambda names: "\n".join(f" {name}," for name in names)
    text = (tree / "packaging/debian/control.in").read_text()
    text = text.replace("@BUILD_DEPENDS@", lines(build + [VALIJSON]))
    text = text.replace("@DEVELOPMENT@", lines(name for name in build if name not in ONLY_HOST))
    text = text.replace("@PLUGINS@", lines(package(one) + " (= ${binary:Version})" for one in listed))
    out.write_text(text + "".join("\n" + stanza(one) + "\n" for one in listed))


if __name__ == "__main__":
    main()
