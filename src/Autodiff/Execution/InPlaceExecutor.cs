using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// Element operators that write their result over their first operand. What would damage other values is refused before
/// anything is written: another shape or element type, a view that repeats elements, an operand that overlaps in
/// another order, and memory that was protected. A tape that recorded the operand notices by its version.
/// </summary>
public sealed class InPlaceExecutor
{
    private readonly List<Tensor> _protected = [];

    /// <summary>Memory for results that did not have to be reserved.</summary>
    public long BytesSaved { get; private set; }

    /// <summary>Operators that ran.</summary>
    public int Applied { get; private set; }

    /// <summary>Refuses writes to any element of the tensor until the scope is disposed.</summary>
    public IDisposable Protect(Tensor tensor)
    {
        _protected.Add(tensor);
        return new ScopeEnd(() => _protected.Remove(tensor));
    }

    /// <summary>Protects everything that a later backward call of the variable reads.</summary>
    public IDisposable Protect(Variable variable)
    {
        var held = History.Of([variable]).Tensors();
        _protected.AddRange(held);
        return new ScopeEnd(() =>
        {
            foreach (var tensor in held) _protected.Remove(tensor);
        });
    }

    /// <summary>x = max(x, 0).</summary>
    public void Relu(Tensor x) => Run(OpTable.Relu, x);
    /// <summary>x = 1 / (1 + e^-x).</summary>
    public void Sigmoid(Tensor x) => Run(OpTable.Sigmoid, x);
    /// <summary>x = 1 - x.</summary>
    public void OneMinus(Tensor x) => Run(OpTable.OneMinus, x);
    /// <summary>x = tanh x.</summary>
    public void Tanh(Tensor x) => Run(OpTable.Tanh, x);
    /// <summary>x = |x|.</summary>
    public void Abs(Tensor x) => Run(OpTable.Abs, x);
    /// <summary>x = -x.</summary>
    public void Negate(Tensor x) => Run(OpTable.Negate, x);
    /// <summary>x = e^x.</summary>
    public void Exp(Tensor x) => Run(OpTable.Exp, x);
    /// <summary>x = ln x.</summary>
    public void Log(Tensor x) => Run(OpTable.Log, x);
    /// <summary>x = √x.</summary>
    public void Sqrt(Tensor x) => Run(OpTable.Sqrt, x);
    /// <summary>x = x².</summary>
    public void Square(Tensor x) => Run(OpTable.Square, x);

    /// <summary>x = min(max(x, low), high).</summary>
    /// <exception cref="ShapeException">The bounds are no interval; nothing was written.</exception>
    public void Clip(Tensor x, double low, double high)
    {
        if (!(low <= high)) throw new ShapeException($"clip: the lower bound {low} is not at most the upper bound {high}");
        ClampLow(x, low);
        ClampHigh(x, high);
    }

    /// <summary>x += y; y has x's shape or is repeated to it.</summary>
    public void Add(Tensor x, Tensor y) => Run(OpTable.Add, x, y);
    /// <summary>x -= y; y has x's shape or is repeated to it.</summary>
    public void Subtract(Tensor x, Tensor y) => Run(OpTable.Subtract, x, y);
    /// <summary>x *= y element by element; y has x's shape or is repeated to it.</summary>
    public void Multiply(Tensor x, Tensor y) => Run(OpTable.Multiply, x, y);
    /// <summary>x /= y; y has x's shape or is repeated to it.</summary>
    public void Divide(Tensor x, Tensor y) => Run(OpTable.Divide, x, y);
    /// <summary>x = min(x, y); y has x's shape or is repeated to it.</summary>
    public void Minimum(Tensor x, Tensor y) => Run(OpTable.Minimum, x, y);
    /// <summary>x = max(x, y); y has x's shape or is repeated to it.</summary>
    public void Maximum(Tensor x, Tensor y) => Run(OpTable.Maximum, x, y);

