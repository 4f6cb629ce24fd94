using System.Numerics;
using System.Runtime.CompilerServices;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

// y = f, the result of a package's formula, with the gradient of its author        f, x0, x1, .. -> y of f's shape
// dx0, dx1, .. = the author's rule of x0, x1, .., y and dy; df = 0
internal sealed class Packaged : FloatOp
{
    internal override string Settings => "package";

    // A package travels as the text of an attribute, and is read once for each text.
    private static readonly ConditionalWeakTable<string, OperatorPackage> Read = [];

    public override string Name => "packaged";
    public override string Sharding => "not at all";

    /// <summary>The package as an attribute; it has a gradient of its author.</summary>
    internal static Attributes AttributesOf(OperatorPackage package)
    {
        var text = Convert.ToBase64String(package.Encode());
        Read.Add(text, package);
        return Attributes.Of("package", text);
    }

    private OperatorPackage PackageOf(Attributes attributes) => Read.GetValue(attributes.Text("package"), text =>
    {
        try
        {
            return OperatorPackage.Decode(Convert.FromBase64String(text));
        }
        catch (Exception e) when (e is FormatException or ConvoyException)
        {
            throw Wrong($"its package cannot be read: {e.Message}");
        }
    });

    internal override bool MayOverwrite(int input) => input == 0;

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(0, BytesOf(inputs[..1], outputs, rows));

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        var package = PackageOf(attributes);
        RequireCount(inputs, package.Operands + 1);
        RequireFloat(inputs[0]);
        Require(package.GradientGraph is not null, $"the package {package.Name} has no gradient of its author");
        var result = package.Infer(inputs[1..])[0];
        Require(result.Equals(inputs[0]), $"the package {package.Name} gives {result}, not {inputs[0]}");
        return [result];
    }

    private protected override void Run<T>(OpCall call) => call.In<T>(0).CopyTo(call.Out<T>());

    internal override Value?[] Backward(OpGradient g)
    {
        var package = PackageOf(g.Attributes);
        return [null, .. package.Run(g.Builder, package.GradientGraph!, [.. g.Inputs.Skip(1), g.Y, g.Dy])];
    }

    internal override Value[] Batched(OpBatch b)
    {
        Value[] all = [.. b.Inputs.Select((_, i) => b.Spread(i))];
        return b.Apply(AttributesOf(PackageOf(b.Attributes).ForSamples([.. all.Skip(1).Select(v => v.Type)])), all);
    }
}
