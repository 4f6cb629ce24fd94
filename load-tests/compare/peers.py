"""The cases of Comparison.cs in NumPy (by hand), PyTorch, functorch and SymPy, one thread.

Prints one JSON object a line: {"peer", "case", "us", "check"}, or {"peer", "skip"} for a library that is not here.
"""
import json
import math
import sys
import time

BUDGET_S = float(sys.argv[1]) if len(sys.argv) > 1 else 0.15


def measure(peer, case, run):
    """Median of the calls, and the sum of the result, which must be that of everybody else."""
    check = float(run())
    begun = time.perf_counter()
    while time.perf_counter() - begun < BUDGET_S:
        run()
    times, begun = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - begun < BUDGET_S and len(times) < 500):
        one = time.perf_counter()
        run()
        times.append(time.perf_counter() - one)
    times.sort()
    print(json.dumps({"peer": peer, "case": case, "us": times[len(times) // 2] * 1e6, "check": check}), flush=True)


def wave(count, first):
    return [math.sin(0.7 * (i + first)) for i in range(count)]


def by_numpy(np):
    for n in (10, 30, 100):
        a, x, v = (np.array(wave(n * n, 1)).reshape(n, n), np.array(wave(n, 2)), np.array(wave(n, 3)))

        def gradient(x):
            t = np.tanh(a @ x)
            return a.T @ (2 * t * (1 - t * t))

        def curvature(x):
            t = np.tanh(a @ x)
            return 2 * (1 - t * t) * (1 - 3 * t * t)

        def jacobian(x):
            t = np.tanh(a @ x)
            return (1 - t * t)[:, None] * a

        measure("numpy, by hand", f"function {n}", lambda: np.square(np.tanh(a @ x)).sum())
        measure("numpy, by hand", f"gradient {n}", lambda: gradient(x).sum())
        measure("numpy, by hand", f"hessian-vector {n}", lambda: (a.T @ (curvature(x) * (a @ v))).sum())
        measure("numpy, by hand", f"jacobian {n}", lambda: jacobian(x).sum())
        measure("numpy, by hand", f"hessian {n}", lambda: (a.T @ (curvature(x)[:, None] * a)).sum())


def derivatives(torch, n):
    a = torch.tensor(wave(n * n, 1), dtype=torch.float64).reshape(n, n)
    x, v = (torch.tensor(wave(n, first), dtype=torch.float64) for first in (2, 3))
    return (lambda x: torch.tanh(a @ x)), (lambda x: torch.tanh(a @ x).square().sum()), x, v


def by_torch(torch):
    torch.set_num_threads(1)
    from torch.autograd import functional

    for n in (10, 30, 100):
        rows, f, x, v = derivatives(torch, n)

        def gradient():
            free = x.clone().requires_grad_()
            return torch.autograd.grad(f(free), free)[0].sum()

        measure("torch", f"function {n}", lambda: f(x))
        measure("torch", f"gradient {n}", gradient)
        measure("torch", f"hessian-vector {n}", lambda: functional.hvp(f, x, v)[1].sum())
        measure("torch", f"jacobian {n}", lambda: functional.jacobian(rows, x, vectorize=True).sum())
        measure("torch", f"hessian {n}", lambda: functional.hessian(f, x, vectorize=True).sum())

    def gradients(case, f, *shapes):
        free = [torch.tensor(wave(math.prod(s), i + 1), dtype=torch.float32).reshape(s).requires_grad_()
                for i, s in enumerate(shapes)]
        measure("torch", case, lambda: sum(g.sum() for g in torch.autograd.grad(f(*free).square().sum(), free)))

    def chain(x):
        for i in range(8):
            x = torch.sigmoid(x) if i % 2 == 0 else x * 1.5
        return x

    gradients("matmul 256", lambda a, b: a @ b, (256, 256), (256, 256))
    gradients("element-wise 1000000", lambda a, b: torch.tanh(a * b), (1_000_000,), (1_000_000,))
    gradients("chain of eight 32000", chain, (32_000,))
    gradients("softmax 128x1000", lambda a: torch.softmax(a, -1), (128, 1_000))
    gradients("contraction 32", lambda a, b: torch.einsum("ijk,jkl->il", a, b), (32, 32, 32), (32, 32, 32))
    gradients("conv 16x16x28x28 to 32", lambda x, w: torch.nn.functional.conv2d(x, w, padding=1),
              (16, 16, 28, 28), (32, 16, 3, 3))


def by_functorch(functorch):
    import torch

    torch.set_num_threads(1)
    for n in (10, 30, 100):
        rows, f, x, v = derivatives(torch, n)
        measure("functorch", f"gradient {n}", lambda: functorch.grad(f)(x).sum())
        measure("functorch", f"hessian-vector {n}", lambda: functorch.jvp(functorch.grad(f), (x,), (v,))[1].sum())
        measure("functorch", f"jacobian {n}", lambda: functorch.jacrev(rows)(x).sum())
        measure("functorch", f"hessian {n}", lambda: functorch.hessian(f)(x).sum())


def by_sympy(sympy):
    """Symbolic derivatives, compiled to Python before the clock starts; larger ones take minutes to derive."""
    n = 10
    a, at = wave(n * n, 1), wave(n, 2)
    x = sympy.symbols(f"x0:{n}")
    f = sum(sympy.tanh(sum(a[i * n + j] * x[j] for j in range(n))) ** 2 for i in range(n))
    gradient = sympy.lambdify([x], [sympy.diff(f, s) for s in x], "math", cse=True)
    measure("sympy", f"function {n}", lambda f=sympy.lambdify([x], f, "math", cse=True): f(at))
    measure("sympy", f"gradient {n}", lambda: sum(gradient(at)))


for name, run in (("numpy", by_numpy), ("torch", by_torch), ("functorch", by_functorch), ("sympy", by_sympy)):
    try:
        library = __import__(name)
    except ImportError as missing:
        print(json.dumps({"peer": name, "skip": str(missing)}), flush=True)
        continue
    run(library)
