using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>Operators that are planned to run as one.</summary>
/// <param name="Result">Node whose value the group makes.</param>
/// <param name="Operators">Names of the operators, first to last.</param>
/// <param name="BytesBefore">Bytes that they read and write one by one, for the rows of the analysis.</param>
/// <param name="BytesAfter">Bytes of the group: its operands and its result.</param>
public sealed record FusionGroup(string Result, IReadOnlyList<string> Operators, long BytesBefore, long BytesAfter)
{
    /// <summary>Estimate of the gain where memory is what bounds the speed: bytes before over bytes after.</summary>
    public double SpeedUp => BytesAfter == 0 ? 1 : (double)BytesBefore / BytesAfter;
}

/// <summary>
/// What element-wise fusion finds in a graph: how often an operator of one or two operands feeds another one inside a
/// group (the four kinds of chains), which groups are planned, and what they should gain.
/// </summary>
/// <param name="UnaryUnary">f(g(x)).</param>
/// <param name="BinaryUnary">f(g(x, y)): a function of one operand after one of two.</param>
/// <param name="UnaryBinary">f(g(x), y) or f(y, g(x)).</param>
/// <param name="BinaryBinary">f(g(x, y), z), such as a product and a sum.</param>
/// <param name="Groups">Groups in the order of the graph.</param>
public sealed record FusionAnalysis(
    int UnaryUnary, int BinaryUnary, int UnaryBinary, int BinaryBinary, IReadOnlyList<FusionGroup> Groups)
{
    /// <summary>Bytes that the plan saves, for the rows of the analysis.</summary>
    public long BytesSaved => Groups.Sum(g => g.BytesBefore - g.BytesAfter);

    /// <param name="graph">Any legal graph; it is not changed.</param>
    /// <param name="rows">Samples of a call, for the bytes.</param>
    public static FusionAnalysis Of(Graph graph, int rows)
    {
        var fused = FuseElementwise.Run(graph, rows).Graph;
        var (chains, groups) = (new int[4], new List<FusionGroup>());
        foreach (var node in fused.Nodes)
        {
            if (node.Op is not FusedOp op) continue;
            Count(op.Program, chains);
            var bytes = node.Type.CountAt(rows) * node.Type.DType.Size();
            var operands = node.Inputs.Sum(i => fused.TypeOf(i).CountAt(rows) * fused.TypeOf(i).DType.Size());
            // One by one: every function writes its result, and what is a register in the group is read from memory.
            var before = operands;
            foreach (var step in op.Program.Steps)
                before += bytes * (1 + Operands(step).Count(place => place >= 0));
            var after = operands + (bytes * node.Types.Length);
            groups.Add(new FusionGroup(node.Name, op.Program.Text.Split('+'), before, after));
        }

        return new FusionAnalysis(chains[0], chains[1], chains[2], chains[3], groups);
    }

    /// <summary>The analysis for readers.</summary>
    public IEnumerable<string> Lines()
    {
        yield return Text($"chains to fuse: {UnaryUnary} unary-unary, {BinaryUnary} binary-unary, {UnaryBinary} unary-binary, {BinaryBinary} binary-binary; {BytesSaved} bytes of traffic less");
        foreach (var g in Groups)
            yield return Text($"  {g.Result}: {string.Join(" ", g.Operators)}, about {g.SpeedUp:0.0} times as fast where memory bounds");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Count(FusedProgram program, int[] chains)
    {
        var writers = new Dictionary<int, FusedStep>();
        foreach (var step in program.Steps)
        {
            foreach (var place in Operands(step))
                if (place >= 0 && writers.TryGetValue(place, out var writer))
                    chains[(IsBinary(writer) ? 1 : 0) + (IsBinary(step) ? 2 : 0)]++;
            writers[step.To] = step;
        }
    }

    private static int[] Operands(FusedStep step) => [step.A, step.B, step.C];

    private static bool IsBinary(FusedStep step) => step.B != FusedStep.None;
}
