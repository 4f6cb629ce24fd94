using Convoy.Kernels;
using Convoy.Shared;

namespace Convoy.Autodiff.Ops;

/// <summary>Activations that linear and conv2d may carry. All have a gradient that needs the result only.</summary>
internal static class Activations
{
    public static bool IsKnown(string name) => name is "" or "relu" or "tanh" or "sigmoid";

    public static Activation Kernel(string name) => name switch
    {
        "" => Activation.None,
        "relu" => Activation.Relu,
        "tanh" => Activation.Tanh,
        "sigmoid" => Activation.Sigmoid,
        _ => throw Invariant.Unhandled(name),
    };

    public static Value Apply(string name, Value x) => name switch
    {
        "" => x,
        "relu" => x.Relu(),
        "tanh" => x.Tanh(),
        "sigmoid" => x.Sigmoid(),
        _ => throw Invariant.Unhandled(name),
    };

    public static Value Gradient(string name, Value dy, Value y) => name switch
    {
        "" => dy,
        "relu" => dy.ReluGrad(y),
        "tanh" => dy.TanhGrad(y),
        "sigmoid" => dy.SigmoidGrad(y),
        _ => throw Invariant.Unhandled(name),
    };

    /// <summary>The name under which an operator can be fused, or null.</summary>
    public static string? Fusable(Op op) =>
        op == OpTable.Relu ? "relu" : op == OpTable.Tanh ? "tanh" : op == OpTable.Sigmoid ? "sigmoid" : null;
}
