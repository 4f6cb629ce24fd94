using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>Makes the executor under test for a graph and a number of rows.</summary>
public delegate IExecutor NewExecutor(Graph graph, int rows);

/// <summary>One rule of executors and what broke it.</summary>
/// <param name="Rule">Its name.</param>
/// <param name="Faults">What is wrong, one line each; empty: it holds.</param>
public sealed record ConformanceResult(string Rule, IReadOnlyList<string> Faults)
{
    /// <summary>Nothing is wrong.</summary>
    public bool Holds => Faults.Count == 0;
}

/// <summary>
/// What every executor must keep, whatever device or backend is behind it: whoever writes one runs these checks on it.
/// The yardstick is <see cref="GraphExecutor"/>, one node after the other; "equal" is to the bit, or within a tolerance
/// for devices that round otherwise.
/// <code>
///   foreach (var rule in ExecutorConformance.Check((graph, rows) => new MyExecutor(graph, rows)))
///       Assert.True(rule.Holds, string.Join("\n", rule.Faults));
/// </code>
/// </summary>
public sealed class ExecutorConformance
{
    private const int Rows = 7;
    private const int FaultsMax = 10;

    private readonly NewExecutor _make;
    private readonly double _tolerance;
    private readonly List<ConformanceResult> _results = [];
    private List<string> _faults = [];

    private ExecutorConformance(NewExecutor make, double tolerance) => (_make, _tolerance) = (make, tolerance);

