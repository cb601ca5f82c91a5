# SPDX-License-Identifier: Apache-2.0
"""Lines with error bars as a PNG, drawn by gnuplot."""

import subprocess

_STYLE = """
set terminal pngcairo size 720,440 font "Sans,11"
set grid
set key top left
set logscale x
"""


def plot(file, x_label, y_label, lines, log_y=False):
    """lines: {name: [(x, y, least, most)]}"""
    script = [_STYLE, f'set output "{file}"', f'set xlabel "{x_label}"', f'set ylabel "{y_label}"',
              "set logscale y" if log_y else "set yrange [0:*]"]
    for i, points in enumerate(lines.values()):
        rows = "\n".join(" ".join(map(str, point)) for point in points)
        script.append(f"$line{i} << EOD\n{rows}\nEOD")
    xs = sorted({point[0] for points in lines.values() for point in points})
    script.append("set xtics (" + ", ".join(f'"{x}" {x}' for x in xs) + ")")
    script.append("plot " + ", ".join(
        f'$line{i} using 1:2:3:4 with yerrorlines linewidth 2 pointtype 7 title "{name}"'
        for i, name in enumerate(lines)))
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)
