"""How often `revoir diagnose` has a right cause of the texts in said.toml first, and in the first three.

    python3 testdata/diagnosis/said.py target/debug/revoir
"""

import json
import pathlib
import subprocess
import sys
import tomllib

NONE = "not-in-catalogue"


def named(binary: str, text: str) -> list[str]:
    """What is named, most likely first; that none of the causes fits has a place by its share."""
    command = [binary, "diagnose", "--json", f"--console={text}"]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    ids = [cause["id"] for cause in said["causes"]]
    less = [at for at, cause in enumerate(said["causes"]) if cause["share"] < said["none_known"]]
    place = (less or [len(ids)])[0] if said["cause"] else 0
    return ids[:place] + [NONE] + ids[place:]


lists: dict[int, list[int]] = {}
for group in tomllib.loads((pathlib.Path(__file__).parent / "said.toml").read_text())["group"]:
    for text, right in group["texts"]:
        places = [at for at, one in enumerate(named(sys.argv[1], text)) if one in right.split("|")]
        place = (places or [99])[0]
        counts = lists.setdefault(group["list"], [0, 0, 0])
        for at, counted in enumerate((True, place == 0, place < 3)):
            counts[at] += counted
for number, (all_, first, three) in sorted(lists.items()):
    print(f"list {number}: {first} of {all_} first, {three} in the first three")
