"""Times PyTorch for bench/kernels/bench.ts: one JSON work a line in, the seconds of one run a line out."""

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


def decoupled(work):
    """As bench/kernels/candidate.ts: update the layer with its generator's guess, then teach the generator."""
    rows, inner, columns = work["rows"], work["inner"], work["columns"]
    x = torch.rand(rows, inner, requires_grad=True)
    weight = torch.nn.Parameter((torch.rand(inner, columns) - 0.5) / 8)
    norm = torch.nn.BatchNorm1d(columns)
    labels = torch.nn.functional.one_hot(torch.arange(rows) % 10, 10).float()
    target = (torch.rand(rows, columns) - 0.5) / 8
    of_output = torch.nn.Parameter(torch.zeros(columns, columns))
    of_labels = torch.nn.Parameter(torch.zeros(10, columns))
    bias = torch.nn.Parameter(torch.zeros(columns))
    layer = torch.optim.Adam([weight, norm.weight, norm.bias], lr=1e-3)
    generator = torch.optim.Adam([of_output, of_labels, bias], lr=1e-3)

    def guess(output):
        return torch.addmm(torch.addmm(bias, output, of_output), labels, of_labels)

    def run():
        layer.zero_grad()
        x.grad = None
        output = torch.relu(norm(x @ weight))
        with torch.no_grad():
            synthetic_gradient = guess(output) / rows
        output.backward(synthetic_gradient)
        layer.step()
        generator.zero_grad()
        (guess(output.detach()) - target).square().sum().mul(0.5 / rows).backward()
        generator.step()

    return run


prepare = {"multiply": multiplication, "step": step, "decoupled": decoupled}


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
        prepared[line] = prepare[work["kind"]](work)
    if work["kind"] == "multiply":
        with torch.no_grad():
            print(repeat(prepared[line], work["seconds"]), flush=True)
    else:
        print(repeat(prepared[line], work["seconds"]), flush=True)