    /// <summary>All rules, each with what is wrong.</summary>
    /// <param name="make">Makes the executor.</param>
    /// <param name="tolerance">Relative, of each element; 0: equal bits.</param>
    public static IReadOnlyList<ConformanceResult> Check(NewExecutor make, double tolerance = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tolerance);
        var kit = new ExecutorConformance(make, tolerance);
        kit.Rule("operators", kit.Operators);
        kit.Rule("gradients", kit.Gradients);
        kit.Rule("any number of rows", kit.AnyRows);
        kit.Rule("outputs", kit.Outputs);
        kit.Rule("bindings are only read", kit.BindingsAreOnlyRead);
        kit.Rule("views", kit.Views);
        kit.Rule("names", kit.Names);
        kit.Rule("bad bindings", kit.BadBindings);
        kit.Rule("cancellation", kit.Cancellation);
        return kit._results;
    }

    private void Rule(string name, Action check)
    {
        _faults = [];
        try
        {
            check();
        }
        catch (Exception failure)
        {
            _faults.Add($"the check ended with {failure.GetType().Name}: {failure.Message}");
        }

        _results.Add(new ConformanceResult(name, _faults));
    }

    private void Fault(string what)
    {
        if (_faults.Count < FaultsMax) _faults.Add(what);
    }

    // Every operator of the table, in each of its samples, by itself.
    private void Operators()
    {
        foreach (var op in OpTable.All.Where(OpMatrix.HasFormula))
            foreach (var sample in OpSamples.Of(op)) Operator(sample);
    }

    private void Operator(OpSample sample)
    {
        var b = new GraphBuilder();
        var bindings = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var inputs = new Value[sample.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            bindings[$"x{i}"] = sample.Inputs[i];
            inputs[i] = b.Input($"x{i}", sample.Inputs[i].DType, Dims(sample.Inputs[i].Shape));
        }

        var results = b.Apply(sample.Op, sample.Attributes, inputs);
        for (var i = 0; i < results.Length; i++) b.Output($"y{i}", results[i]);
        Same(b.Build(), Rows, bindings, sample.Name);
    }

    private void Gradients() => Same(Towers(), Rows, MockTensors.For(Towers(), Rows, 1), "towers with gradients");

    private void AnyRows()
    {
        foreach (var rows in (int[])[0, 1, 33])
            Same(Towers(), rows, MockTensors.For(Towers(), rows, 2), $"{rows} rows");
    }

    // They are the caller's: a later run changes nothing in them, and the same bindings give the same bits.
    private void Outputs()
    {
        var executor = _make(Towers(), Rows);
        var (first, second) = (MockTensors.For(Towers(), Rows, 3), MockTensors.For(Towers(), Rows, 4));
        var outputs = executor.Run(first);
        var before = outputs.ToDictionary(o => o.Key, o => o.Value.Copy(), StringComparer.Ordinal);
        executor.Run(second);
        Compare(before, outputs, 0, "after a later run the outputs of an earlier one");
        Compare(before, executor.Run(first), 0, "run again");
    }

    private void BindingsAreOnlyRead()
    {
        var bindings = MockTensors.For(Towers(), Rows, 5);
        var before = bindings.ToDictionary(o => o.Key, o => o.Value.Copy(), StringComparer.Ordinal);
        _make(Towers(), Rows).Run(bindings);
        Compare(before, bindings, 0, "after a run the bindings");
    }

    private void Views()
    {
        var plain = MockTensors.For(Towers(), Rows, 6);
        var views = plain.ToDictionary(
            o => o.Key, o => o.Value.Rank == 2 ? o.Value.Transpose(1, 0).Contiguous().Transpose(1, 0) : o.Value,
            StringComparer.Ordinal);
        Compare(_make(Towers(), Rows).Run(plain), _make(Towers(), Rows).Run(views), 0, "bound to transposed views");
    }

    private void Names()
    {
        var bindings = new Dictionary<string, Tensor>(MockTensors.For(Towers(), Rows, 7), StringComparer.Ordinal)
        {
            ["nobody asks for this"] = Tensor.Zeros(DType.Float32, 1),
        };
        var executor = _make(Towers(), Rows);
        if (executor.Rows != Rows) Fault($"it says {executor.Rows} rows, made for {Rows}");
        var (expected, actual) = (Sorted(Towers().Outputs.Select(o => o.Name)), Sorted(executor.Run(bindings).Keys));
        if (expected != actual) Fault($"the outputs are {actual}; the graph has {expected}");
    }

    private void BadBindings()
    {
        var good = MockTensors.For(Towers(), Rows, 8);
        var executor = _make(Towers(), Rows);
        var expected = Reference(Towers(), Rows, good);
        foreach (var (what, bad) in ((string, Tensor?)[])
            [("missing", null), ("of another shape", Tensor.Zeros(DType.Float32, 3, 3)),
                ("of another element type", good["w0"].Cast(DType.Float64))])
        {
            var bindings = new Dictionary<string, Tensor>(good, StringComparer.Ordinal);
            if (bad is null) bindings.Remove("w0");
            else bindings["w0"] = bad;
            try
            {
                executor.Run(bindings);
                Fault($"a parameter that is {what} was taken");
            }
            catch (GraphException refused) when (refused.Message.Contains("w0", StringComparison.Ordinal))
            {
                // as it should be
            }
            catch (Exception other)
            {
                Fault($"a parameter w0 that is {what}: {other.GetType().Name}, \"{other.Message}\"; expected a "
                    + "GraphException that names it");
            }

            Compare(expected, executor.Run(good), _tolerance, $"after a parameter that is {what}");
        }
    }

    private void Cancellation()
    {
        var good = MockTensors.For(Towers(), Rows, 9);
        var executor = _make(Towers(), Rows);
        try
        {
            executor.Run(good, new CancellationToken(canceled: true));
            Fault("a run that was cancelled beforehand was done");
        }
        catch (OperationCanceledException)
        {
            // as it should be
        }

        Compare(Reference(Towers(), Rows, good), executor.Run(good), _tolerance, "after a cancelled run");
    }

    private void Same(Graph graph, int rows, IReadOnlyDictionary<string, Tensor> bindings, string what)
    {
        try
        {
            Compare(Reference(graph, rows, bindings), _make(graph, rows).Run(bindings), _tolerance, what);
        }
        catch (Exception failure)
        {
            Fault($"{what}: {failure.GetType().Name}: {failure.Message}");
        }
    }

    private void Compare(
        IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual, double tolerance,
        string what)
    {
        foreach (var (name, tensor) in expected)
        {
            if (!actual.TryGetValue(name, out var other)) Fault($"{what}: {name} is missing");
            else if (other.DType != tensor.DType || !other.Shape.Equals(tensor.Shape))
                Fault($"{what}: {name} is {other.Type.Text}, not {tensor.Type.Text}");
            else if (FirstDifference(tensor, other, tolerance) is { } place)
                Fault($"{what}: {name} differs at {place}");
        }
    }

    private static string? FirstDifference(Tensor expected, Tensor actual, double tolerance)
    {
        var (a, b) = (expected.Cast(DType.Float64).ToArray<double>(), actual.Cast(DType.Float64).ToArray<double>());
        for (var i = 0; i < a.Length; i++)
        {
            var isEqual = a[i].Equals(b[i]) // NaN is NaN
                && BitConverter.DoubleToInt64Bits(a[i]) == BitConverter.DoubleToInt64Bits(b[i]);
            var isNear = Math.Abs(a[i] - b[i]) <= tolerance * Math.Max(1, Math.Abs(a[i]));
            if (!isEqual && !(tolerance > 0 && (isNear || a[i].Equals(b[i]))))
                return $"element {i}: {b[i]:r}, not {a[i]:r}";
        }

        return null;
    }

    private static IReadOnlyDictionary<string, Tensor> Reference(
        Graph graph, int rows, IReadOnlyDictionary<string, Tensor> bindings) =>
        new GraphExecutor(graph, rows, new ExecutorOptions { Schedule = ExecutionSchedule.Sequential }).Run(bindings);

    private static string Sorted(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));

    private static Dim[] Dims(Shape shape)
    {
        var dims = new Dim[shape.Rank];
        for (var i = 0; i < dims.Length; i++) dims[i] = shape[i];
        return dims;
    }

    private static Graph Towers() => TowersWithGradients;

    // Branches of unlike work that meet, aliases, a value that is read twice, and the gradients of it all.
    private static readonly Graph TowersWithGradients = MakeTowers();

    private static Graph MakeTowers()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 6);
        Value? sum = null;
        for (var i = 0; i < 3; i++)
        {
            var width = 4 * (i + 1);
            var h = x.MatMul(b.Parameter($"w{i}", ParameterInit.Normal(1), 6, width)).Tanh();
            var y = (h * h).MatMul(b.Parameter($"v{i}", ParameterInit.Normal(1), width, 5)).Softmax();
            sum = sum is null ? y : sum + y;
        }

        b.Output("each", sum!);
        b.Output("loss_sum", (sum!.Square() + sum!.Exp()).Sum());
        return PassPipeline.Training(b.Build());
    }
}
