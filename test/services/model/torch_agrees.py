"""model.safetensors, docs/export.md, inputs (float32) -> the outputs of a network built of PyTorch's own modules (float32)."""
import re, sys
from torch.nn import functional as F

blocks = re.findall(r"```python\n(.*?)```", open(sys.argv[2]).read(), re.S)
exec(blocks[0])
layers = json.loads(about["layers"])
x = torch.frombuffer(bytearray(open(sys.argv[3], "rb").read()), dtype=torch.float32).reshape(-1, layers[0]["inputs"])
bend = {"relu": F.relu, "identity": lambda v: v, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def normed(value, w, layer):
    if layer["batchNorm"] and "norm.running_mean" in w:
        names = ["norm.running_mean", "norm.running_var", "norm.weight", "norm.bias"]
        value = F.batch_norm(value, *(w[name] for name in names))
    return bend[layer["nonlinearity"]](value)


def block(value, w, layer):
    width = value.shape[-1]
    attention = torch.nn.MultiheadAttention(width, layer["own"]["heads"], bias=False, batch_first=True).eval()
    attention.load_state_dict({name[10:]: w[name] for name in w if name.startswith("attention.")})
    norm = F.layer_norm(value, [width], w["attention_norm.weight"])
    mask = torch.ones(value.shape[1], value.shape[1], dtype=torch.bool).triu(1)
    value = value + attention(norm, norm, norm, attn_mask=mask, need_weights=False)[0]
    norm = F.layer_norm(value, [width], w["feed_forward_norm.weight"])
    return value + F.linear(F.gelu(F.linear(norm, w["expand.weight"]), approximate="tanh"), w["contract.weight"])


with torch.no_grad():
    if all(layer.get("kind", "dense") == "dense" and "conv" not in layer for layer in layers):
        exec(blocks[1])
        x = net(x)
    else:
        for number, layer in enumerate(layers, 1):
            prefix = f"layer{number}."
            w = {name[len(prefix):]: weights[name] for name in weights if name.startswith(prefix)}
            if "conv" in layer:
                shape = layer["conv"]["shape"]
                # Ours lie rows x columns x channels; of the first image only, where PyTorch's come out of the layer before.
                image = [-1, shape["channels"], shape["height"], shape["width"]]
                last = [-1, shape["height"], shape["width"], shape["channels"]]
                x = x.reshape(image) if number > 1 else x.reshape(last).permute(0, 3, 1, 2)
                x = F.conv2d(x, w["conv.weight"], w.get("conv.bias"), shape["stride"], shape["padding"])
                x = normed(x, w, layer)
            elif layer.get("kind") == "embedding":
                x = F.embedding(x.long(), w["token.weight"]) + w["place.weight"]
                x = block(x, w, layer) if "heads" in layer["own"] else x
            elif layer.get("kind") == "block":
                x = block(x, w, layer)
            elif layer.get("kind") == "readout":
                x = F.linear(F.layer_norm(x, [x.shape[-1]], w["norm.weight"]), w["linear.weight"])
            else:
                x = normed(F.linear(x.flatten(1), w["linear.weight"], w.get("linear.bias")), w, layer)
sys.stdout.buffer.write(x.flatten().numpy().tobytes())
