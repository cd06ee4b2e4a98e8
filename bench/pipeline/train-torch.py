"""The network of configs/mnist.yaml in PyTorch, trained with backpropagation; one JSON line out.

train-torch.py rate FOLDER THREADS                  seconds of a batch, to find the better number of threads
train-torch.py train FOLDER EPOCHS THREADS          FOLDER holds the four files of MNIST
"""

import json
import math
import os
import sys
import time

began = time.perf_counter()

import torch  # noqa: E402


def read(folder, file, header):
    with open(os.path.join(folder, file), "rb") as opened:
        values = bytearray(opened.read()[header:])
    return torch.frombuffer(values, dtype=torch.uint8)


def images(folder, part):
    return read(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 784).float() / 255


def classes(folder, part):
    return read(folder, f"{part}-labels-idx1-ubyte", 8).long()


def network():
    layers = []
    for inputs in (784, 256, 256):
        layers += [torch.nn.Linear(inputs, 256), torch.nn.BatchNorm1d(256), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(256, 10))


def error(model, x, y):
    model.eval()
    with torch.no_grad():
        wrong = sum(int((model(x[i : i + 1000]).argmax(1) != y[i : i + 1000]).sum()) for i in range(0, len(x), 1000))
    model.train()
    return wrong / len(x)


def train(folder, epochs, threads, size=64, rate=3e-3, most=None):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x, y, held_x, held_y = images(folder, "train"), classes(folder, "train"), images(folder, "t10k"), classes(folder, "t10k")
    model = network()
    adam = torch.optim.Adam(model.parameters(), lr=rate)
    each = min(len(x) // size, most or len(x))
    cosine = torch.optim.lr_scheduler.LambdaLR(adam, lambda n: (1 + math.cos(math.pi * n / (each * epochs))) / 2)
    loss = torch.nn.CrossEntropyLoss()
    start = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for n in range(each):
            rows = order[n * size : (n + 1) * size]
            adam.zero_grad(set_to_none=True)
            loss(model(x[rows]), y[rows]).backward()
            adam.step()
            cosine.step()
        last = error(model, held_x, held_y)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "all": time.perf_counter() - began, "batches": each * epochs, "error": last}


if sys.argv[1] == "rate":
    train(sys.argv[2], 1, int(sys.argv[3]), most=20)
    print(json.dumps(train(sys.argv[2], 1, int(sys.argv[3]), most=200)))
else:
    print(json.dumps(train(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
