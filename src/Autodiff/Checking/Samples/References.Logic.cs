using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Checking.Samples;

// References of logic with a temperature, with weights, and in logarithms of probabilities.
internal static partial class References
{
    private static void AddLogic(Dictionary<Op, Reference> known)
    {
        void P(Op op, Func<double, double, double, double> f) => known[op] = (s, i) => f(
            Repeated(s.Inputs[0], i), Repeated(s.Inputs[1], i), s.Attributes.Number("temperature", 1));
        double Or(double x, double y, double t) => Smooth([x, y], t);
        double And(double x, double y, double t) => Smooth([x, y], -t);
        P(OpTable.OrSmooth, Or);
        P(OpTable.AndSmooth, And);
        P(OpTable.NorSmooth, (x, y, t) => 1 - Or(x, y, t));
        P(OpTable.NandSmooth, (x, y, t) => 1 - And(x, y, t));
        P(OpTable.XorSmooth, (x, y, t) => And(Or(x, y, t), 1 - And(x, y, t), t));
        P(OpTable.ImpliesSmooth, (x, y, t) => Or(1 - x, y, t));

        void W(Op op, Func<double[], double[], double> f) =>
            known[op] = (s, i) => f(Group(s, i), Group(s with { Inputs = [s.Inputs[1]] }, i));
        double All(IEnumerable<double> x, double[] w) =>
            x.Zip(w).Aggregate(1.0, (p, v) => p * Power(v.First, v.Second));
        W(OpTable.ForAllWeighted, (x, w) => All(x, w));
        W(OpTable.ExistsWeighted, (x, w) => 1 - All(x.Select(v => 1 - v), w));
        W(OpTable.WeightedMean, (x, w) => x.Zip(w).Sum(v => v.First * v.Second) / w.Sum());

        known[OpTable.LogNot] = (s, i) => Series.Ln(1 - Series.Exp(s.Inputs[0].At(i)));
        known[OpTable.LogForAll] = (s, i) => Group(s, i).Sum();
        known[OpTable.LogExists] = (s, i) =>
            Series.Ln(1 - Group(s, i).Aggregate(1.0, (p, v) => p * (1 - Series.Exp(v))));
    }
}
