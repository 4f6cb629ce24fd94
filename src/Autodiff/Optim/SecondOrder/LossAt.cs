using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Optim.SecondOrder;

/// <summary>
/// A loss at one place: value, gradient and products with the Hessian H, all parameters as one vector. The gradient is
/// computed once with its history; each product is one pass back over that, so it costs a few gradients and H is never
/// formed.
/// </summary>
public sealed class LossAt
{
    private readonly Variable[] _x;
    private readonly Variable[] _gradient;
    private readonly IReadOnlyList<Tensor> _at;

    /// <summary>Computes value and gradient once, with the history that products need.</summary>
    /// <param name="loss">One number from the parameters.</param>
    /// <param name="at">Parameters, float32 or float64; they are not changed.</param>
    public LossAt(Func<Variable[], Variable> loss, IReadOnlyList<Tensor> at)
    {
        _at = at;
        using var recording = GradientMode.On();
        _x = [.. at.Select(t => new Variable(t, requiresGradient: true))];
        var value = loss(_x);
        if (value.Data.Count != 1)
            throw new ShapeException($"a second-order step needs one number as the loss, not {value.Type.Text}");
        Value = value.Data.Cast(DType.Float64).ToArray<double>()[0];
        _gradient = [.. Differentiate.Gradient([value], _x, createGraph: true)];
        Gradient = Flat(_gradient);
    }

    /// <summary>The loss.</summary>
    public double Value { get; }

    /// <summary>dL/dx, parameter after parameter.</summary>
    public IReadOnlyList<double> Gradient { get; }

    /// <summary>Elements of all parameters.</summary>
    public int Count => Gradient.Count;

    /// <summary>Products with H so far.</summary>
    public int Products { get; private set; }

    /// <summary>H v.</summary>
    public double[] HessianVector(IReadOnlyList<double> v)
    {
        Products++;
        Variable[] seeds = [.. Shaped(v).Select(t => new Variable(t))];
        return Flat(Differentiate.Gradient(_gradient, _x, seeds));
    }

    /// <summary>The diagonal of H: one product per element.</summary>
    public double[] HessianDiagonal()
    {
        var (diagonal, unit) = (new double[Count], new double[Count]);
        for (var i = 0; i < diagonal.Length; i++)
        {
            unit[i] = 1;
            diagonal[i] = HessianVector(unit)[i];
            unit[i] = 0;
        }

        return diagonal;
    }

    /// <summary>
    /// An estimate of the diagonal of H: the mean of v (H v) over vectors v of random signs, which is right in the
    /// mean, and exact where H is diagonal (Bekas and others 2007). The signs are a function of seed, step and probe.
    /// </summary>
    public double[] EstimateDiagonal(int probes, ulong seed, long step = 0)
    {
        if (probes < 1) throw new ArgumentException($"an estimate takes 1 probe or more, not {probes}");
        var (diagonal, v) = (new double[Count], new double[Count]);
        for (var p = 0; p < probes; p++)
        {
            var signs = new RandomStream(seed, RandomPurpose.HessianProbe, ((ulong)step << 20) + (ulong)p);
            for (var i = 0; i < v.Length; i++) v[i] = (signs.Word(i) & 1) == 0 ? 1 : -1;
            var product = HessianVector(v);
            for (var i = 0; i < v.Length; i++) diagonal[i] += v[i] * product[i] / probes;
        }

        return diagonal;
    }

    /// <summary>The parameters moved by a factor times a direction.</summary>
    public IReadOnlyList<Tensor> Moved(IReadOnlyList<double> direction, double factor)
    {
        var moved = new Tensor[_at.Count];
        for (int p = 0, at = 0; p < moved.Length; p++)
        {
            var wide = _at[p].Cast(DType.Float64).ToArray<double>();
            for (var i = 0; i < wide.Length; i++) wide[i] += factor * direction[at++];
            moved[p] = Tensor.Of<double>(wide, _at[p].Shape).Cast(_at[p].DType);
        }

        return moved;
    }

    private Tensor[] Shaped(IReadOnlyList<double> v)
    {
        if (v.Count != Count) throw new ArgumentException($"a direction has {Count} elements, not {v.Count}");
        var shaped = new Tensor[_at.Count];
        for (int p = 0, at = 0; p < shaped.Length; p++)
        {
            var part = new double[_at[p].Count];
            for (var i = 0; i < part.Length; i++) part[i] = v[at++];
            shaped[p] = Tensor.Of<double>(part, _at[p].Shape).Cast(_at[p].DType);
        }

        return shaped;
    }

    private static double[] Flat(IEnumerable<Variable> parts) =>
        [.. parts.SelectMany(v => v.Data.Cast(DType.Float64).ToArray<double>())];
}
