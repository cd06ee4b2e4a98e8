"""Seconds of a product in PyTorch, to find the fastest core type of OpenBLAS; one JSON line out."""

import json
import time

import torch

torch.set_num_threads(1)
a, b = torch.rand(256, 256), torch.rand(256, 256)
times = []
for _ in range(200):
    start = time.perf_counter()
    torch.mm(a, b)
    times.append(time.perf_counter() - start)
print(json.dumps({"seconds": sorted(times)[len(times) // 2], "version": torch.__version__}))
