namespace Convoy.Autodiff.Ops;

// r, z, n = parts: r and z = σ(x wᵀ + h uᵀ + b), n = tanh(x wᵀ + b + r (h uᵀ + b')); h = (1 - z) n + z h (Cho and
// others 2014) x_NI, h_NH, w_(3H)I, u_(3H)H, b_3H, b'_3H -> h_NH
internal sealed class GruCell : CompositeOp
{
    public override string Name => "gru-cell";
    private protected override (int Least, int Most) Arity => (6, 6);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var width = Recurrent.Width(x[0], [x[1]], 3, x[2], x[3], [x[4], x[5]]);
        var (left, right) = (x[0].Linear(x[2], x[4]), x[1].Linear(x[3], x[5]));
        Value Part(Value v, int n) => v.Slice(-1, n * width, width);
        var reset = (Part(left, 0) + Part(right, 0)).Sigmoid();
        var keep = (Part(left, 1) + Part(right, 1)).Sigmoid();
        var fresh = (Part(left, 2) + (reset * Part(right, 2))).Tanh();
        return [(keep.OneMinus() * fresh) + (keep * x[1])];
    }
}
