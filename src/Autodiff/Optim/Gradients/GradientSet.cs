namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>The gradient of one parameter, in place, beside the parameter's values.</summary>
/// <param name="Name">The parameter; what stands before its last dot is its layer.</param>
/// <param name="Gradient">Its elements; a complex one has real and imaginary part by turns.</param>
/// <param name="Weights">The values, of the same length.</param>
/// <param name="Depth">Place of the parameter in the network, from 0.</param>
public sealed record GradientPart(string Name, GradientVector Gradient, GradientVector Weights, int Depth)
{
    /// <summary>A parameter in float64.</summary>
    public GradientPart(string name, double[] gradient, double[] weights, int depth)
        : this(name, (GradientVector)gradient, weights, depth)
    {
    }

    /// <summary>What the parameter is ("weight", "bias", "norm" …), for stages that treat kinds unlike.</summary>
    public string Kind { get; init; } = "";

    /// <summary>Rows of a weight matrix, each the weights of one unit; 1 when it is looked at as a whole.</summary>
    public int Units { get; init; } = 1;

    /// <summary>CPX-02: two numbers make one element. Norms are those of the complex vector either way.</summary>
    public bool IsComplex { get; init; }

    /// <summary>Elements; of a complex gradient half as many as numbers.</summary>
    public int Count => IsComplex ? Gradient.Length / 2 : Gradient.Length;

    /// <summary>The Euclidean norm of this parameter's gradient.</summary>
    public double Norm => Gradient.Norm;

    /// <summary>The name of the layer: the parameter's name up to its last dot, all of it when there is none.</summary>
    public string Layer => Name.LastIndexOf('.') is > 0 and var dot ? Name[..dot] : Name;

    /// <summary>|g_i|: of a complex element its distance from 0.</summary>
    public double SizeAt(int i) =>
        IsComplex ? double.Hypot(Gradient[2 * i], Gradient[(2 * i) + 1]) : Math.Abs(Gradient[i]);

    /// <summary>Brings |g_i| to the bound and keeps its sign, or the angle of a complex element.</summary>
    public void Limit(int i, double bound)
    {
        if (!IsComplex)
        {
            Gradient[i] = Math.Clamp(Gradient[i], -bound, bound);
            return;
        }

        var size = SizeAt(i);
        if (!(size > bound)) return;
        Gradient[2 * i] *= bound / size;
        Gradient[(2 * i) + 1] *= bound / size;
    }

    /// <summary>Brings the size of every element to the bound.</summary>
    internal void Limit(double bound)
    {
        if (IsComplex)
        {
            for (var i = 0; i < Count; i++) Limit(i, bound);
            return;
        }

        var clamp = new Clamp(bound);
        Gradient.Change(ref clamp);
    }

    /// <summary>Tells the size of every element, in order.</summary>
    internal void FoldSizes<TFold>(ref TFold fold) where TFold : struct, IElementFold
    {
        if (IsComplex)
        {
            for (var i = 0; i < Count; i++) fold.Take(SizeAt(i));
            return;
        }

        var sizes = new SizesOf<TFold> { To = fold };
        Gradient.Fold(ref sizes);
        fold = sizes.To;
    }

    /// <summary>Multiplies element i, both parts of a complex one.</summary>
    public void ScaleAt(int i, double factor)
    {
        if (!IsComplex)
        {
            Gradient[i] *= factor;
            return;
        }

        Gradient[2 * i] *= factor;
        Gradient[(2 * i) + 1] *= factor;
    }

    /// <summary>The first element that is NaN or infinite, or -1.</summary>
    public int FirstNotFinite()
    {
        for (var i = 0; i < Gradient.Length; i++)
            if (!double.IsFinite(Gradient[i])) return IsComplex ? i / 2 : i;
        return -1;
    }

    private readonly struct Clamp(double bound) : IElementChange
    {
        public double Of(int i, double value) => Math.Clamp(value, -bound, bound);
    }

    private struct SizesOf<TFold> : IElementFold where TFold : struct, IElementFold
    {
        public TFold To;

        public void Take(double value) => To.Take(Math.Abs(value));
    }
}

/// <summary>All gradients of one step.</summary>
public sealed record GradientSet(IReadOnlyList<GradientPart> Parts, long Step)
{
    /// <summary>The norm over all parameters: squares are added part by part.</summary>
    public double GlobalNorm
    {
        get
        {
            var sum = 0.0;
            for (var p = 0; p < Parts.Count; p++) sum += Parts[p].Gradient.SumOfSquares(0, Parts[p].Gradient.Length);
            if (GradientMath.IsWhole(sum)) return Math.Sqrt(sum);
            // Their norms are in range even where squares of them are not.
            var norms = new double[Parts.Count];
            for (var p = 0; p < norms.Length; p++) norms[p] = Parts[p].Norm;
            return GradientVector.Of(norms.AsMemory()).Norm;
        }
    }

    /// <summary>Every gradient times one factor.</summary>
    public void Scale(double factor)
    {
        foreach (var part in Parts) part.Gradient.Scale(factor);
    }
}