    /// <summary>x += y.</summary>
    public void Add(Tensor x, double y) => Run(OpTable.Add, x, One(x, y));
    /// <summary>x *= y.</summary>
    public void Multiply(Tensor x, double y) => Run(OpTable.Multiply, x, One(x, y));
    /// <summary>x = x to a constant power.</summary>
    public void Pow(Tensor x, double exponent) => Run(OpTable.PowScalar, Attributes.Of("exponent", exponent), x);
    /// <summary>x = max(x, low).</summary>
    public void ClampLow(Tensor x, double low) => Run(OpTable.Maximum, x, One(x, low));
    /// <summary>x = min(x, high).</summary>
    public void ClampHigh(Tensor x, double high) => Run(OpTable.Minimum, x, One(x, high));

    /// <summary>Any operator whose kernel may write over what it reads.</summary>
    public void Run(Op op, Tensor target, params ReadOnlySpan<Tensor> others) =>
        Run(op, Attributes.None, target, others);

    /// <summary>The same with the constants of the operator.</summary>
    /// <exception cref="UnsupportedException">The operator reads more than it writes over.</exception>
    /// <exception cref="ShapeException">The write would change the shape or damage another value; nothing was
    /// written.</exception>
    public void Run(Op op, Attributes attributes, Tensor target, params ReadOnlySpan<Tensor> others)
    {
        Check(op, attributes, target, others);
        // A view with gaps is computed beside and copied into its places: right, but nothing is saved.
        var place = target.Contiguous();
        var inputs = new Tensor[others.Length + 1];
        inputs[0] = place;
        for (var i = 0; i < others.Length; i++)
            inputs[i + 1] = SamePlace(others[i], target) ? place : others[i].Contiguous();
        var inPlace = ReferenceEquals(place, target);
        if (inPlace) target.Storage.MarkWritten();
        op.Forward(new OpCall(attributes, inputs, [place]));
        Applied++;
        if (inPlace)
        {
            BytesSaved += target.Count * Shared.Tensors.DTypes.Size(target.DType);
        }
        else target.CopyFrom(place);
    }

    private void Check(Op op, Attributes attributes, Tensor target, ReadOnlySpan<Tensor> others)
    {
        if (op is CompositeOp || !op.MayOverwrite(0))
            throw new UnsupportedException($"{op.Name}: its result may not be written over its operand while that is read; it cannot run in place");
        var types = new TensorType[others.Length + 1];
        types[0] = target.Type;
        for (var i = 0; i < others.Length; i++) types[i + 1] = others[i].Type;
        op.RequireKnown(attributes);
        var result = op.Infer(attributes, types)[0];
        if (!result.Equals(target.Type))
            throw new ShapeException($"{op.Name}: in place it would turn {target.Type} into {result}");
        for (var axis = 0; axis < target.Rank; axis++)
        {
            if (target.Strides[axis] == 0 && target.Shape[axis] > 1)
                throw new ShapeException($"{op.Name}: dimension {axis} of the target repeats one element, which would be written {target.Shape[axis]} times");
        }

        foreach (var other in others)
        {
            if (Overlaps(target, other) && !SamePlace(other, target))
                throw new ShapeException($"{op.Name}: an operand of {other.Shape} shares memory with the target of {target.Shape} in another order; copy it first");
        }

        foreach (var held in _protected)
            if (Overlaps(target, held))
                throw new ShapeException(
                    $"{op.Name}: the target shares memory with a protected tensor of {held.Shape}");
    }

    private static Tensor One(Tensor like, double value) => Tensor.Full(like.DType, value, Shared.Tensors.Shape.Scalar);

    private static bool SamePlace(Tensor a, Tensor b) => ReferenceEquals(a.Storage, b.Storage) && a.Offset == b.Offset
        && a.DType == b.DType && a.Shape == b.Shape && a.Strides.SequenceEqual(b.Strides);

    // By the first and last element of each: views that interleave count as overlapping.
    private static bool Overlaps(Tensor a, Tensor b)
    {
        if (!ReferenceEquals(a.Storage, b.Storage) || a.Count == 0 || b.Count == 0) return false;
        var (lowA, highA) = Reach(a);
        var (lowB, highB) = Reach(b);
        return lowA <= highB && lowB <= highA;
    }

    private static (long Low, long High) Reach(Tensor t)
    {
        var (low, high) = (t.Offset, t.Offset);
        for (var axis = 0; axis < t.Rank; axis++)
        {
            var step = (long)(t.Shape[axis] - 1) * t.Strides[axis];
            if (step < 0) low += step;
            else high += step;
        }

        return (low, high);
    }
}
