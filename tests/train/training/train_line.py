"""A line through points, learned by one network with dropout, or by two that play against it."""

import torch
from torch import nn


class Line:
    """Learns y = 2 x with noise from torch's global generator; remembers what it was shown."""

    def __init__(self, optimisers=1, rate=0.05, stop_at=None, explode_at=None):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.modules = {"net": nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.3), nn.Linear(8, 1))}
            if optimisers == 2:
                self.modules["other"] = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4))
        self.optimisers = {
            name: torch.optim.Adam(
                [{"params": list(module[0].parameters()), "lr": rate},
                 {"params": list(module[-1].parameters()), "lr": rate / 2}]
            )
            for name, module in self.modules.items()
        }  # fmt: skip
        self.shown, self.stop_at, self.explode_at = [], stop_at, explode_at

    def step(self, items, epoch, update):
        if len(self.shown) + 1 == self.stop_at:
            raise KeyboardInterrupt
        self.shown.append((epoch, items))
        x = torch.tensor(items, dtype=torch.float32)[:, None] / 10
        y = 2 * x + 0.01 * torch.randn_like(x)
        loss = (self.modules["net"](x) - y).square().mean()
        if len(self.shown) == self.explode_at:
            loss = loss * float("nan")
        update(loss, "net")
        if "other" in self.modules:
            rival = self.modules["other"](x).sum(dim=1, keepdim=True)
            update((rival - self.modules["net"](x).detach()).square().mean(), "other")
        return {"loss": loss.detach()}

    def weights(self):
        return {
            f"{name}.{key}": tensor.clone()
            for name, module in self.modules.items()
            for key, tensor in module.state_dict().items()
        }
