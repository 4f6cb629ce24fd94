using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Typed;

/// <summary>
/// Makes a tensor from parts that may be wrong: everything that does not fit is collected, and nothing is made until
/// all of it fits.
/// </summary>
public sealed class RankedBuilder<TRank, T> where TRank : struct, IRank where T : unmanaged
{
    private int[] _dims = [];
    private T[]? _values;
    private ShapeContract? _contract;

    /// <summary>The sizes of the dimensions; without it the tensor is a scalar.</summary>
    public RankedBuilder<TRank, T> WithShape(params int[] dims)
    {
        _dims = dims;
        return this;
    }

    /// <summary>Row-major; without values the tensor is zero.</summary>
    public RankedBuilder<TRank, T> WithValues(params T[] values)
    {
        _values = values;
        return this;
    }

    /// <summary>A rule that the shape must keep, such as <c>N, 3</c>.</summary>
    public RankedBuilder<TRank, T> WithContract(string contract)
    {
        _contract = ShapeContract.Parse(contract);
        return this;
    }

    /// <summary>The tensor, or null and everything that is wrong.</summary>
    public Ranked<TRank, T>? TryBuild(out DiagnosticList findings)
    {
        findings = new DiagnosticList();
        if (_dims.Length > Convoy.Shared.Limits.TensorRankMax || Array.Exists(_dims, d => d < 0))
        {
            findings.Add(Diagnostic.Shape("shape", [$"[{string.Join(", ", _dims)}]"],
                $"at most {Convoy.Shared.Limits.TensorRankMax} dimensions, none negative", "name the sizes"));
            return null;
        }

        var shape = new Shape(_dims);
        if (TRank.Dimensions >= 0 && shape.Rank != TRank.Dimensions)
            findings.Add(Diagnostic.Shape("rank", [$"{shape}"], $"{TRank.Dimensions} dimensions are asked for",
                "change the shape"));
        if (_contract?.Check("contract", shape,
            new SortedDictionary<string, int>(StringComparer.Ordinal)) is { } broken)
            findings.Add(broken);
        if (_values is not null && _values.Length != shape.Count)
            findings.Add(Diagnostic.Shape("values", [$"{shape}"], $"{_values.Length} values for {shape.Count} elements",
                "give one value an element"));
        if (findings.HasErrors) return null;
        return new Ranked<TRank, T>(_values is null ? Tensor.Zeros(DTypes.Of<T>(), _dims) : Tensor.Of(_values, _dims));
    }

    /// <summary>The tensor.</summary>
    /// <exception cref="Convoy.Shared.Errors.ConvoyException">Something does not fit; the message has all of
    /// it.</exception>
    public Ranked<TRank, T> Build()
    {
        var made = TryBuild(out var findings);
        findings.ThrowIfErrors("tensor");
        return made!;
    }
}
