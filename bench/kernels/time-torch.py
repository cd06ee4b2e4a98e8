"""Times PyTorch for bench/kernels.ts: one JSON work a line in, the seconds of one run a line out."""

import json
import os
import sys
import time

import torch

torch.set_num_threads(1)


def multiplication(work):
    rows, inner, columns = work["rows"], work["inner"], work["columns"]
    a = torch.rand(inner, rows).t() if work["transposeA"] else torch.rand(rows, inner)
    b = torch.rand(columns, inner).t() if work["transposeB"] else torch.rand(inner, columns)
    c = torch.empty(rows, columns)
    return lambda: torch.mm(a, b, out=c)


def step(work):
    rows, inner, columns = work["rows"], work["inner"], work["columns"]
    x = torch.rand(rows, inner, requires_grad=True)
    weight = torch.nn.Parameter((torch.rand(inner, columns) - 0.5) / 8)
    bias = torch.nn.Parameter(torch.zeros(columns))
    output_gradient = torch.rand(rows, columns)
    optimizer = torch.optim.Adam([weight, bias], lr=1e-3)

    def run():
        optimizer.zero_grad()
        x.grad = None
        torch.sigmoid(torch.addmm(bias, x, weight)).backward(output_gradient)
        optimizer.step()

    return run


def repeat(run, least):
    runs = 1
    while True:
        start = time.process_time()
        for _ in range(runs):
            run()
        seconds = time.process_time() - start
        if seconds >= least / 2:
            return seconds / runs
        runs *= 2


def blas_in_use():
    """The file behind each BLAS in this process: PyTorch takes whichever the system links, and some are slow."""
    try:
        with open("/proc/self/maps") as maps:
            files = {line.split()[-1] for line in maps if "blas" in line}
    except OSError:
        return "BLAS unknown"
    return ", ".join(sorted(os.path.basename(os.path.realpath(file)) for file in files)) or "BLAS built in"


prepared = {}
torch.mm(torch.ones(2, 2), torch.ones(2, 2))
print(f"{torch.__version__} ({blas_in_use()})", flush=True)
for line in sys.stdin:
    work = json.loads(line)
    if line not in prepared:
        prepared[line] = (multiplication if work["kind"] == "multiply" else step)(work)
    if work["kind"] == "multiply":
        with torch.no_grad():
            print(repeat(prepared[line], work["seconds"]), flush=True)
    else:
        print(repeat(prepared[line], work["seconds"]), flush=True)
