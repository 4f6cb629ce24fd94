namespace Convoy.Autodiff.Ops;

// i, f, g, o = four parts of x wᵀ + h uᵀ + b; c = σ(f) c + σ(i) tanh(g); h = σ(o) tanh(c) (Hochreiter and
// Schmidhuber 1997) x_NI, h_NH, c_NH, w_(4H)I, u_(4H)H, b_4H -> h_NH, c_NH
internal sealed class LstmCell : CompositeOp
{
    public override string Name => "lstm-cell";
    private protected override (int Least, int Most) Arity => (6, 6);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var width = Recurrent.Width(x[0], [x[1], x[2]], 4, x[3], x[4], [x[5]]);
        var gates = x[0].Linear(x[3]) + x[1].Linear(x[4]) + x[5];
        Value Part(int n) => gates.Slice(-1, n * width, width);
        var cell = (Part(1).Sigmoid() * x[2]) + (Part(0).Sigmoid() * Part(2).Tanh());
        return [Part(3).Sigmoid() * cell.Tanh(), cell];
    }
}
