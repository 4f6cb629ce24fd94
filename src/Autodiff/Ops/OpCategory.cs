namespace Convoy.Autodiff.Ops;

/// <summary>Families of operators, as far as errors, fallbacks and the catalogue tell them apart.</summary>
public enum OpCategory
{
    /// <summary>No operands: inputs, parameters, constants, random numbers.</summary>
    Leaf,
    /// <summary>Each element of the result depends on the elements at its own place.</summary>
    Elementwise,
    /// <summary>Elements are moved or relabelled, never computed.</summary>
    Shape,
    /// <summary>Square or rectangular matrices in the last two dimensions.</summary>
    LinearAlgebra,
    /// <summary>Sums over dimensions, the batch among them.</summary>
    Contraction,
    /// <summary>Written in other operators.</summary>
    Composition,
    /// <summary>The gradient of another operator, with a kernel of its own.</summary>
    Gradient,
    /// <summary>Layers, windows, indices, scans: whatever has a rule of its own.</summary>
    Kernel,
    /// <summary>Of a user; not in the table.</summary>
    Custom,
}

/// <summary>
/// The family of an operator follows from what it says of itself, so no list of names can be out of date.
/// </summary>
public static class OpCategories
{
    /// <summary>The family of an operator; Custom for one that is not in the table.</summary>
    public static OpCategory Of(Op op)
    {
        if (OpTable.Find(op.Name) != op) return OpCategory.Custom;
        if (op is LeafOp || op.Sharding == "-> a...") return OpCategory.Leaf;
        if (op is CompositeOp) return OpCategory.Composition;
        if (op is MatrixOp) return OpCategory.LinearAlgebra;
        if (op.Name.Contains("-grad", StringComparison.Ordinal)) return OpCategory.Gradient;
        if (op.Sharding is "a... -> a..." or "a..., a... -> a..." or "a..., a..., a... -> a...")
            return OpCategory.Elementwise;
        if (op.OnlyMoves || op.IsAlias) return OpCategory.Shape;
        return op.SumsSamples(Attributes.None) ? OpCategory.Contraction : OpCategory.Kernel;
    }
}
